"""Base class and helpers for layers that work on one to three axes after the channels."""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from typing_extensions import override

from neuropil.core import Layer, Shape, ShapeError
from neuropil.core.window import Reach, Window, windows

T = TypeVar("T")

AXES = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}


class WindowLayer(Layer):
    """Base class of convolution and pooling: a window slides over each axis after the channels.

    Args:
        size: Length F of the window, one number or one per axis.
        stride: Step S, one number or one per axis.
        dilation: Distance D between the window's taps, one number or one per axis.
        padding: A mode, numbers or (start, end).
        ceil: Whether the last window may run over the end.
        name: Name in the network.

    Raises:
        ValueError: When an option is out of its range, or two are written for different ranks.
    """

    channels_first = True

    # Name of the option for the length of the window.
    size_option: ClassVar[str] = "kernel_size"

    def __init__(
        self,
        size: Any,
        stride: Any,
        dilation: Any,
        padding: Any,
        *,
        ceil: bool = False,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        self.options = {
            "size": hashable(size),
            "stride": hashable(stride),
            "dilation": hashable(dilation),
            "padding": hashable(padding),
            "ceil": ceil,
        }
        self.by_rank = {}
        try:
            self.windows(self.likely_rank())
        except ValueError as error:
            raise ValueError(f"{type(self).__name__}: {error}") from None

    def likely_rank(self, *more: Any) -> int:
        """Return the number of axes that the options are written for; 1 if they fit any.

        Args:
            *more: Further options of the subclass.

        Raises:
            ValueError: When they contradict each other.
        """
        options = {**self.options}
        padding = options.pop("padding")
        values = (*options.values(), *more)
        ranks = {len(value) for value in values if isinstance(value, tuple | list)}
        if not ranks and isinstance(padding, tuple | list):
            # Two numbers may also be the start and the end of one axis; both are well-formed.
            ranks = {len(padding)}
        if len(ranks) > 1 or not ranks <= set(AXES):
            raise ValueError(
                f"options with one value per axis must agree on 1, 2 or 3 axes, got values for "
                f"{' and '.join(map(str, sorted(ranks)))}."
            )
        return ranks.pop() if ranks else 1

    def windows(self, rank: int) -> tuple[Window, ...]:
        """Return the window of each axis, computed once for each rank."""
        made = self.by_rank.get(rank)
        if made is None:
            made = self.by_rank[rank] = windows(rank, **self.options, named=self.size_option)
        return made

    def windows_over(self, shape: Shape) -> tuple[Window, ...]:
        """Return the window of each axis of an input.

        Raises:
            ShapeError: When the rank of the input does not match the options.
        """
        return options_over(self, shape, self.windows)

    def slide(self, shape: Shape) -> Shape:
        """Return the number of windows along each axis of an input.

        Raises:
            ShapeError: When no window fits.
        """
        axes = self.windows_over(shape)
        try:
            return window_counts(axes, shape[1:])
        except ShapeError:
            place, window = next(
                (place, window)
                for place, window in enumerate(axes)
                if (length := shape[place + 1]) is not None and length < window.least_length
            )
            raise self.refuse(
                f"a {AXES[len(axes)][place]} of at least {window.least_length}",
                shape,
                'make its window smaller, give it padding="same", or shrink less before it',
            ) from None

    @override
    def reaches(self, shape: Shape) -> tuple[Reach, ...] | None:
        return tuple(map(Window.reach, self.windows_over(shape), shape[1:]))


@functools.lru_cache(maxsize=1024)  # the layers of a network repeat the same windows
def window_counts(windows: tuple[Window, ...], lengths: Shape) -> Shape:
    """Return the number of windows along each axis.

    Raises:
        ShapeError: When no window fits.
    """
    return tuple(map(Window.output_length, windows, lengths))


def hashable(value: Any) -> Any:
    """Return a hashable form of a value: tuples for lists, and text for invalid options."""
    if isinstance(value, list | tuple):
        return tuple(map(hashable, value))
    return value if isinstance(value, Hashable) else repr(value)


def spatial_rank(layer: Layer, shape: Shape) -> int:
    """Return the number of axes after the channels.

    Raises:
        ShapeError: When it is not 1, 2 or 3.
    """
    if len(shape) - 1 in AXES:
        return len(shape) - 1
    fix = "merge axes with Reshape(…) before it"
    if len(shape) == 1:
        length = -1 if shape[0] is None else shape[0]
        fix = (
            f"put Reshape(1, {length}) before it to make this a signal of one channel, or move "
            f"it before the layer that removed the axes, such as Flatten()"
        )
    raise layer.refuse(
        "a signal (C, L), an image (C, H, W) or a volume (C, D, H, W)", shape, fix
    )


def require_positions(layer: Layer, shape: Shape, fix: str) -> None:
    """Raise an error for an input that has no axes after the channels.

    Raises:
        ShapeError: When that is so.
    """
    if len(shape) < 2:
        needs = "axes after the channels, such as (C, L) or (C, H, W)"
        raise layer.refuse(needs, shape, fix)


def options_over(layer: Layer, shape: Shape, read: Callable[[int], T]) -> T:
    """Return options of a layer read for the number of axes of an input.

    Raises:
        ShapeError: When they are written for another number of axes.
    """
    rank = spatial_rank(layer, shape)
    try:
        return read(rank)
    except ShapeError as error:
        raise ShapeError(f"{layer!r}: {error}") from None


@dataclass(frozen=True, slots=True)
class Pads:
    """Padding of an input as torch takes it, for layers that cannot pad as needed.

    Args:
        windows: The window of each axis.
        fixed: The padding if it is the same for all lengths; otherwise ``None``.

    Example:
        >>> apart, pads = split_padding(windows(2, 3, stride=2, padding=("same", (1, 0))))
        >>> pads((8, 5)), pads((7, 5))
        ((1, 0, 0, 1), (1, 0, 1, 1))
    """

    windows: tuple[Window, ...]
    fixed: tuple[int, ...] | None

    def __call__(self, lengths: Sequence[int]) -> tuple[int, ...]:
        """Return (start, end) of each axis, the last axis first; lengths may be symbolic."""
        return around(self.windows, lengths) if self.fixed is None else self.fixed


@functools.lru_cache(maxsize=1024)
def split_padding(
    windows: tuple[Window, ...], *, limited: bool = False
) -> tuple[tuple[int, ...], Pads | None]:
    """Return the padding per axis for torch's layer, and the padding to apply before it.

    Args:
        windows: The window of each axis.
        limited: Whether torch accepts at most half a window, as in its pooling.
    """
    ends = [window.fixed_pads for window in windows]
    both = [start for start, end in filter(None, ends) if start == end]
    if len(both) == len(windows) and not (
        limited
        and any(2 * pad > window.size for pad, window in zip(both, windows, strict=True))
    ):
        return tuple(both), None
    none = (0,) * len(windows)
    return none, Pads(windows, None if None in ends else around(windows, none))


def around(windows: tuple[Window, ...], lengths: Sequence[int]) -> tuple[int, ...]:
    """Return (start, end) of each axis, the last axis first."""
    pads: tuple[int, ...] = ()
    for window, length in zip(windows, lengths, strict=True):
        pads = window.pads(length) + pads
    return pads
