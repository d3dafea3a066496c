"""The default network of localisation: what is seen anywhere, and where it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.core import ShapeError, format_shape, parallel
from neuropil.layers import (
    Concatenate,
    Dropout,
    Flatten,
    GlobalPooling,
    Input,
    Linear,
    MaxPooling,
)
from neuropil.layers.blocks.block_style import Style
from neuropil.vision.detection.grid_head import BOX_NUMBERS

if TYPE_CHECKING:
    from neuropil.core import Layer, Network, Shape

# Channels of the first convolution, of the features, and of those that give the box.
FIRST_WIDTH, WIDTH, BOX_WIDTH = 16, 128, 32
# The shorter side of the features is below this.
MOST_POSITIONS = 16


def localisation_network(input_shape: Shape, classes: int, *, dropout: float = 0.2) -> Network:
    """Return the default network for pictures of one size.

    Convolutions and MaxPooling give features with 8 to 15 positions along the shorter side. The
    class comes from the mean and the maximum of each feature over all positions, so that a
    thing need not be learnt again at each place. The box depends on the place: it comes from
    all positions.

    Shape:
        ``input_shape`` to ``(5 + classes)``.

    Args:
        input_shape: ``(C, H, W)``, every length known.
        classes: Number of classes.
        dropout: Share of the features of the class dropped in training.

    Raises:
        ShapeError: If a length is not known.

    Example:
        >>> localisation_network((1, 64, 64), 10).output_shape
        (15,)
    """
    known = [length for length in input_shape if length is not None]
    if len(input_shape) != 3 or len(known) != 3:
        raise ShapeError(
            f"localisation needs pictures (C, H, W) of one size, got "
            f"{format_shape(input_shape)}: choose one with --image-size."
        )
    style, side, width = Style(), min(known[1:]), FIRST_WIDTH
    features: Layer | Network = Input(*input_shape)
    while side >= MOST_POSITIONS:
        features = features >> style.unit(width, 3) >> MaxPooling(2)
        side, width = side // 2, min(2 * width, WIDTH)
    features = features >> style.unit(WIDTH, 3) >> style.unit(WIDTH, 3)
    coarse = features >> MaxPooling(2, ceil_mode=True) >> style.unit(BOX_WIDTH, 1)
    place = coarse >> Flatten() >> Linear(BOX_NUMBERS)
    kind = features >> GlobalPooling("both") >> Dropout(dropout) >> Linear(classes)
    return parallel(place, kind) >> Concatenate()
