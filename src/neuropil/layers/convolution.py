"""Convolution and its transpose, in one, two and three dimensions by the rank of the input."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

import torch.nn.functional as F
from torch import Tensor
from typing_extensions import override

from neuropil.core import Layer, Shape, ShapeError
from neuropil.core.shape import per_axis, whole_number
from neuropil.core.window import Reach, Window, windows
from neuropil.init import HeNormal

if TYPE_CHECKING:
    from neuropil.core.layer import Initializer

CONVOLVE = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
TRANSPOSE = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}


class Filters(Layer):
    """What convolution and its transpose share: options, parameters, checks.

    Args:
        filters: Number of output channels K.
        kernel_size: Filter length F, one number or one an axis.
        stride: Step S.
        padding: ``"valid"``, ``"same"``, ``"full"`` or numbers.
        dilation: Distance D between the taps of a filter.
        groups: Parts into which channels are split.
        bias: Whether a number is added to each output channel.
        weight: Initialiser of the filters.
        name: Name in the network.

    Raises:
        ValueError: When an option is out of its range.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        *,
        stride: Any,
        padding: Any,
        dilation: Any,
        groups: int,
        bias: bool,
        weight: Initializer,
        name: str | None,
    ) -> None:
        super().__init__(name=name)
        own = self.__dict__
        own["filters"] = whole_number(filters, "filters")
        own["groups"] = whole_number(groups, "groups")
        if filters % groups:
            raise ValueError(f"filters must be a multiple of groups, got {filters} and {groups}.")
        own["options"] = (kernel_size, stride, dilation, padding)
        own["has_bias"] = bias
        self.initializers["weight"] = weight
        # One an axis is checked at the join, where the number of axes is known.
        if not isinstance(kernel_size, tuple | list):
            self.windows(1 if not isinstance(padding, tuple | list) else len(padding))

    def windows(self, rank: int) -> tuple[Window, ...]:
        """Return the window of each axis."""
        size, stride, dilation, padding = self.options
        return windows(rank, size, stride=stride, dilation=dilation, padding=padding)

    def channels_and_windows(self, shape: Shape) -> tuple[int, tuple[Window, ...]]:
        """Return the input channels and a window for each axis behind them.

        Raises:
            ShapeError: When the input has another rank, or its channels cannot be grouped.
        """
        if not 2 <= len(shape) <= 4:
            raise self.refuse(
                "a signal (C, L), an image (C, H, W) or a volume (C, D, H, W)",
                shape,
                "put Reshape(channels, height, width) before it, or move it in front of the "
                "Flatten() or GlobalPooling() that took the axes away",
            )
        channels = shape[0]
        if channels is None:
            raise self.refuse("a known number of channels", shape, "give it in Input(…)")
        if channels % self.groups:
            raise self.refuse(
                f"channels in a multiple of its {self.groups} groups",
                shape,
                f"choose groups from the divisors of {channels}",
            )
        try:
            return channels, self.windows(len(shape) - 1)
        except ShapeError as error:
            raise ShapeError(f"{self!r}: {error}") from None

    if TYPE_CHECKING:
        filters: int
        groups: int
        has_bias: bool
        options: tuple[Any, Any, Any, Any]
        weight: Tensor
        bias: Tensor | None
