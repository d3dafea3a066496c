"""Networks for landmarks: by a heat map for each point, or by direct regression."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

from neuropil.architectures.detectors.feature_pyramid import feature_pyramid
from neuropil.checks import whole
from neuropil.core import Network, ShapeError, format_shape, parallel
from neuropil.layers import (
    Concatenate,
    Convolution,
    Dropout,
    Elementwise,
    Flatten,
    GlobalPooling,
    Linear,
    Relu,
    Reshape,
    SoftArgmax,
    Upscale,
)
from neuropil.layers.blocks.block_style import Style

if TYPE_CHECKING:
    from neuropil.core import Shape

# The strides of the features: heat maps have one position for each 4 by 4 pixels.
FINEST, COARSEST = 4, 16
# Channels of the features that a direct network flattens, and its hidden units.
FLAT_WIDTH, UNITS = 32, 128


def LandmarkNet(  # noqa: N802 - the name of the network, as people write it
    points: int,
    input_shape: Shape,
    *,
    backbone: Network | None = None,
    heat_maps: bool = True,
    width: int = 64,
    dropout: float = 0.2,
) -> Network:
    """LandmarkNet: the places of named points in a picture, and whether each is visible.

    With heat maps, the features of the backbone at strides of 16 and 8 are added to those at a
    stride of 4, and a convolution gives a map for each point, whose `SoftArgmax` is its place.
    Without, a dense network takes the coarsest features to all coordinates at once: it knows
    which places of points go together, but needs more pictures to learn from.

    Shape:
        ``(C, H, W)`` to ``(3 points)``: t_x, t_y, t_v of each point, where t_x and t_y are −1
        and 1 at the borders of the picture, and t_v is the score of being visible.

    Args:
        points: Number of points.
        input_shape: ``(C, H, W)``, every length known.
        backbone: A network with layers named ``stage1``, ``stage2`` and so on, such as an
            architecture, with random, published or trained weights, which are shared; None for
            the default one of `yolo`.
        heat_maps: Whether to see each point in a heat map of its own, or to regress directly.
        width: Channels of the features that the heat maps are made of.
        dropout: Share of the features that the direct network drops in training.

    Raises:
        ValueError: When an option is out of its range, or the backbone has no stages.
        ShapeError: When a length is not known, or the backbone does not take the input.

    Reference:
        Sun, Xiao, Wei, Liang, Wei, "Integral human pose regression", 2018, for places from heat
        maps without labels that are maps; Lin, Dollár, Girshick, He, Hariharan, Belongie,
        "Feature pyramid networks for object detection", 2017, for the features.

    Example:
        >>> LandmarkNet(68, (1, 64, 64)).output_shape
        (204,)
        >>> from neuropil.architectures import squeezenet
        >>> LandmarkNet(5, (3, 96, 96), backbone=squeezenet(), heat_maps=False).output_shape
        (15,)
    """
    points, width = (
        whole(value, f"LandmarkNet: {name}")
        for name, value in (("points", points), ("width", width))
    )
    known = [length for length in input_shape if length is not None]
    if len(input_shape) != 3 or len(known) != 3:
        raise ShapeError(
            f"LandmarkNet needs pictures (C, H, W) of one size, got "
            f"{format_shape(input_shape)}: choose one with --image-size."
        )
    features = feature_pyramid("LandmarkNet", backbone, input_shape, COARSEST)
    coarse = features[max(features)]
    style = Style()
    if not heat_maps:
        flat = coarse >> style.unit(FLAT_WIDTH, 1) >> Flatten()
        return flat >> Relu(UNITS) >> Dropout(dropout) >> Linear(3 * points)
    maps = merged(features, style, width) >> style.unit(width, 3) >> Convolution(points, 1)
    place = maps >> SoftArgmax(extent=extent_of(known[1:]))
    seen = coarse >> GlobalPooling("both") >> Linear(points) >> Reshape(points, 1)
    return parallel(place, seen) >> Concatenate(-1) >> Flatten()


def merged(features: dict[int, Network], style: Style, width: int) -> Network:
    """Return the finest features with all coarser ones added to them.

    Args:
        features: The features of a picture by their stride.
        style: The style of the convolutions.
        width: Channels of the result.
    """
    strides = sorted((stride for stride in features if stride >= FINEST), reverse=True)
    total = features[strides[0]] >> style.unit(width, 1)
    for coarse, stride in pairwise(strides):
        own = features[stride] >> style.unit(width, 1)
        total = parallel(own, total >> Upscale(coarse // stride)) >> Elementwise("add")
    return total


def extent_of(sides: list[int]) -> tuple[float, float]:
    """Return the width and height of a padded picture, in those of the picture."""
    height, width = (math.ceil(side / COARSEST) * COARSEST / side for side in sides)
    return width, height
