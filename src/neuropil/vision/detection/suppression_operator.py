"""Non-max suppression as one operator, so that exported files can hold it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from neuropil.runs.exporting.own_operator import OwnOperator
from neuropil.vision.boxes.non_max_suppression import batched_non_max_suppression

if TYPE_CHECKING:
    from collections.abc import Callable

# Number of the type of 64-bit integers in ONNX.
INT64 = 7


@torch.library.custom_op("neuropil::best_boxes", mutates_args=())
def best_boxes(
    boxes: Tensor,
    scores: Tensor,
    numbers: Tensor,
    classes: int,
    score: float,
    iou: float,
    most: int,
) -> Tensor:
    """Return the indices of the best boxes of each picture after non-max suppression.

    It is `batched_non_max_suppression`, into which an exporter cannot look.

    Shape:
        ``(N, K, 4)``, ``(N, K)`` and ``(N, K)`` to ``(N, most)``, filled up with −1.

    Args:
        boxes: The candidates of N pictures.
        scores: Their scores, not below 0.
        numbers: Their class numbers.
        classes: Number of classes.
        score: Boxes whose score is lower are dropped.
        iou: Boxes that overlap a better one of their class by this much are dropped.
        most: The largest number of boxes of a picture.
    """
    del classes  # which only ONNX needs
    return batched_non_max_suppression(boxes, scores, numbers, score=score, iou=iou, most=most)


@best_boxes.register_fake
def result_like(
    boxes: Tensor,
    scores: Tensor,
    numbers: Tensor,
    classes: int,
    score: float,
    iou: float,
    most: int,
) -> Tensor:
    """Return a tensor of the shape of the result."""
    del boxes, numbers, classes, score, iou
    return torch.empty((scores.shape[0], most), dtype=torch.int64, device=scores.device)


def best_boxes_in_torch(
    boxes: Tensor,
    scores: Tensor,
    numbers: Tensor,
    classes: int,
    score: float,
    iou: float,
    most: int,
) -> Tensor:
    """Return the result of `best_boxes` by operators of PyTorch: one box at each turn."""
    from torch._higher_order_ops.while_loop import while_loop  # exported as one operator

    del classes
    pick = turn_of(boxes, numbers, iou, most)

    def is_on(turn: Tensor, left: Tensor, found: Tensor) -> Tensor:
        del left, found
        return turn < most

    return while_loop(is_on, pick, first_turn(scores, score, most))[2]


Turn = tuple[Tensor, Tensor, Tensor]


def first_turn(scores: Tensor, score: float, most: int) -> Turn:
    """Return the number of the first turn, the scores of the boxes left, and those found."""
    begin = torch.zeros((), dtype=torch.int64, device=scores.device)
    left = torch.where(scores >= score, scores, -1.0)
    found = torch.full((scores.shape[0], most), -1, dtype=torch.int64, device=scores.device)
    return begin, left, found


def turn_of(boxes: Tensor, numbers: Tensor, iou: float, most: int) -> Callable[..., Turn]:
    """Return a function that finds the best box left, and drops those that overlap it."""
    areas = (boxes[..., 2:] - boxes[..., :2]).prod(-1)
    turns = torch.arange(most, device=boxes.device)

    def pick(turn: Tensor, left: Tensor, found: Tensor) -> Turn:
        value, place = left.max(1, keepdim=True)
        best = boxes.gather(1, place[..., None].expand(-1, -1, 4))
        ends = torch.minimum(boxes[..., 2:], best[..., 2:])
        common = (ends - torch.maximum(boxes[..., :2], best[..., :2])).clamp(min=0).prod(-1)
        union = areas + areas.gather(1, place) - common
        is_own = numbers == numbers.gather(1, place)
        overlaps = (common >= iou * union) & (common > 0) & is_own
        left = torch.where(overlaps, -1.0, left).scatter(1, place, -1.0)
        found = torch.where(turns == turn, torch.where(value < 0, -1, place), found)
        return turn + 1, left, found

    return pick


def best_boxes_in_onnx(
    boxes: Any, scores: Any, numbers: Any, classes: int, score: float, iou: float, most: int
) -> Any:
    """Write `best_boxes` with the operators of ONNX: NonMaxSuppression, then TopK.

    ONNX takes scores of every box for every class, and gives triples of picture, class, box.
    """
    from onnxscript import opset18 as op

    each_class = op.Constant(value_ints=list(range(classes)))
    is_own = op.Equal(
        op.Unsqueeze(op.Cast(numbers, to=INT64), op.Constant(value_ints=[1])),
        op.Unsqueeze(each_class, op.Constant(value_ints=[0, 2])),
    )
    nothing = op.Constant(value_float=0.0)
    by_class = op.Where(is_own, op.Unsqueeze(scores, op.Constant(value_ints=[1])), nothing)
    kept = op.NonMaxSuppression(
        boxes,
        by_class,
        op.Constant(value_ints=[most]),
        op.Constant(value_floats=[iou]),
        op.Constant(value_floats=[score]),
    )
    places = op.Gather(kept, op.Constant(value_ints=[0, 2]), axis=1)
    none = op.Constant(value_float=-1.0)
    found = op.ScatterND(op.Expand(none, op.Shape(scores)), places, op.GatherND(scores, places))
    # TopK needs at least as many candidates as it gives.
    padded = op.Pad(found, op.Constant(value_ints=[0, 0, 0, most]), none)
    best, order = op.TopK(padded, op.Constant(value_ints=[most]), axis=1)
    return op.Where(op.Greater(best, none), order, op.Constant(value_int=-1))


OPERATOR = OwnOperator(
    torch.ops.neuropil.best_boxes.default, best_boxes_in_torch, best_boxes_in_onnx
)
"""The operator with its forms in exported files."""
