"""The network of a detector, on the default backbone or on an architecture by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.architectures import fast_rcnn, faster_rcnn, rcnn, yolo
from neuropil.vision.backbone_task import named_backbone
from neuropil.vision.detection.grid_head import GridHead
from neuropil.vision.regions.region_head import RegionHead

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuropil.core import Layer, Network, Shape

# The networks that look at regions, with what they take of the predictors of a grid.
REGION_NETWORKS: dict[str, tuple[Callable[..., Network], tuple[str, ...]]] = {
    "rcnn": (rcnn, ()),
    "fast_rcnn": (fast_rcnn, ("strides",)),
    "faster_rcnn": (faster_rcnn, ("strides", "anchors")),
}


def detection_network(
    head: GridHead, input_shape: Shape, backbone: str | None = None
) -> Network:
    """Return a detector.

    Args:
        head: Its predictors.
        input_shape: Shape of one picture.
        backbone: Name of an architecture whose features it is to use, or of a network that
            looks at regions; None for `yolo` with its own features.

    Raises:
        ValueError: If it is not an architecture that takes pictures of any size.

    Example:
        >>> from neuropil.vision import GridHead
        >>> head = GridHead(2, strides=(8,), anchors=(((20, 20),),))
        >>> detection_network(head, (3, 64, 64), "squeezenet").output_shape
        (8, 8, 7)
    """
    if backbone in REGION_NETWORKS:
        build, taken = REGION_NETWORKS[backbone]
        options = {name: getattr(head, name) for name in taken}
        return build(head.classes, input_shape=input_shape, **options)
    body = None if backbone is None else named_backbone(backbone, input_shape[0])
    return yolo(
        head.classes,
        anchors=head.anchors,
        strides=head.strides,
        input_shape=input_shape,
        backbone=body,
    )


def head_of(network: Network) -> GridHead | RegionHead | None:
    """Return the form of a detector's output, or None if the network is not a detector."""
    return GridHead.of(network) or RegionHead.of(network)


def check_network(network: Network, classes: int, last: Layer) -> None:
    """Check that a network ends in the predictors of boxes, or in the boxes of regions.

    Args:
        network: The network.
        classes: Number of classes.
        last: The last layer that would be right, for the message.

    Raises:
        ValueError: If it does not, or they are for another number of classes.
    """
    head = head_of(network)
    if head is None or head.classes != classes:
        gives = "other outputs" if head is None else f"boxes of {head.classes} classes"
        raise ValueError(
            f"the network gives {gives}, the data has boxes of {classes} classes: end it with "
            f"{last!r}."
        )
