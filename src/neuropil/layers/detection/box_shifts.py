"""Shifts from one box to another, as the R-CNN family learns them."""

from __future__ import annotations

import math

import torch
from torch import Tensor

# No shift makes a box more than this many times as long: the exponential stays finite.
MOST_GROWTH = math.log(1000 / 16)


def shift_boxes(boxes: Tensor, shifts: Tensor) -> Tensor:
    """Return boxes moved and enlarged by shifts: the inverse of `shifts_between`.

    c' = c + t_c · w and w' = w · exp(t_w) for centres and sizes, along x and y.

    Shape:
        Boxes ``(…, 4)`` of corners and shifts ``(…, 4)`` of t_x, t_y, t_w, t_h to ``(…, 4)``.

    Args:
        boxes: Where the boxes start from.
        shifts: The shifts.
    """
    sizes = boxes[..., 2:] - boxes[..., :2]
    centers = (boxes[..., :2] + boxes[..., 2:]) / 2 + shifts[..., :2] * sizes
    halves = sizes * shifts[..., 2:].clamp(max=MOST_GROWTH).exp() / 2
    return torch.cat([centers - halves, centers + halves], -1)


def shifts_between(boxes: Tensor, others: Tensor) -> Tensor:
    """Return the shifts that make other boxes of boxes.

    t_c = (c' − c)/w and t_w = log(w'/w). Sides shorter than a hundredth of a pixel count as
    that long.

    Shape:
        ``(…, 4)`` of corners, both, to ``(…, 4)``.

    Args:
        boxes: Where the boxes start from.
        others: Where they are to end.

    Reference:
        Girshick, Donahue, Darrell, Malik, "Rich feature hierarchies for accurate object
        detection and semantic segmentation", 2014, appendix C.

    Example:
        >>> box, other = torch.tensor([0.0, 0, 10, 20]), torch.tensor([5.0, 0, 15, 40])
        >>> shifts_between(box, other)
        tensor([0.5000, 0.5000, 0.0000, 0.6931])
    """
    own, new = ((each[..., 2:] - each[..., :2]).clamp(min=0.01) for each in (boxes, others))
    move = (others[..., :2] + others[..., 2:] - boxes[..., :2] - boxes[..., 2:]) / 2 / own
    return torch.cat([move, (new / own).log()], -1)
