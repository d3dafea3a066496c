"""Convolution in one, two or three dimensions, according to the rank of the input."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from typing_extensions import override

from neuropil.checks import whole
from neuropil.layers.layer_options import HE, Bias, Weight, initializer, known_count, set_bias
from neuropil.layers.spatial import Pads, WindowLayer, split_padding

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuropil.core import Shape
    from neuropil.core.window import Padding, Window

CONVOLVE = {1: torch.conv1d, 2: torch.conv2d, 3: torch.conv3d}


class Filters(WindowLayer):
    """Base class of all convolutions: their filters, and the channels that these take.

    Args:
        filters: Number of output channels K.
        groups: Number of groups of channels.
        bias: Whether a number is added to each output channel; or its initial value.
        weight: Initial filters: an initialiser, a number or an array.
        window: Filter length, stride, dilation and padding.
        name: Name in the network.

    Raises:
        ValueError: When an option is out of its range.
    """

    weight: Tensor
    bias: Tensor | None
    run: Callable[..., Tensor]

    def __init__(
        self,
        filters: int,
        groups: int,
        bias: Bias,
        weight: Weight,
        window: tuple[Any, Any, Any, Any],
        name: str | None,
    ) -> None:
        super().__init__(*window, name=name)
        who = type(self).__name__
        self.filters = whole(filters, f"{who}: filters")
        self.groups = whole(groups, f"{who}: groups")
        if filters % groups:
            raise ValueError(
                f"{who}: filters must be a multiple of groups, got {filters} and {groups}."
            )
        self.initializers["weight"] = initializer(weight, f"{who}: weight")
        self.has_bias = set_bias(self, bias, "bias")

    def channels(self, shape: Shape) -> int:
        """Return the number of input channels.

        Raises:
            ShapeError: When that number is free, or the groups do not divide it.
        """
        channels = shape[0]
        if channels is None:
            raise self.refuse("a known number of channels", shape, "give it in Input(…)")
        if channels % self.groups:
            raise self.refuse(
                f"a number of channels that its {self.groups} groups divide",
                shape,
                f"choose groups that divide {channels}",
            )
        return channels

    @override
    def output_shape(self, shape: Shape) -> Shape:
        lengths = self.slide(shape)
        self.channels(shape)
        return (self.filters, *lengths)

    def filter_shapes(
        self, first: int, second: int, windows: tuple[Window, ...]
    ) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the parameters, given the first two lengths of the weight."""
        shapes = {"weight": (first, second, *(window.size for window in windows))}
        return {**shapes, "bias": (self.filters,)} if self.has_bias else shapes

    def filter_cost(self, shape: Shape, positions: Shape) -> int:
        """Return the multiply–adds of all filters at the given output positions.

        Raises:
            ShapeError: When a length is free.
        """
        weight = self.parameter_shapes(shape)["weight"]
        known_count(self, shape)
        return math.prod(weight) * known_count(self, positions)


