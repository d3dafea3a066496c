"""Base class of the pooling layers, and the plan by which torch pools."""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor
from typing_extensions import override

from neuropil.checks import flag
from neuropil.core.window import Window, ceil_div
from neuropil.layers.spatial import AXES, Pads, WindowLayer, split_padding

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from neuropil.core import Shape

    Call: TypeAlias = tuple[Callable[..., Tensor], tuple[Any, ...]]


class Pooling(WindowLayer):
    """Base class of the pooling layers with sliding windows.

    Args:
        size: Window length F.
        stride: Step S; F if ``None``.
        padding: A mode, numbers or (start, end).
        ceil_mode: Whether the last window may run over the end.
        dilation: Distance D between the positions in a window.
        count_include_pad: Whether padding counts as zeros in a mean.
        name: Name in the network.

    Raises:
        ValueError: When an option is out of its range.
    """

    size_option: ClassVar[str] = "size"

    def __init__(
        self,
        size: Any,
        stride: Any,
        padding: Any,
        ceil_mode: bool,  # noqa: FBT001 - only subclasses call this
        *,
        dilation: Any = 1,
        count_include_pad: bool = True,
        name: str | None,
    ) -> None:
        stride = size if stride is None else stride
        ceil = flag(ceil_mode, f"{type(self).__name__}: ceil_mode")
        super().__init__(size, stride, dilation, padding, ceil=ceil, name=name)
        self.count_include_pad = flag(
            count_include_pad, f"{type(self).__name__}: count_include_pad"
        )
        self.plans = {}

    @override
    def windows(self, rank: int) -> tuple[Window, ...]:
        made = super().windows(rank)
        for window in made:
            if window.is_blind(None):
                raise ValueError(
                    f"padding {window.padding} is as wide as a window, which could then hold "
                    f"only padding: give at most {window.extent - 1} at each end."
                )
        return made

    @override
    def output_shape(self, shape: Shape) -> Shape:
        lengths = self.slide(shape)
        axes = self.windows_over(shape)
        for place, window in enumerate(axes):
            if window.is_blind(shape[place + 1]):
                raise self.refuse(
                    f"a {AXES[len(axes)][place]} of at least its dilation, {window.dilation}, "
                    f"so that no window holds only padding",
                    shape,
                    "use less dilation or no padding",
                )
        return (shape[0], *lengths)

    @override
    def build(self, *input_shapes: Shape) -> None:
        super().build(*input_shapes)
        self.plan(len(input_shapes[0]) + 1)

    def plan(self, dimensions: int) -> Plan:
        """Return the plan for batches with this number of dimensions, computed once.

        One layer may be used in networks of different rank, since it has no parameters.
        """
        made = self.plans.get(dimensions)
        if made is None:
            windows = self.windows(dimensions - 2)
            made = Plan.of(windows, count_include_pad=self.count_include_pad)
            self.plans[dimensions] = made
        return made


@dataclass(frozen=True, slots=True)
class Plan:
    """Plan by which torch pools batches of one rank.

    Args:
        windows: The window of each axis.
        maximum: Torch's max pooling function for this rank, and its arguments.
        average: Torch's average pooling function for this rank, and its arguments.
        pads: Padding to apply before; ``None`` if torch does all of it.
        count_include_pad: Whether padding counts as zeros in a mean.
    """

    windows: tuple[Window, ...]
    maximum: Call
    average: Call
    pads: Pads | None
    count_include_pad: bool

    @classmethod
    def of(cls, windows: tuple[Window, ...], *, count_include_pad: bool) -> Plan:
        """Return the plan for these windows."""
        padding, pads = split_padding(windows, limited=True)
        size, stride, dilation = (
            tuple(getattr(window, option) for window in windows)
            for option in ("size", "stride", "dilation")
        )
        ceil, rank = windows[0].ceil, len(windows)
        maximum = LARGEST[rank], (size, stride, padding, dilation, ceil)
        average = MEAN[rank], (size, stride, padding, ceil, count_include_pad)
        return cls(windows, maximum, average, pads, count_include_pad)

    def largest(self, x: Tensor) -> Tensor:
        """Return the largest value in each window."""
        pool, options = self.maximum
        if self.pads is None:
            return pool(x, *options)
        padded = torch.constant_pad_nd(x, self.pads(x.shape[2:]), -math.inf)
        return self.drop_windows(pool(padded, *options), x.shape[2:])

    def mean(self, x: Tensor) -> Tensor:
        """Return the mean of each window."""
        if self.pads is None:
            pool, options = self.average
            return pool(x, *options)
        means = self.padded_mean(x, self.pads)
        if self.count_include_pad:
            return means
        # The mean of ones is the fraction of each window that lies on the input.
        return means / self.padded_mean(torch.ones_like(x[:1, :1]), self.pads)

    def padded_mean(self, x: Tensor, pads: Pads) -> Tensor:
        """Return the mean of each window over input and padding."""
        pool, options = self.average
        padded = torch.constant_pad_nd(x, pads(x.shape[2:]))
        return self.drop_windows(pool(padded, *options), x.shape[2:])

    def drop_windows(self, y: Tensor, lengths: Sequence[int]) -> Tensor:
        """Drop the windows that start in the padding at the end.

        Torch drops windows that start after its input, but here its input includes the padding.
        """
        if not self.windows[0].ceil:
            return y
        starts = zip(self.windows, lengths, strict=True)
        ends = [ceil_div(length + w.pads(length)[0], w.stride) for w, length in starts]
        return y[(..., *map(slice, ends))]


def avg_pool3d(
    x: Tensor,
    size: tuple[int, ...],
    stride: tuple[int, ...],
    padding: tuple[int, ...],
    *options: bool,
) -> Tensor:
    """Average pooling as in torch, also for windows longer than the unpadded input.

    Torch's 3D function refuses such windows, unlike those in 1D and 2D. The mean along one axis
    of the means along the other two is the same.
    """
    if all(map(operator.le, size, x.shape[2:])):
        return F.avg_pool3d(x, size, stride, padding, *options)
    planes = F.avg_pool2d(x.flatten(1, 2), size[1:], stride[1:], padding[1:], *options)
    lines = planes.unflatten(1, x.shape[1:3]).flatten(3)
    y = F.avg_pool2d(lines, (size[0], 1), (stride[0], 1), (padding[0], 0), *options)
    return y.unflatten(3, planes.shape[2:])


LARGEST = {1: torch.max_pool1d, 2: torch.max_pool2d, 3: torch.max_pool3d}
MEAN = {1: torch.avg_pool1d, 2: F.avg_pool2d, 3: avg_pool3d}
