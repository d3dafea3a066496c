"""Selection of the best boxes of each picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from neuropil.vision.detection.matching import MOST_ANSWERS
from neuropil.vision.detection.suppression_operator import best_boxes

if TYPE_CHECKING:
    from torch import Tensor

# Boxes with lower scores change an average precision by almost nothing.
LEAST_SCORE = 0.01


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
