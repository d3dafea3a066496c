"""Downsampling after a blur, so that a shifted image gives shifted features."""

from __future__ import annotations

import functools
import math
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor
from typing_extensions import override

from neuropil.checks import one_of
from neuropil.core.window import Window, halves
from neuropil.layers.constant_tensors import WithConstants
from neuropil.layers.convolution.convolution import CONVOLVE
from neuropil.layers.layer_options import known_count
from neuropil.layers.spatial import AXES, WindowLayer

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuropil.core import Shape

    # Torch's function, the padding around the input, its mode, and the strides.
    Plan: TypeAlias = tuple[Callable[..., Tensor], tuple[int, ...], str, tuple[int, ...]]

# Zhang tests filters of 1 to 7 taps.
LONGEST = 7
# Our names of the padding modes, and torch's.
PADDING = {"reflect": "reflect", "edge": "replicate", "zeros": "constant", "valid": None}


class BlurPooling(WithConstants, WindowLayer):
    """Blur each channel with a binomial filter, then keep every S-th position.

    y[c, o] = Σ_t a_t · x[c, S·o + t − P] with a_t = (F − 1 over t) / 2^(F − 1), and for several
    axes the product of one such factor each: (1, 2, 1)/4 for F = 3. To downsample without
    aliasing, use it instead of a stride: ``MaxPooling(2, stride=1) >> BlurPooling()`` instead
    of ``MaxPooling(2)``, ``Convolution(…) >> Relu() >> BlurPooling()`` for a strided
    convolution.

    Shape:
        ``(C, L)``, ``(C, H, W)`` or ``(C, D, H, W)`` to the same rank. With P = ⌊(F − 1)/2⌋ at
        the start and ⌈(F − 1)/2⌉ at the end each axis of length I becomes ⌈I/S⌉; ``"valid"``
        has no padding, and ⌊(I − F)/S⌋ + 1. Free axes stay free. There are no parameters.

    Args:
        size: Filter length F from 1 to 7, one number or one per axis: 2 is the mean of two
            neighbours, 1 does not blur.
        stride: Step S, one number or one per axis.
        padding: Values of x outside the input: ``"reflect"`` (x₁ comes before x₀), ``"edge"``
            (the outermost value again) or ``"zeros"``; ``"valid"`` for no padding.
        name: Name in the network, in place of ``blurpooling1``.

    Raises:
        ValueError: When an option is out of its range.
        ShapeError: When the input has no axes after the channels, or one that is too short for
            the filter or for reflection.

    Reference:
        Zhang, "Making convolutional networks shift-invariant again", 2019, section 3.2.

    Example:
        >>> import torch
        >>> BlurPooling()(torch.tensor([[[0.0, 4.0, 8.0, 4.0]]])).tolist()
        [[[2.0, 6.0]]]
        >>> BlurPooling(3).output_shape((64, 32, None))
        (64, 16, None)
    """

    size_option: ClassVar[str] = "size"

    def __init__(
        self,
        size: int | tuple[int, ...] = 3,
        *,
        stride: int | tuple[int, ...] = 2,
        padding: str = "reflect",
        name: str | None = None,
    ) -> None:
        self.padding = one_of(padding, "BlurPooling: padding", PADDING)
        super().__init__(size, stride, 1, "valid", name=name)
        self.plans = {}

    @override
    def windows(self, rank: int) -> tuple[Window, ...]:
        made = super().windows(rank)
        for window in made:
            if window.size > LONGEST:
                raise ValueError(
                    f"size must be a whole number from 1 to {LONGEST}, got {window.size}."
                )
        if self.padding == "valid":
            return made
        return tuple(replace(window, padding=halves(window.size - 1)) for window in made)

    @override
    def output_shape(self, shape: Shape) -> Shape:
        lengths = self.slide(shape)
        axes = self.windows_over(shape)
        for axis, window, length in zip(AXES[len(axes)], axes, shape[1:], strict=True):
            most = max(window.pads(0))
            if self.padding == "reflect" and length is not None and length <= most:
                fix = "reflection needs more values than it adds; use padding='edge'"
                raise self.refuse(f"a {axis} of at least {most + 1}", shape, fix)
        return (shape[0], *lengths)

    @override
    def multiply_adds(self, shape: Shape) -> int:
        taps = math.prod(window.size for window in self.windows_over(shape))
        return taps * known_count(self, self.output_shape(shape))

    @override
    def constants(self, *input_shapes: Shape) -> dict[str, Tensor]:
        # One layer may be used in networks of different rank, since it has no parameters.
        had = [rank for rank in AXES if f"filter{rank}" in self._buffers]
        return {f"filter{rank}": self.taps(rank) for rank in (*had, len(input_shapes[0]) - 1)}

    def taps(self, rank: int) -> Tensor:
        """Return the filter for inputs with this number of axes."""
        return binomial(tuple(window.size for window in self.windows(rank)))

    def plan(self, rank: int) -> Plan:
        """Return the plan for inputs with this number of axes, computed once."""
        made = self.plans.get(rank)
        if made is None:
            windows, mode = self.windows(rank), PADDING[self.padding]
            around = tuple(pad for window in reversed(windows) for pad in window.pads(0))
            strides = tuple(window.stride for window in windows)
            made = (CONVOLVE[rank], around if mode else (), mode or "", strides)
            self.plans[rank] = made
        return made

    @override
    def forward(self, x: Tensor) -> Tensor:
        rank = x.dim() - 2
        convolve, around, mode, strides = self.plans.get(rank) or self.plan(rank)
        taps = self._buffers.get(f"filter{rank}")
        if taps is None:  # not built for this rank
            taps = self.taps(rank).to(x)
        if around:
            x = F.pad(x, around, mode)
        channels = x.shape[1]
        weight = taps.expand(channels, *(-1,) * (rank + 1))
        return convolve(x, weight, None, strides, 0, 1, channels)


@functools.lru_cache(maxsize=64)
def binomial(sizes: tuple[int, ...]) -> Tensor:
    """Return the product of one binomial filter per axis, for one channel, with sum 1."""
    taps = torch.ones((), dtype=torch.float64, device="cpu")
    for size in sizes:
        row = [math.comb(size - 1, tap) / 2 ** (size - 1) for tap in range(size)]
        taps = taps[..., None] * torch.tensor(row, dtype=torch.float64, device="cpu")
    return taps[None, None]
