"""Tricks: other layers between the features of a picture and the outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neuropil.core import join
from neuropil.layers import (
    Convolution,
    Flatten,
    GlobalPooling,
    Identity,
    Linear,
    SpatialPyramidPooling,
)
from neuropil.layers.activations.base import Activation
from neuropil.layers.layer_options import LECUN
from neuropil.study.tricks.layer_variants import (
    first_convolution,
    given_options,
    without_units,
)
from neuropil.study.tricks.output_layers import output_layers
from neuropil.study.tricks.trick import Plan, SetupChange, Trick, on_networks

if TYPE_CHECKING:
    from neuropil.core import Layer, Network
    from neuropil.core.layer import Composable
    from neuropil.core.shape import Shape
    from neuropil.study.setups.rewriting import Change

TABLE = "CLF architecture"
# The length of the filters of the first dense layer as a convolution; the others see points.
FIRST = 3
# The bins along each axis of a pyramid.
LEVELS = (1, 2, 4)


def in_place_of_flattening(make: Plan, lacking: str) -> SetupChange:
    """Return a change that needs flattened features of convolutions.

    Args:
        make: The plan.
        lacking: Why the trick does not apply if no layer was changed.
    """

    def plan(network: Network) -> Change | str:
        if first_convolution(network) is None:
            return "the network has no convolution"
        return make(network)

    return on_networks(plan, lacking)


def flattens(layer: Layer, shapes: tuple[Shape, ...]) -> bool:
    """Return whether a layer makes a vector of a picture's features with their places."""
    return isinstance(layer, Flatten | SpatialPyramidPooling) and len(shapes[0]) == 3


def convolutional(network: Network) -> Change:
    """Return the change of dense layers to convolutions, with averaged predictions."""
    ends, seen = output_layers(network), set[str]()

    def change(name: str, layer: Layer, shapes: tuple[Shape, ...]) -> Composable | None:
        if flattens(layer, shapes):
            return Identity()
        if not isinstance(layer, Activation) or layer.units is None or len(shapes[0]) != 3:
            return None
        length = 1 if seen - {name} else FIRST
        seen.add(name)
        start: dict[str, Any] = {"weight": LECUN} if name in ends else {}
        own = start | given_options(layer, ("bias", "weight"))
        affine = Convolution(layer.units, length, padding="same", **own)
        mean = [GlobalPooling("avg")] if name in ends else []
        active = [] if isinstance(layer, Linear) else [without_units(layer)]
        return join(affine, *mean, *active)

    return change


def averaged(_: Network) -> Change:
    """Return the change of flattened features to the mean of each channel."""
    return lambda _, layer, shapes: GlobalPooling("avg") if flattens(layer, shapes) else None


def pyramid(_: Network) -> Change:
    """Return the change of flattened features to maxima in coarse and fine bins."""

    def change(_: str, layer: Layer, shapes: tuple[Shape, ...]) -> Layer | None:
        if type(layer) is not Flatten or not flattens(layer, shapes):
            return None
        small = any(side is None or side < max(LEVELS) for side in shapes[0][1:])
        return None if small else SpatialPyramidPooling(LEVELS)

    return change


GROUP = "head"
NO_FLATTENING = "the network does not flatten features that have a place"
HEAD_TRICKS = (
    Trick(
        "convolutional_head",
        "Dense layers as convolutions, with averaged predictions",
        GROUP,
        in_place_of_flattening(convolutional, NO_FLATTENING),
        4.0,
        (TABLE, "pool5pad_fc6ave_fc7as1x1fc8ave"),
    ),
    Trick(
        "global_average_pooling",
        "The mean of each channel in place of all features",
        GROUP,
        in_place_of_flattening(averaged, NO_FLATTENING),
    ),
    Trick(
        "spatial_pyramid_pooling",
        "Maxima in 1, 2×2 and 4×4 bins in place of all features",
        GROUP,
        in_place_of_flattening(
            pyramid, "the network does not flatten features of 4×4 positions or more"
        ),
        1.2,
        (TABLE, "SPP3-FC-FC"),
    ),
)
