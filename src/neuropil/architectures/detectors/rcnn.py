"""The R-CNN family: detectors that propose regions of a picture and look at each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from neuropil.architectures.detectors.feature_pyramid import (
    pyramid_maps,
    small_residual,
    stage_strides,
)
from neuropil.checks import one_of, whole
from neuropil.core import Network, Shape, parallel
from neuropil.layers import (
    AnchorBoxes,
    EachRegion,
    GlobalPooling,
    Input,
    RegionBoxes,
    RegionProposals,
    Relu,
    Reshape,
    RoiAlign,
    RoiPooling,
    SelectiveSearch,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neuropil.layers.detection.anchor_options import Anchors

# Rows and columns of the features of a region, and units of the layers that look at them.
SIZE, UNITS = 7, 256
# Anchors of three areas and three shapes, at the stride of 16, as in the paper of Faster R-CNN.
AREAS, RATIOS = (128**2, 256**2, 512**2), (0.5, 1.0, 2.0)
USUAL = tuple((round((a / r) ** 0.5), round((a * r) ** 0.5)) for a in AREAS for r in RATIOS)


def faster_rcnn(
    classes: int = 20,
    *,
    anchors: Anchors = (USUAL,),
    strides: Sequence[int] = (16,),
    input_shape: Shape = (3, None, None),
    backbone: Network | None = None,
    regions: int = 100,
    width: int = 64,
) -> Network:
    """Faster R-CNN: regions proposed by the network itself, and the class and box of each.

    The backbone gives a map of features for each stride, as described for `yolo`. `AnchorBoxes`
    scores and shifts the anchors at each position of each map, `RegionProposals` takes the best
    regions, and `RoiAlign` their features of the finest map; two layers with units and
    `RegionBoxes` follow.

    Shape:
        ``(C, H, W)`` to ``(regions + A, 9 + classes)`` for A anchors, as described for
        `RegionBoxes`.

    Args:
        classes: Number of classes.
        anchors: For each stride, the width and height in pixels of each anchor.
        strides: The pixels from one position of a map to the next, powers of two from the
            smallest.
        input_shape: ``(C, H, W)``; lengths may be None.
        backbone: As for `yolo`.
        regions: Number of regions, the whole picture among them.
        width: Channels of each map.

    Raises:
        ValueError: When an option is out of its range, or the backbone has no stages.
        ShapeError: When the backbone does not take the input.

    Reference:
        Ren, He, Girshick, Sun, "Faster R-CNN: towards real-time object detection with region
        proposal networks", 2015. Here maps of several strides have anchors of their own, as in
        Lin et al., "Feature pyramid networks for object detection", 2017.

    Example:
        >>> import torch
        >>> network = faster_rcnn(3, anchors=[[(40, 40)]], strides=[16])
        >>> network(torch.zeros(1, 3, 64, 96)).shape
        torch.Size([1, 124, 12])
    """
    scored = AnchorBoxes(anchors, strides=strides)
    maps = pyramid_maps("faster_rcnn", backbone, input_shape, scored.strides, width)
    boxes = (parallel(*maps) if len(maps) > 1 else maps[0]) >> scored
    proposed = parallel(boxes, picture_of(maps[0])) >> RegionProposals(regions)
    features = looked_at(maps[0], proposed, RoiAlign(SIZE, stride=scored.strides[0]))
    return parallel(features, proposed, boxes) >> RegionBoxes(classes)


def fast_rcnn(
    classes: int = 20,
    *,
    strides: Sequence[int] = (16,),
    input_shape: Shape = (3, None, None),
    backbone: Network | None = None,
    pooling: Literal["max", "align"] = "max",
    regions: int = 100,
    width: int = 64,
) -> Network:
    """Fast R-CNN: regions by selective search, whose features come from one map.

    The backbone looks at the picture once. `RoiPooling` or `RoiAlign` takes the features of
    each region of `SelectiveSearch`; two layers with units and `RegionBoxes` follow.

    Shape:
        ``(C, H, W)``, of 1 or 3 channels, to ``(regions, 9 + classes)``, as described for
        `RegionBoxes`.

    Args:
        classes: Number of classes.
        strides: The pixels from one position of a map to the next, powers of two. The coarser
            maps are added to the finest one, which gives the features.
        input_shape: ``(C, H, W)``; lengths may be None.
        backbone: As for `yolo`.
        pooling: ``"max"`` for `RoiPooling`, as in the paper, or ``"align"`` for `RoiAlign`.
        regions: Number of regions, the whole picture among them.
        width: Channels of the map.

    Raises:
        ValueError: When an option is out of its range, or the backbone has no stages.
        ShapeError: When the backbone does not take the input.

    Reference:
        Girshick, "Fast R-CNN", 2015.

    Example:
        >>> fast_rcnn(3, regions=50, input_shape=(3, 64, 96)).output_shape
        (50, 12)
    """
    one_of(pooling, "fast_rcnn: pooling", ("max", "align"))
    strides = [whole(stride, "fast_rcnn: each of strides") for stride in strides]
    maps = pyramid_maps("fast_rcnn", backbone, input_shape, sorted(strides), width)
    proposed = picture_of(maps[0]) >> SelectiveSearch(regions)
    take = RoiPooling if pooling == "max" else RoiAlign
    features = looked_at(maps[0], proposed, take(SIZE, stride=min(strides)))
    return parallel(features, proposed) >> RegionBoxes(classes)


def rcnn(
    classes: int = 20,
    *,
    input_shape: Shape = (3, None, None),
    backbone: Network | None = None,
    regions: int = 50,
    side: int = 32,
) -> Network:
    """R-CNN: each region of selective search is cut out, resized, and looked at on its own.

    `RoiAlign` of the picture itself resizes each region of `SelectiveSearch` to one size; the
    backbone up to its last stage looks at each, and `RegionBoxes` follows.

    Shape:
        ``(C, H, W)``, of 1 or 3 channels, to ``(regions, 9 + classes)``, as described for
        `RegionBoxes`.

    Args:
        classes: Number of classes.
        input_shape: ``(C, H, W)``; lengths may be None.
        backbone: As for `yolo`; it is copied.
        regions: Number of regions, the whole picture among them.
        side: Height and width to which regions are resized.

    Raises:
        ValueError: When an option is out of its range, or the backbone has no stages.
        ShapeError: When the backbone does not take regions of this size.

    Reference:
        Girshick, Donahue, Darrell, Malik, "Rich feature hierarchies for accurate object
        detection and semantic segmentation", 2014. There the features are trained first, then
        a support vector machine for each class and the shifts; here all at once.

    Example:
        >>> rcnn(3, regions=50, input_shape=(3, 64, 96)).output_shape
        (50, 12)
    """
    picture = Input(*input_shape)
    body = small_residual(input_shape, 16) if backbone is None else backbone
    picture.load_state_dict(body.inputs[0].state_dict())  # weights expect their own mean
    stages = stage_strides("rcnn", body)
    each = body.after(body.node_names[0]).upto(stages[max(stages)]) >> GlobalPooling()
    proposed = picture >> SelectiveSearch(regions)
    cut = parallel(picture, proposed) >> RoiAlign(whole(side, "rcnn: side"))
    return parallel(cut >> EachRegion(each), proposed) >> RegionBoxes(classes)


def picture_of(features: Network) -> Network:
    """Return the input of a map of features, which shares it."""
    return features.upto(features.node_names[0])


def looked_at(features: Network, regions: Network, take: RoiAlign | RoiPooling) -> Network:
    """Return the features of each region after two layers with units."""
    count = (regions.output_shape or (None,))[0] or -1
    taken = parallel(features, regions) >> take >> Reshape(count, -1)
    return taken >> Relu(UNITS) >> Relu(UNITS)
