"""The loss of the R-CNN family: of the regions, and of the anchors if there are any."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
import torch.nn.functional as F

from neuropil.layers.detection.box_shifts import shifts_between
from neuropil.vision.boxes.iou import iou
from neuropil.vision.regions.region_head import UNIT

if TYPE_CHECKING:
    from torch import Tensor

    from neuropil.vision.regions.region_head import RegionHead, Rows

# Of regions and of anchors: the IoU from which one is of a thing and below which it is of none,
# the number that counts in a picture, and the largest part of it that is of things.
REGIONS = (0.5, 0.5, 128, 0.25)
ANCHORS = (0.7, 0.3, 256, 0.5)
# Errors of shifts above this count linearly.
BEND = 1 / 9


def region_loss(outputs: Tensor, targets: Tensor, head: RegionHead) -> Tensor:
    """Measure how far the classes and boxes of regions are from the true ones.

    J = Σ w · CE(c) + Σ over things w · smooth L1(t), of the regions, and likewise of the
    anchors, whose c is whether there is a thing.

    A region is of the thing with which its IoU is largest if that is at least ½, and else of
    none. An anchor is of a thing from 0.7 on, or if none has a larger IoU with that thing, and
    of none below 0.3. In the papers 128 regions, at most a quarter of them of things, and 256
    anchors, at most half of them of things, are drawn from each picture. Here each counts with
    the probability w to be drawn, over that number: the mean of the loss over all draws.

    Shape:
        Outputs ``(N, R + A, 9 + p)``, targets ``(N, M, 5)`` to ``(N)``.

    Args:
        outputs: The outputs of a network that ends in `RegionBoxes`.
        targets: Rows x₁, y₁, x₂, y₂, class number, in pixels; −1 marks padding, a class below
            it a box that counts neither for nor against.
        head: The form of the outputs, as ``RegionHead.of(network)`` returns it.

    Reference:
        Girshick, "Fast R-CNN", 2015, section 2.3. Ren, He, Girshick, Sun, "Faster R-CNN:
        towards real-time object detection with region proposal networks", 2015, section 3.1.

    Example:
        >>> import torch
        >>> from neuropil.vision import RegionHead
        >>> box = torch.tensor([[[0.0, 0, 10, 10, 1]]])
        >>> right = torch.tensor([[[0.0, 0, 10, 10, 0, 0, 0, 0, -9, -9, 9]]])
        >>> region_loss(right, box, RegionHead(2, 1)) < 0.01
        tensor([True])
        >>> region_loss(right, box - 2, RegionHead(2, 1))  # of no thing
        tensor([18.])
    """
    regions, anchors = head.parts(outputs)
    found = match_rows(regions, targets, *REGIONS[:2])
    entropy = F.cross_entropy(regions.scores.movedim(-1, 1), found.classes, reduction="none")
    total = shared_loss(regions, found, entropy, UNIT, *REGIONS[2:])
    if not anchors.starts.shape[1]:
        return total
    found = match_rows(anchors, targets, *ANCHORS[:2], best_too=True)
    entropy = F.binary_cross_entropy_with_logits(
        anchors.scores[..., 0], found.is_thing.to(outputs.dtype), reduction="none"
    )
    return total + shared_loss(anchors, found, entropy, 1.0, *ANCHORS[2:])


class Match(NamedTuple):
    """The things that rows are of.

    Attributes:
        is_thing: Whether a row is of a thing, ``(N, K)``.
        is_none: Whether it is of none.
        classes: 0 for none, then the class of the thing and 1.
        boxes: The box of the thing.
    """

    is_thing: Tensor
    is_none: Tensor
    classes: Tensor
    boxes: Tensor


def match_rows(
    rows: Rows, targets: Tensor, least: float, most: float, *, best_too: bool = False
) -> Match:
    """Return the things that rows are of.

    Args:
        rows: The rows.
        targets: The boxes.
        least: The IoU from which a row is of a thing.
        most: The IoU below which it is of none.
        best_too: Whether the rows with the largest IoU with a thing are of it anyway.
    """
    overlap = iou(rows.starts, targets[..., :4])
    counts = targets[:, None, :, 4] >= 0
    own = overlap.where(counts, 0)
    # A column of zeros, so that there is always a largest.
    value, place = F.pad(own, (0, 1)).max(-1)
    is_thing = value >= least
    if best_too:
        is_thing = is_thing | ((own == own.amax(1, keepdim=True)) & (own > 0)).any(-1)
    spared = overlap.where(targets[:, None, :, 4] < -1, 0) >= least
    has_area = (rows.starts[..., 2:] > rows.starts[..., :2]).all(-1)
    is_none = (value < most) & ~is_thing & ~spared.any(-1) & has_area
    padded = F.pad(targets, (0, 0, 0, 1))
    boxes = padded.gather(1, place[..., None].expand(-1, -1, 5))
    classes = torch.where(is_thing, boxes[..., 4].long() + 1, 0)
    return Match(is_thing, is_none, classes, boxes[..., :4])


def shared_loss(
    rows: Rows, found: Match, entropy: Tensor, unit: float, count: int, share: float
) -> Tensor:
    """Return the loss of each picture: that of the classes and that of the shifts.

    Args:
        rows: The rows.
        found: The things that they are of.
        entropy: The cross entropy of each row.
        unit: The unit of the shifts.
        count: The number of rows that are drawn from a picture.
        share: The largest part of them that is of things.
    """
    is_thing, is_none = found.is_thing.to(entropy.dtype), found.is_none.to(entropy.dtype)
    things, others = is_thing.sum(1, keepdim=True), is_none.sum(1, keepdim=True)
    drawn = things.clamp(max=share * count)
    rest = torch.minimum(others, count - drawn)
    number = (drawn + rest).clamp(min=1)
    of_things = is_thing * (drawn / things.clamp(min=1))
    weight = (of_things + is_none * (rest / others.clamp(min=1))) / number
    # The shifts of rows that are of none lead nowhere, and may be of boxes without area.
    right = shifts_between(rows.starts, found.boxes).masked_fill(~found.is_thing[..., None], 0)
    misfit = F.smooth_l1_loss(rows.shifts / unit, right / unit, beta=BEND, reduction="none")
    return (weight * entropy).sum(1) + (of_things / number * misfit.sum(-1)).sum(1)
