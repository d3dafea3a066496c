"""Non-max suppression of proposed regions as one operator, which exported files can hold."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from neuropil.runs.exporting.own_operator import OwnOperator
from neuropil.vision.boxes.non_max_suppression import batched_non_max_suppression
from neuropil.vision.detection.suppression_operator import (
    INT64,
    best_boxes_in_onnx,
    first_turn,
    turn_of,
)


@torch.library.custom_op("neuropil::propose_boxes", mutates_args=())
def propose_boxes(boxes: Tensor, scores: Tensor, iou: float, most: int) -> Tensor:
    """Return the indices of the best boxes of each picture after non-max suppression.

    Shape:
        ``(N, K, 4)`` and ``(N, K)`` to ``(N, most)``, filled up with −1.

    Args:
        boxes: The candidates of N pictures.
        scores: Their scores; those below 0 do not count.
        iou: Boxes that overlap a better one by this much are dropped.
        most: The largest number of boxes of a picture.
    """
    return batched_non_max_suppression(boxes, scores, score=0, iou=iou, most=most)


@propose_boxes.register_fake
def result_like(boxes: Tensor, scores: Tensor, iou: float, most: int) -> Tensor:
    """Return a tensor of the shape of the result."""
    del boxes, iou
    return torch.empty((scores.shape[0], most), dtype=torch.int64, device=scores.device)


def propose_boxes_in_torch(boxes: Tensor, scores: Tensor, iou: float, most: int) -> Tensor:
    """Return the result of `propose_boxes` by operators of PyTorch.

    The turns are written one after the other: PyTorch cannot export two loops in one network,
    and the answers of a detector take one.
    """
    pick = turn_of(boxes, torch.zeros_like(scores), iou, most)
    state = first_turn(scores, 0.0, most)
    for _ in range(most):
        state = pick(*state)
    return state[2]


def propose_boxes_in_onnx(boxes: Any, scores: Any, iou: float, most: int) -> Any:
    """Write `propose_boxes` with the operators of ONNX, as for boxes of one class."""
    from onnxscript import opset18 as op

    numbers = op.Cast(op.Mul(scores, op.Constant(value_float=0.0)), to=INT64)
    return best_boxes_in_onnx(boxes, scores, numbers, 1, 0.0, iou, most)


OPERATOR = OwnOperator(
    torch.ops.neuropil.propose_boxes.default, propose_boxes_in_torch, propose_boxes_in_onnx
)
"""The operator with its forms in exported files."""
