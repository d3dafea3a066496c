"""Tricks: cheaper filters, a 1×1 convolution more, and a learned colour space."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neuropil.core import join
from neuropil.layers import (
    Convolution,
    FlattenedConvolution,
    Input,
    LearnedColorspace,
    Relu,
    SeparableConvolution,
)
from neuropil.layers.layer_options import LECUN
from neuropil.study.tricks.layer_variants import first_convolution, given_options, varied
from neuropil.study.tricks.trick import SetupChange, Trick, on_networks

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuropil.core import Network
    from neuropil.core.layer import Composable, Layer
    from neuropil.core.shape import Shape
    from neuropil.study.setups.rewriting import Change

# With fewer input channels, as in pictures, factored filters would have hardly any freedom.
LEAST_CHANNELS = 5
# The 1×1 convolution halves the channels, as before the 3×3 filters of GoogLeNet.
NARROWER = 2
SHARED = ("filters", "kernel_size", "stride", "padding", "dilation", "bias")


def factor(make: Callable[[Convolution, int], Composable]) -> SetupChange:
    """Return the change of all convolutions of features, except 1×1 and those in groups.

    Args:
        make: Takes a convolution and the number of its input channels; returns what takes its
            place.
    """

    def change(_: str, layer: Layer, shapes: tuple[Shape, ...]) -> Composable | None:
        if type(layer) is not Convolution or layer.groups > 1:
            return None
        channels = shapes[0][0] or 0
        points = all(window.size == 1 for window in layer.windows_over(shapes[0]))
        return None if points or channels < LEAST_CHANNELS else make(layer, channels)

    return on_networks(lambda _: change, "the network has no convolution of features to factor")


def flattened(layer: Convolution, _: int) -> Layer:
    """Return filters along single axes."""
    return FlattenedConvolution(**given_options(layer, SHARED))


def separable(activation: str | None) -> Callable[[Convolution, int], Layer]:
    """Return how to make a filter for each channel, and a 1×1 convolution."""

    def make(layer: Convolution, _: int) -> Layer:
        return SeparableConvolution(activation=activation, **given_options(layer, SHARED))

    return make


def pointwise_first(*, activates: bool) -> Callable[[Convolution, int], Composable]:
    """Return how to make a 1×1 convolution to fewer channels before a convolution."""

    def make(layer: Convolution, channels: int) -> Composable:
        narrow = Convolution(max(1, channels // NARROWER), 1, **start(activates))
        return join(narrow, *between(activates), layer)

    return make


def pointwise_last(*, activates: bool) -> Callable[[Convolution, int], Composable]:
    """Return how to make a convolution with fewer filters, and a 1×1 convolution after it."""

    def make(layer: Convolution, _: int) -> Composable:
        filters = max(1, layer.filters // NARROWER)
        first = varied(layer, filters=filters, name=None, **start(activates))
        bias = layer.arguments["bias"]
        return join(first, *between(activates), Convolution(layer.filters, 1, bias=bias))

    return make


def start(activates: bool) -> dict[str, Any]:  # noqa: FBT001 - only functions above call it
    """Return the options of a first convolution: with no rectifier after it, no bias either."""
    return {"bias": True} if activates else {"bias": False, "weight": LECUN}


def between(activates: bool) -> list[Layer]:  # noqa: FBT001 - as above
    """Return the layers between two convolutions."""
    return [Relu()] if activates else []


def point_after_first(network: Network) -> Change | str:
    """Return the change that adds a 1×1 convolution after the first one."""
    first = first_convolution(network)
    if first is None:
        return "the network has no convolution"

    def change(name: str, layer: Layer, _: tuple[Shape, ...]) -> Composable | None:
        if name != first or not isinstance(layer, Convolution):
            return None
        more = Convolution(layer.filters, 1, bias=layer.arguments["bias"])
        return join(varied(layer, bias=True), Relu(), more)

    return change


def learn_colors(_: str, layer: Layer, __: tuple[Shape, ...]) -> Composable | None:
    """Return an input of colour pictures with a learned colour space after it."""
    if not isinstance(layer, Input) or len(layer.shape) != 3 or layer.shape[0] != 3:
        return None
    return layer >> LearnedColorspace()


GROUP = "filters"
FILTER_TRICKS = (
    Trick(
        "learned_colorspace",
        "A learned colour space",
        "colour space",
        on_networks(lambda _: learn_colors, "the inputs are not pictures of 3 channels"),
        1.4,
        ("Colorspace", "RGB->10->3 VlReLU"),
    ),
    Trick(
        "pointwise_after_first",
        "A 1×1 convolution and ReLU after the first convolution",
        GROUP,
        on_networks(point_after_first, "the network has no convolution"),
        1.9,
        ("Conv1 depth", "+ 1x1x96 NiN"),
    ),
    Trick(
        "separable_filters",
        "Depthwise separable filters",
        GROUP,
        factor(separable(None)),
    ),
    Trick(
        "separable_filters_activated",
        "Depthwise separable filters with ReLU between",
        GROUP,
        factor(separable("relu")),
    ),
    Trick(
        "flattened_filters",
        "Flattened filters",
        GROUP,
        factor(flattened),
    ),
    Trick(
        "pointwise_first",
        "A 1×1 convolution to half the channels before each filter",
        GROUP,
        factor(pointwise_first(activates=False)),
    ),
    Trick(
        "pointwise_first_activated",
        "A 1×1 convolution to half the channels and ReLU before each filter",
        GROUP,
        factor(pointwise_first(activates=True)),
    ),
    Trick(
        "pointwise_last",
        "Half the filters and a 1×1 convolution after them",
        GROUP,
        factor(pointwise_last(activates=False)),
    ),
    Trick(
        "pointwise_last_activated",
        "Half the filters, ReLU and a 1×1 convolution after them",
        GROUP,
        factor(pointwise_last(activates=True)),
    ),
)
