"""YOLO: a network that sees a picture once and predicts the boxes in all its cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.architectures.detectors.feature_pyramid import pyramid_maps
from neuropil.core import parallel
from neuropil.layers import BoxGrid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neuropil.core import Network, Shape
    from neuropil.layers.detection.anchor_options import Anchors


def yolo(
    classes: int,
    *,
    anchors: Anchors,
    strides: Sequence[int] = (8, 16),
    input_shape: Shape = (3, None, None),
    backbone: Network | None = None,
    width: int = 64,
) -> Network:
    """YOLO: boxes, their objectness and their classes for every cell of a picture, in one pass.

    The backbone gives features at each stride. From the coarsest to the finest, a 1×1
    convolution of each is added to the upsampled coarser ones, so that small cells see far; a
    3×3 convolution follows, and `BoxGrid` predicts. Pictures may have any size: they are padded
    at the right and the bottom to whole cells of the largest stride.

    A backbone for small pictures, whose first stage has a stride of 1, gets the mean of each
    4×4 pixels: other backbones shrink pictures by as much before their first stage.

    The default backbone is a small residual network: two convolutions of stride 2, a residual
    block, and two more for each further halving.

    Shape:
        ``(C, H, W)`` to ``(G_h, G_w, k·(5 + classes))`` as described for `BoxGrid`, G_h =
        ⌈H/S⌉ and G_w = ⌈W/S⌉ for the largest stride S.

    Args:
        classes: Number of classes.
        anchors: For each stride, the width and height in pixels of each anchor, such as
            `kmeans_anchors` finds.
        strides: The pixels from one cell to the next, powers of two from the smallest.
        input_shape: ``(C, H, W)``; lengths may be None.
        backbone: A network with layers named ``stage1``, ``stage2`` and so on, such as an
            architecture, with random, published or trained weights, which are shared; None for
            the default one. Strides beyond its last stage get a residual block each.
        width: Channels of the features that predict.

    Raises:
        ValueError: When an option is out of its range, or the backbone has no stages.
        ShapeError: When the backbone does not take the input.

    Reference:
        Redmon, Divvala, Girshick, Farhadi, "You only look once: unified, real-time object
        detection", 2016; Redmon, Farhadi, "YOLOv3: an incremental improvement", 2018, for
        several strides; Lin, Dollár, Girshick, He, Hariharan, Belongie, "Feature pyramid
        networks for object detection", 2017, for the coarse features added to the fine ones.

    Example:
        >>> import torch
        >>> network = yolo(3, anchors=[[(20, 20)], [(50, 50)]], input_shape=(3, 240, 320))
        >>> network.output_shape
        (15, 20, 40)
        >>> from neuropil.architectures import squeezenet
        >>> any_size = yolo(3, anchors=[[(20, 20)], [(50, 50)]], backbone=squeezenet())
        >>> any_size(torch.zeros(1, 3, 50, 70)).shape
        torch.Size([1, 4, 5, 40])
    """
    last = BoxGrid(classes, anchors=anchors, strides=strides)
    maps = pyramid_maps("yolo", backbone, input_shape, last.strides, width)
    return (parallel(*maps) if len(maps) > 1 else maps[0]) >> last
