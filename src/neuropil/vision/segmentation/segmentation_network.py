"""The network of a segmentation: a small U-Net, or a decoder on an architecture by name."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from neuropil.architectures import unet
from neuropil.architectures.detectors.feature_pyramid import feature_pyramid
from neuropil.core import Network, Shape, join, parallel
from neuropil.core.shape import format_shapes
from neuropil.layers import (
    CellPadding,
    Concatenate,
    Convolution,
    Input,
    ResidualBlock,
    SkipConnection,
    Upscale,
)
from neuropil.layers.blocks.block_style import Style
from neuropil.layers.layer_options import LECUN
from neuropil.vision.backbone_task import named_backbone

if TYPE_CHECKING:
    from neuropil.core import Layer

# Channels of the default network at the finest resolution, and how often it halves a picture.
WIDTH, DEPTH = 16, 4
# The shortest side at the coarsest resolution.
LEAST_SIDE = 6
# The coarsest features of a backbone that are used.
COARSEST = 32


def segmentation_network(
    classes: int, input_shape: Shape, backbone: str | None = None
) -> Network:
    """Return a network that scores the classes of each pixel of a picture of any size.

    Without a backbone it is a U-Net of 16 channels. With one, its features at each stride are
    joined from the coarsest to the finest as in a U-Net, down to the pixels of the picture.

    Args:
        classes: Number of classes.
        input_shape: Shape of one picture.
        backbone: Name of an architecture whose features it is to use; ``"unet"`` for the
            published U-Net of 64 channels.

    Raises:
        ValueError: If it is not an architecture that takes pictures of any size.

    Example:
        >>> segmentation_network(3, (3, 96, 96)).output_shape
        (3, None, None)
        >>> segmentation_network(2, (1, None, None), "resnet20").output_shape
        (2, None, None)
    """
    shape = (input_shape[0], None, None)
    if backbone in (None, "unet"):
        sides = [side for side in input_shape[1:] if side is not None]
        depth = math.log2(max(2, min(sides, default=256) / LEAST_SIDE))
        size = {"width": WIDTH, "depth": min(DEPTH, int(depth)), "dropout": 0.0}
        network = unet(classes, input_shape=shape, **({} if backbone else size))
        # CellPadding puts the channels last in memory, which saves a tenth of the time.
        return Input(*shape) >> CellPadding(1) >> network.after(network.node_names[0])
    return pyramid_network(classes, shape, named_backbone(str(backbone), shape[0]))


def pyramid_network(classes: int, input_shape: Shape, backbone: Network) -> Network:
    """Return the features of a backbone, joined from the coarsest to the finest.

    Args:
        classes: Number of classes.
        input_shape: Shape of one picture.
        backbone: A network with layers named ``stage1``, ``stage2`` and so on.
    """
    style = Style()
    features = feature_pyramid("segmentation", backbone, input_shape, COARSEST)
    stride = max(features)
    picture = features[stride].upto(features[stride].node_names[0])
    merged = features[stride] >> style.unit(channels_at(stride), 3)
    while stride > 1:
        stride //= 2
        merged = merged >> Upscale(2, "bilinear") >> style.unit(channels_at(stride), 1)
        if stride == 1:
            # The features are those of a padded picture: they are cut to its own size.
            fine = picture >> style.unit(WIDTH, 3)
            merged = parallel(fine, merged) >> SkipConnection()
        elif stride in features:
            merged = parallel(features[stride], merged) >> Concatenate()
        merged = merged >> style.unit(channels_at(stride), 3)
    return join(merged, ResidualBlock(WIDTH), Convolution(classes, 1, weight=LECUN))


def channels_at(stride: int) -> int:
    """Return the number of channels of the joined features at a stride."""
    return min(128, WIDTH * stride)


def check_network(network: Network, classes: int, last: Layer) -> None:
    """Check that a network gives a score of each class for each pixel.

    Args:
        network: The network.
        classes: Number of classes.
        last: The last layer that would be right, for the message.

    Raises:
        ValueError: If it does not.
    """
    gives = tuple(shape or () for shape in network.output_shapes)
    takes = tuple(network.input_shapes[0])
    wanted = (classes, *takes[1:])
    if len(gives) == 1 and len(takes) == 3 and gives[0] == wanted:
        return
    raise ValueError(
        f"the network gives {format_shapes(gives)}, the masks need a score of each of "
        f"{classes} classes for each pixel, {format_shapes((wanted,))}: keep the size of the "
        f"picture, or restore it with Upscale, and end it with {last!r}."
    )
