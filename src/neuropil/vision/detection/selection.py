"""The best boxes of each picture: from the outputs of a network, or from candidates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from neuropil.vision.detection.box_task import cut_off
from neuropil.vision.detection.encoding import activate, decode_boxes
from neuropil.vision.detection.figures.matching import MOST_ANSWERS
from neuropil.vision.detection.suppression_operator import best_boxes

if TYPE_CHECKING:
    from torch import Tensor

    from neuropil.vision.detection.grid_head import GridHead

# Boxes with lower scores change an average precision by almost nothing.
LEAST_SCORE = 0.01


def detect_boxes(outputs: Tensor, head: GridHead) -> Tensor:
    """Return the boxes that a detector finds in each picture, best first.

    The activation functions are applied, the boxes are decoded and cut off at the border of the
    grid, and those remain that non-max suppression at an IoU of 0.5 keeps, with scores from
    0.01. `keep_above` drops those below a threshold.

    Shape:
        ``(N, G_h, G_w, k·(5 + p))`` to ``(N, 100, 6)``: x₁, y₁, x₂, y₂ in pixels, score, class
        number. The rows after the last box are 0 with class −1.

    Args:
        outputs: The outputs of a network that ends in `BoxGrid`.
        head: The predictors, as ``GridHead.of(network)`` returns them.

    Reference:
        Redmon, Divvala, Girshick, Farhadi, "You only look once: unified, real-time object
        detection", 2016, section 2.

    Example:
        >>> import torch
        >>> from neuropil.architectures import yolo
        >>> from neuropil.vision import GridHead
        >>> network = yolo(3, anchors=[[(20, 20)], [(50, 50)]]).eval()
        >>> head = GridHead.of(network)
        >>> detect_boxes(network(torch.zeros(2, 3, 48, 64)), head).shape
        torch.Size([2, 100, 6])
    """
    rows = decode_boxes(activate(outputs, head), head)
    # The grid covers the picture, and at most a cell more at the right and the bottom.
    height, width = outputs.shape[1] * head.cell, outputs.shape[2] * head.cell
    return select_boxes(cut_off(rows, height, width), head.classes)


def select_boxes(
    rows: Tensor,
    classes: int,
    *,
    iou: float = 0.5,
    score: float = LEAST_SCORE,
    most: int = MOST_ANSWERS,
) -> Tensor:
    """Return the best boxes of each picture after non-max suppression, best first.

    A row with numbers that are not finite is selected first, so that it is noticed.

    Shape:
        ``(N, K, 6)`` to ``(N, most, 6)``: x₁, y₁, x₂, y₂, score, class. The rows after the last
        box are 0 with class −1.

    Args:
        rows: The candidates.
        classes: Number of classes.
        iou: Boxes that overlap a better one of their class by this much are dropped.
        score: Boxes whose score is lower are dropped.
        most: The largest number of boxes of a picture.

    Example:
        >>> import torch
        >>> rows = torch.tensor([[[0.0, 0, 9, 9, 0.6, 0], [0, 0, 9, 8, 0.7, 0]]])
        >>> select_boxes(rows, 1, most=2)
        tensor([[[ 0.0000,  0.0000,  9.0000,  8.0000,  0.7000,  0.0000],
                 [ 0.0000,  0.0000,  0.0000,  0.0000,  0.0000, -1.0000]]])
    """
    finite = rows.isfinite().all(dim=-1)
    scores = torch.where(finite, rows[..., 4], torch.inf)
    boxes = torch.where(finite[..., None], rows[..., :4], 0)
    found = best_boxes(boxes, scores, rows[..., 5].long(), classes, score, iou, most)
    nothing = rows.new_tensor([0, 0, 0, 0, 0, -1])
    padded = torch.cat([rows, nothing.expand(rows.shape[0], 1, 6)], dim=1)
    # Index −1 takes the row that was added.
    places = torch.where(found < 0, rows.shape[1], found)
    return padded.gather(1, places[..., None].expand(-1, -1, 6))
