"""Non-max suppression: of boxes that overlap, the one with the best score stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from neuropil.checks import number, whole
from neuropil.vision.boxes.candidates import Candidates, best_first, candidates
from neuropil.vision.boxes.device_suppression import suppress_on_device

if TYPE_CHECKING:
    from torch import Tensor


def non_max_suppression(
    boxes: Tensor,
    scores: Tensor,
    classes: Tensor | None = None,
    *,
    score: float = 0.6,
    iou: float = 0.5,
) -> Tensor:
    """Return the indices of the boxes that remain of overlapping ones, best first.

    Boxes with ``p < score`` are dropped. Of the others the best is kept, and every box of its
    class with ``IoU ≥ iou`` is dropped; then the best of the rest, and so on. Of equal scores
    the lower index is the better one. The time is near-linear for ``iou ≥ ½``: a box is
    compared only with the kept boxes around it.

    torchvision and ONNX's ``NonMaxSuppression`` drop boxes with ``IoU > iou``, and ONNX drops
    ``p ≤ score``: they differ where a value equals the threshold.

    Shape:
        boxes ``(N, 4)`` of corners x₁, y₁, x₂, y₂ in any unit, scores ``(N)``, classes ``(N)``
        → ``(K)`` indices of int64, on the device of the boxes.

    Args:
        boxes: The boxes, in any order. One without area overlaps nothing, as in `iou`.
        scores: Their probabilities, or any other scores.
        classes: Their classes as integers; boxes of different classes are not compared. None:
            all are of one class.
        score: Boxes whose score is lower are dropped.
        iou: Boxes that overlap a better one of their class by this much are dropped, in (0, 1].

    Raises:
        ValueError: If shapes do not fit, a box or a score is NaN, or an option is not allowed.

    Reference:
        Girshick et al., "Rich Feature Hierarchies for Accurate Object Detection and Semantic
        Segmentation", 2014, §2.2.

    Example:
        >>> import torch
        >>> boxes = torch.tensor(
        ...     [[0, 0, 10, 10], [1, 0, 11, 10], [20, 0, 30, 10], [0, 0, 9, 9]]
        ... )
        >>> scores = torch.tensor([0.8, 0.9, 0.7, 0.5])
        >>> non_max_suppression(boxes, scores)  # box 0 overlaps box 1, the score of 3 is low
        tensor([1, 2])
        >>> non_max_suppression(boxes, scores, torch.tensor([0, 1, 1, 0]), score=0)
        tensor([1, 0, 2])
    """
    given = candidates("non_max_suppression", boxes, scores, classes, "(N)")
    one = Candidates(*(part.unsqueeze(0) for part in given))
    kept = suppress("non_max_suppression", one, score, iou, most=given.scores.shape[0])[0]
    return kept[kept >= 0]


def batched_non_max_suppression(
    boxes: Tensor,
    scores: Tensor,
    classes: Tensor | None = None,
    *,
    score: float = 0.6,
    iou: float = 0.5,
    most: int = 100,
) -> Tensor:
    """Return the indices of the boxes that remain of several pictures, best first.

    `non_max_suppression` of each picture, cut off after its best `most` boxes of all classes.

    Shape:
        boxes ``(N, K, 4)`` of corners, scores ``(N, K)``, classes ``(N, K)`` → ``(N, most)``
        indices of int64 within the K candidates of the picture, filled up with −1.

    Args:
        boxes: The candidates of N pictures.
        scores: Their scores. Fill up pictures that have fewer than K with a low score.
        classes: Their classes as integers; None: all are of one class.
        score: Boxes whose score is lower are dropped.
        iou: Boxes that overlap a better one of their class by this much are dropped, in (0, 1].
        most: The largest number of boxes of a picture.

    Raises:
        ValueError: If shapes do not fit, a box or a score is NaN, or an option is not allowed.

    Example:
        >>> import torch
        >>> boxes = torch.tensor([[0, 0, 10, 10], [1, 0, 11, 10], [20, 0, 30, 10]])
        >>> scores = torch.tensor([[0.8, 0.9, 0.7], [0.9, 0.8, 0.1]])
        >>> batched_non_max_suppression(boxes.expand(2, 3, 4), scores, most=3)
        tensor([[ 1,  2, -1],
                [ 0, -1, -1]])
    """
    given = candidates("batched_non_max_suppression", boxes, scores, classes, "(N, K)")
    most = whole(most, "batched_non_max_suppression: most")
    return suppress("batched_non_max_suppression", given, score, iou, most)


def suppress(what: str, given: Candidates, score: float, iou: float, most: int) -> Tensor:
    """Return the kept indices of each picture by whichever form suits the device."""
    score, iou = number(score, f"{what}: score"), number(iou, f"{what}: iou", "(0, 1]")
    form = suppress_on_cpu if given.boxes.device.type == "cpu" else suppress_on_device
    return form(given, score, iou, most)


def suppress_on_cpu(given: Candidates, score: float, iou: float, most: int) -> Tensor:
    """Return the kept indices of each picture, by compiled loops."""
    from neuropil.vision.boxes.suppression_loops import suppress_pictures

    boxes, scores, classes = (np.ascontiguousarray(part.numpy()) for part in given)
    kept = np.full((len(boxes), most), -1)
    real = boxes.dtype.type
    suppress_pictures(
        boxes,
        classes,
        best_first(scores),
        (scores >= scores.dtype.type(score)).sum(1),
        real(iou),
        real(np.finfo(real).tiny * 2**24),
        kept,
    )
    return torch.from_numpy(kept)
