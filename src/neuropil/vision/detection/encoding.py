"""Boxes as the target of a grid of predictors, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

from neuropil.vision.detection.assignment import assign_boxes
from neuropil.vision.detection.grid_head import BOX_NUMBERS

if TYPE_CHECKING:
    from torch import Tensor

    from neuropil.vision.detection.grid_head import GridHead


def encode_boxes(targets: Tensor, head: GridHead, grid: tuple[int, int]) -> Tensor:
    """Return boxes as the target of the predictors of a grid.

    For each predictor of a cell the target holds p_c, b_x, b_y, b_h, b_w, c_1 … c_p. A
    predictor that is to find a box has p_c = 1, the centre and size of the box in units of its
    own cell, and 1 for its class; b_x and b_y count from the upper left corner of that cell and
    may lie outside by half a cell. All others are 0. A box is to be found by several
    predictors, as described for `assign_boxes`.

    Shape:
        ``(N, M, 5)`` to ``(N, G_h, G_w, k·(5 + p))``.

    Args:
        targets: Rows x₁, y₁, x₂, y₂, class number, in pixels; rows of a negative
            class are ignored.
        head: The predictors.
        grid: Rows and columns of the grid, G_h and G_w.

    Reference:
        Redmon, Divvala, Girshick, Farhadi, "You only look once: unified, real-time object
        detection", 2016, section 2.

    Example:
        >>> from neuropil.vision import GridHead
        >>> head = GridHead(2, strides=(8,), anchors=(((4, 4),),))
        >>> box = torch.tensor([[[9.0, 2.0, 15.0, 6.0, 1.0]]])
        >>> encode_boxes(box, head, (1, 2)).tolist()  # centre (12, 4), size 6 × 4
        [[[[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], [1.0, 0.5, 0.5, 0.5, 0.75, 0.0, 1.0]]]]
    """
    assigned = assign_boxes(targets, head, grid)
    found = boxes_of(targets, assigned)
    present = (assigned >= 0) & (found[..., 4] >= 0)
    strides = head.predictors(targets).strides
    corners = head.corners(found)
    centers = ((found[..., :2] + found[..., 2:4]) / 2 - corners) / strides
    sizes = (found[..., 2:4] - found[..., :2]).flip(-1) / strides  # b_h before b_w
    classes = F.one_hot(found[..., 4].clamp(min=0).long(), head.classes).to(targets.dtype)
    ones = torch.ones_like(found[..., :1])
    values = torch.cat((ones, centers, sizes, classes), dim=-1)
    return torch.where(present[..., None], values, 0).flatten(3)


def decode_boxes(values: Tensor, head: GridHead) -> Tensor:
    """Return the boxes of a target in the form of a grid: the inverse of `encode_boxes`.

    The score of a box is p_c · max c, its class the largest c. A predictor with p_c = 0 has no
    box: its row is 0 with class −1. For the outputs of a network see `detect_boxes`.

    Shape:
        ``(N, G_h, G_w, k·(5 + p))`` to ``(N, G_h·G_w·k, 6)``: x₁, y₁, x₂, y₂ in pixels, score,
        class number.

    Args:
        values: p_c, b_x, b_y, b_h, b_w, c_1 … c_p of each predictor: a target, or outputs of a
            network after the activation functions.
        head: The predictors.

    Reference:
        Redmon, Divvala, Girshick, Farhadi, "You only look once: unified, real-time object
        detection", 2016, section 2.

    Example:
        >>> from neuropil.vision import GridHead
        >>> head = GridHead(2, strides=(8,), anchors=(((4, 4),),))
        >>> cells = torch.tensor([[[[0.0] * 7, [0.5, 0.5, 0.5, 0.5, 0.75, 0.2, 0.8]]]])
        >>> decode_boxes(cells, head)
        tensor([[[ 0.0000,  0.0000,  0.0000,  0.0000,  0.0000, -1.0000],
                 [ 9.0000,  2.0000, 15.0000,  6.0000,  0.4000,  1.0000]]])
    """
    each = head.by_predictor(values)
    best, number = each[..., BOX_NUMBERS:].max(-1, keepdim=True)
    score = each[..., :1] * best
    rows = torch.cat((box_corners(values, head), score, number.to(each.dtype)), dim=-1)
    nothing = rows.new_tensor((0, 0, 0, 0, 0, -1))
    return torch.where(each[..., :1] > 0, rows, nothing).flatten(1, 3)


def activate(outputs: Tensor, head: GridHead) -> Tensor:
    """Return the outputs of a network as values in the form of a target.

    p_c = σ(t_c); b_x = 2σ(t_x) − ½, b_y likewise; b_w = (2σ(t_w))² · anchor width / stride, b_h
    likewise; c = softmax(t). A centre may so lie half a cell outside, and a box can be four
    times as long as its anchor, but no output makes it larger than that.

    Args:
        outputs: ``(N, G_h, G_w, k·(5 + p))``, as a network gives them.
        head: The predictors.
    """
    each = head.by_predictor(outputs)
    predictors = head.predictors(outputs)
    box = 2 * each[..., 1:5].sigmoid()
    sizes = box[..., 2:].square() * (predictors.anchors / predictors.strides).flip(-1)
    classes = each[..., BOX_NUMBERS:].softmax(-1)
    parts = (each[..., :1].sigmoid(), box[..., :2] - 0.5, sizes, classes)
    return torch.cat(parts, dim=-1).flatten(3)


def box_corners(values: Tensor, head: GridHead) -> Tensor:
    """Return the corners x₁, y₁, x₂, y₂ in pixels of each predictor's box.

    Args:
        values: As for `decode_boxes`.
        head: The predictors.

    Returns:
        ``(N, G_h, G_w, k, 4)``.
    """
    each = head.by_predictor(values)
    strides = head.predictors(values).strides
    centers = head.corners(each) + each[..., 1:3] * strides
    halves = each[..., 3:5].flip(-1) * strides / 2
    return torch.cat((centers - halves, centers + halves), dim=-1)


def boxes_of(targets: Tensor, assigned: Tensor) -> Tensor:
    """Return the box of each predictor, ``(…, 5)``; the first box where it has none.

    Args:
        targets: ``(N, M, 5)``.
        assigned: Rows of the targets, ``(N, G_h, G_w, k)``; −1 for none.
    """
    rows = assigned.clamp(min=0).flatten(1)[..., None].expand(-1, -1, targets.shape[2])
    return targets.gather(1, rows).reshape(*assigned.shape, targets.shape[2])