class Convolution(Filters):
    """Slide K filters over a signal, an image or a volume.

    y[k, o] = b[k] + Σ_c Σ_t w[k, c, t] · x[c, S·o + D·t − P_start], with zeros for x outside
    (cross-correlation, as usual in deep learning). The rank of the input determines the number
    of axes of o and t.

    Shape:
        ``(C, L)``, ``(C, H, W)`` or ``(C, D, H, W)`` to ``(K, …)`` of the same rank. With
        F' = D(F − 1) + 1 each axis of length I becomes
        O = ⌊(I − F' + P_start + P_end)/S⌋ + 1; free axes stay free. ``weight`` has shape
        ``(K, C/groups, F, …)``, ``bias`` ``(K)``: (F·F·C/groups + 1)·K parameters.

    Args:
        filters: Number of filters K, the output channels.
        kernel_size: Filter length F, one number or one per axis.
        stride: Step S between neighbouring windows, one number or one per axis.
        padding: Zeros around the input. ``"valid"``: none. ``"same"``: O = ⌈I/S⌉, in all max(0,
            S⌈I/S⌉ − I + F' − S) zeros, the smaller half at the start. ``"full"``: F' − 1 at
            both ends. A number: that many zeros at both ends. Or one of these per axis, where
            an axis may also have its own (start, end); with a single axis, ``(1, 2)`` means
            start and end.
        dilation: Distance D between neighbouring taps of a filter, one number or one per axis.
        groups: Number of groups of channels: each filter takes C/groups of them.
            ``groups=C`` is a depthwise convolution.
        bias: Whether b is added, starting at zero; or its initial value: a number, an array or
            an initialiser. Without b the layer has no such parameter.
        weight: Initial filters: an initialiser, a number or an array; by default
            ``HeNormal()``, 2/fan_in, which preserves the variance of the signal through any
            number of layers with a `Relu` after each. Without a rectifier, use
            ``HeNormal(gain=1)``. The array has the shape of the parameter, (filters, C/groups,
            *kernel). Files keep the weights but not the array: after loading,
            ``reset_parameters`` draws by the default.
        name: Name in the network, in place of ``convolution1``.

    Raises:
        ValueError: When an option is out of its range.
        ShapeError: When the input has no axes after the channels, one that is too short, or
            channels that the groups do not divide.

    Reference:
        Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", 2016.

    Example:
        >>> import torch
        >>> from neuropil.init import Constant
        >>> from neuropil.layers import Input
        >>> network = Input(1, 4) >> Convolution(1, 2, stride=2, weight=Constant(1))
        >>> network(torch.tensor([[[1.0, 2.0, 3.0, 4.0]]])).tolist()
        [[[3.0, 7.0]]]
        >>> sobel = torch.tensor([[[[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]]]])
        >>> edges = Input(1, 8, 8) >> Convolution(1, 3, weight=sobel, bias=False)
        >>> (Input(3, 32, None) >> Convolution(8, 5, stride=2, padding="same")).output_shape
        (8, 16, None)
        >>> Input(3, 4, 4) >> Convolution(8, 5)
        Traceback (most recent call last):
            ...
        neuropil.core.shape.ShapeError: Input(3, 4, 4) gives (3, 4, 4). Convolution(8, 5) needs
        a height of at least 5, got (3, 4, 4): make its window smaller, give it padding="same",
        or shrink less before it.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int | tuple[int, ...],
        *,
        stride: int | tuple[int, ...] = 1,
        padding: Padding = "valid",
        dilation: int | tuple[int, ...] = 1,
        groups: int = 1,
        bias: Bias = True,
        weight: Weight = HE,
        name: str | None = None,
    ) -> None:
        window = (kernel_size, stride, dilation, padding)
        super().__init__(filters, groups, bias, weight, window, name)

    @override
    def parameter_shapes(self, shape: Shape) -> dict[str, tuple[int, ...]]:
        windows = self.windows_over(shape)
        return self.filter_shapes(self.filters, self.channels(shape) // self.groups, windows)

    @override
    def multiply_adds(self, shape: Shape) -> int:
        return self.filter_cost(shape, self.slide(shape))

    @override
    def makes_new(self, inputs: int) -> bool:
        return True

    @override
    def build(self, *input_shapes: Shape) -> None:
        super().build(*input_shapes)
        # The rank is known now and never changes: everything that depends on it is chosen here,
        # so that `forward` is one call. Lengths may change between networks and between calls.
        self.run, self.pads, self.how = plan(self.windows_over(*input_shapes), self.groups)

    @override
    def forward(self, x: Tensor) -> Tensor:
        if self.pads is not None:
            x = torch.constant_pad_nd(x, self.pads(x.shape[2:]))
        return self.run(x, self.weight, self.bias, *self.how)


How = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...], int]


@functools.lru_cache(maxsize=1024)  # the layers of a network are much alike
def plan(
    windows: tuple[Window, ...], groups: int
) -> tuple[Callable[..., Tensor], Pads | None, How]:
    """Return torch's function, the padding to apply before it, and its arguments."""
    padding, pads = split_padding(windows)
    strides = tuple(window.stride for window in windows)
    dilations = tuple(window.dilation for window in windows)
    return CONVOLVE[len(windows)], pads, (strides, padding, dilations, groups)
