"""The best boxes of each picture, from the outputs of a network that looks at regions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from neuropil.layers.detection.box_shifts import shift_boxes
from neuropil.vision.detection.selection import select_boxes

if TYPE_CHECKING:
    from torch import Tensor

    from neuropil.vision.regions.region_head import RegionHead


def detect_regions(outputs: Tensor, head: RegionHead) -> Tensor:
    """Return the boxes that a network of the R-CNN family finds in each picture, best first.

    Each region is shifted, cut off at the border of the picture, and given its likeliest class,
    with the probability of that class as its score. Non-max suppression at an IoU of 0.5
    follows, and scores from 0.01 remain.

    Shape:
        ``(N, R + A, 9 + p)`` to ``(N, 100, 6)``: x₁, y₁, x₂, y₂ in pixels, score, class number.
        The rows after the last box are 0 with class −1.

    Args:
        outputs: The outputs of a network that ends in `RegionBoxes`.
        head: The form of the outputs, as ``RegionHead.of(network)`` returns it.

    Reference:
        Girshick, "Fast R-CNN", 2015, section 3. There a region may be a box of several classes.

    Example:
        >>> import torch
        >>> from neuropil.architectures import faster_rcnn
        >>> from neuropil.vision import RegionHead
        >>> network = faster_rcnn(3, anchors=[[(20, 20)]], strides=[16]).eval()
        >>> detect_regions(network(torch.zeros(2, 3, 48, 64)), RegionHead.of(network)).shape
        torch.Size([2, 100, 6])
    """
    regions, _ = head.parts(outputs)
    score, number = regions.scores.softmax(-1)[..., 1:].max(-1)
    has_area = (regions.starts[..., 2:] > regions.starts[..., :2]).all(-1)
    boxes = shift_boxes(regions.starts, regions.shifts)
    # The first region is the whole picture.
    ends = regions.starts[:, :1, 2:].repeat(1, 1, 2)
    boxes = torch.minimum(boxes.clamp(min=0), ends)
    rows = [
        boxes,
        torch.where(has_area, score, 0)[..., None],
        number.to(score.dtype)[..., None],
    ]
    return select_boxes(torch.cat(rows, -1), head.classes)
