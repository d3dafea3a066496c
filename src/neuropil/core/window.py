"""Window arithmetic: sizes under filters, strides and padding."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from neuropil.checks import whole
from neuropil.core.shape import ShapeError, per_axis

# For one axis: a mode, zeros at both ends, or (start, end). For all axes: one of these, or a
# tuple of them, one per axis.
AxisPadding: TypeAlias = "str | int | tuple[int, int]"
Padding: TypeAlias = "AxisPadding | tuple[AxisPadding, ...]"

MODES = ("valid", "same", "full")


@dataclass(frozen=True, slots=True)
class Window:
    """A filter that slides along one axis.

    With F' = D(F − 1) + 1 the output length is O = ⌊(I − F' + P_start + P_end) / S⌋ + 1.
    *valid* pads nothing; *full* pads F' − 1 at both ends; *same* gives O = ⌈I/S⌉ with
    max(0, S⌈I/S⌉ − S + F' − I) zeros in all, the smaller half at the start.

    Args:
        size: Filter length F.
        stride: Step S between neighbouring windows.
        dilation: Distance D between neighbouring taps of the filter.
        padding: ``"valid"``, ``"same"``, ``"full"``, a number for both ends, or (start, end).
        ceil: Whether the last window may run over the end (⌈ ⌉ instead of ⌊ ⌋) if it starts
            inside the input or its padding at the start, as in torch's pooling.

    Reference:
        Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", 2016.

    Example:
        >>> Window(5, stride=2, padding="same").output_length(32)
        16
        >>> Window(5, stride=2, padding="same").pads(32)
        (1, 2)
    """

    size: int
    stride: int = 1
    dilation: int = 1
    padding: AxisPadding = "valid"
    ceil: bool = False

    @property
    def extent(self) -> int:
        """The length of one window with dilation: F' = D(F − 1) + 1."""
        return self.dilation * (self.size - 1) + 1

    @property
    def fixed_pads(self) -> tuple[int, int] | None:
        """The zeros at (start, end), or ``None`` if they depend on the input's length."""
        if self.padding == "same":
            fixed = self.stride == 1 or self.extent == 1
            return halves(self.extent - 1) if fixed else None
        if isinstance(self.padding, tuple):
            return self.padding
        modes = {"valid": 0, "full": self.extent - 1}
        both = modes[self.padding] if isinstance(self.padding, str) else self.padding
        return both, both

    def pads(self, length: int) -> tuple[int, int]:
        """Return the zeros at (start, end) for an input of this length; it may be symbolic."""
        fixed = self.fixed_pads
        if fixed is not None:
            return fixed
        total = (ceil_div(length, self.stride) - 1) * self.stride + self.extent - length
        # It is negative only if the stride exceeds the filter; this saves a traced comparison.
        return halves(max(0, total) if self.stride > self.extent else total)

    @property
    def least_length(self) -> int:
        """The shortest input that gives an output."""
        if self.padding == "same":
            return 1
        # With rounding up, even the first window may run over the end.
        over = self.stride - 1 if self.ceil else 0
        return max(1, self.extent - over - sum(self.pads(0)))

    def output_length(self, length: int | None) -> int | None:
        """Return the number of windows that fit; free lengths stay free.

        Raises:
            ShapeError: When no window fits.
        """
        if length is None:
            return None
        if self.padding == "same":
            return ceil_div(length, self.stride)
        start, end = self.pads(length)
        if length < self.least_length:
            raise ShapeError(
                f"a window over {self.extent} with padding {start} + {end} needs a length of "
                f"at least {self.least_length}, got {length}"
            )
        room = length + start + end - self.extent
        if not self.ceil:
            return room // self.stride + 1
        windows = -(-room // self.stride) + 1
        # torch's rule: a window that would start in the padding at the end is dropped.
        return windows - ((windows - 1) * self.stride >= length + start)

    def transposed_length(self, length: int | None, output_padding: int = 0) -> int | None:
        """Return the output length of the transposed window for an input of `length`.

        Raises:
            ShapeError: When the output would be empty.
        """
        if length is None:
            return None
        start, end = self.transposed_crop
        result = (length - 1) * self.stride + self.extent - start - end + output_padding
        if result < 1:
            raise ShapeError(
                f"padding {start} + {end} removes the whole output of {result + start + end}"
            )
        return result

    @property
    def transposed_crop(self) -> tuple[int, int]:
        """The positions that the transposed window crops from its output at (start, end).

        They equal the padding of the forward window. *same* crops to I·S; if S > F' the crop is
        negative, which means zeros at the end.
        """
        if self.padding != "same":
            return self.pads(0)
        total = self.extent - self.stride
        return halves(total) if total > 0 else (0, total)

    def is_blind(self, length: int | None) -> bool:
        """Return whether some window would contain only padding.

        This requires padding of F' or more, or an input shorter than the gaps of the filter.
        """
        fixed = self.fixed_pads
        if fixed is not None and max(fixed) >= self.extent:
            return True
        if length is None or length >= self.dilation:
            return False
        start = self.pads(length)[0]
        firsts = (k * self.stride - start for k in range(self.output_length(length) or 0))
        return any(
            all(not 0 <= first + self.dilation * tap < length for tap in range(self.size))
            for first in firsts
        )

    def reach(self, length: int | None) -> Reach:
        """Return the receptive field of one output of the sliding window."""
        if length is None and self.fixed_pads is None:
            return Reach(self.extent, Fraction(self.stride), None)
        return Reach(self.extent, Fraction(self.stride), Fraction(-self.pads(length or 0)[0]))

    def transposed_reach(self) -> Reach:
        """Return the largest receptive field of one output of the transposed window.

        Output o takes input i through tap t where o + P_start = S·i + D·t.
        """
        seen = ceil_div(self.extent, self.stride)
        start = Fraction(self.transposed_crop[0] - self.extent + 1, self.stride)
        return Reach(seen, Fraction(1, self.stride), start)


@dataclass(frozen=True, slots=True)
class Reach:
    """Receptive field of output o along one axis: inputs start + jump·o … + size − 1.

    Args:
        size: Number of neighbouring inputs.
        jump: Shift from one output to the next; a fraction if the layer upsamples.
        start: First input of output 0; negative within padding, ``None`` if it depends on a
            free length.

    Example:
        >>> Window(3, stride=2, padding=1).reach(8)
        Reach(size=3, jump=Fraction(2, 1), start=Fraction(-1, 1))
    """

    size: int
    jump: Fraction
    start: Fraction | None


def ceil_div(number: int, divisor: int) -> int:
    """Return ⌈number / divisor⌉ for a non-negative number, which may be symbolic."""
    # Not -(-n // d): exporters write // as a division that rounds towards zero.
    return (number + divisor - 1) // divisor


def halves(total: int) -> tuple[int, int]:
    """Return the smaller and the larger half."""
    return total // 2, total - total // 2


# The layers of a network repeat windows; `typed`, so that 3.0 is not accepted after 3.
@functools.lru_cache(maxsize=1024, typed=True)
def windows(
    rank: int,
    size: object,
    *,
    stride: object = 1,
    dilation: object = 1,
    padding: object = "valid",
    ceil: bool = False,
    named: str = "the filter size",
) -> tuple[Window, ...]:
    """Return one window per axis, from options with one value or one value per axis.

    A padding of two numbers is read as (start, end) if there is one axis, and as one number per
    axis if there are two.
    """
    sizes = per_axis(size, rank, named)
    strides = per_axis(stride, rank, "stride")
    dilations = per_axis(dilation, rank, "dilation")
    pads = axis_paddings(padding, rank)
    axes = zip(sizes, strides, dilations, pads, strict=True)
    return tuple(Window(*axis, ceil) for axis in axes)


def axis_paddings(padding: object, rank: int) -> tuple[AxisPadding, ...]:
    """Return one padding per axis.

    Raises:
        ShapeError: When a sequence has another length than there are axes.
    """
    if not isinstance(padding, tuple | list):
        return (axis_padding(padding),) * rank
    numbers = not any(isinstance(item, str | tuple | list) for item in padding)
    if rank == 1 and len(padding) == 2 and numbers:
        return (axis_padding(padding),)
    if len(padding) != rank:
        raise ShapeError(
            f"padding has {len(padding)} entries, {tuple(padding)}, for {rank} axes: give a "
            f"mode, one number, or one entry per axis, each a number or (start, end)."
        )
    return tuple(map(axis_padding, padding))


def axis_padding(padding: object) -> AxisPadding:
    """Check and return the padding of one axis.

    Raises:
        ValueError: When it is not a mode, a number or a pair of numbers.
    """
    if isinstance(padding, str):
        if padding not in MODES:
            raise ValueError(f"padding must be one of {MODES} or numbers, got {padding!r}.")
        return padding
    if isinstance(padding, tuple | list) and len(padding) == 2:
        start, end = (whole(item, "padding", minimum=0) for item in padding)
        return start, end
    return whole(padding, "padding", minimum=0)
