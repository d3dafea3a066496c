"""Soft non-max suppression: boxes that overlap a better one lose score."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import torch

from neuropil.checks import number, one_of
from neuropil.vision.boxes.candidates import Candidates, candidates
from neuropil.vision.boxes.iou import iou as iou_of

if TYPE_CHECKING:
    from torch import Tensor


def soft_non_max_suppression(
    boxes: Tensor,
    scores: Tensor,
    classes: Tensor | None = None,
    *,
    score: float = 0.6,
    iou: float = 0.5,
    method: Literal["linear", "gaussian"] = "linear",
    sigma: float = 0.5,
) -> tuple[Tensor, Tensor]:
    """Return the boxes that remain when overlapping ones lose score, and their scores.

    The best box is taken, and the score of every other box of its class is multiplied by
    ``1 − IoU`` where ``IoU ≥ iou`` ("linear"), or by ``exp(−IoU²/σ)`` ("gaussian"); then the
    best of the rest, and so on. A box is dropped once ``p < score``. Unlike
    `non_max_suppression`, a second object close to the first keeps its box if the score of it
    is high enough. Of equal scores the lower index is the better one.

    The scores are lowered for every pair of boxes: the time grows with ``N · K``.

    Shape:
        boxes ``(N, 4)`` of corners x₁, y₁, x₂, y₂ in any unit, scores ``(N)``, classes ``(N)``
        → indices ``(K)`` of int64 and lowered scores ``(K)``, best first.

    Args:
        boxes: The boxes, in any order.
        scores: Their probabilities.
        classes: Their classes as integers; boxes of different classes are not compared. None:
            all are of one class.
        score: Boxes whose lowered score is less are dropped. Average precision takes boxes of
            low scores too: 0.001 in the paper.
        iou: Overlap from which the linear form lowers a score, in (0, 1].
        method: ``"linear"`` or ``"gaussian"``, which lowers scores at any overlap.
        sigma: σ of the Gaussian form.

    Raises:
        ValueError: If shapes do not fit, a box or a score is NaN, or an option is not allowed.

    Reference:
        Bodla et al., "Soft-NMS: Improving Object Detection With One Line of Code", 2017, §3.

    Example:
        >>> import torch
        >>> boxes = torch.tensor([[0, 0, 10, 10], [0, 0, 10, 8], [20, 0, 30, 10]])
        >>> scores = torch.tensor([0.9, 0.8, 0.7])
        >>> soft_non_max_suppression(boxes, scores, score=0.1)  # 0.8 · (1 − 0.8)
        (tensor([0, 2, 1]), tensor([0.9000, 0.7000, 0.1600]))
    """
    what = "soft_non_max_suppression"
    given = candidates(what, boxes, scores, classes, "(N)")
    real = torch.promote_types(given.boxes.dtype, given.scores.dtype)
    given = Candidates(given.boxes.to(real), given.scores.to(real), given.classes)
    score = number(score, f"{what}: score", "[0, inf)")
    iou = number(iou, f"{what}: iou", "(0, 1]")
    sigma = number(sigma, f"{what}: sigma", "(0, inf)")
    if one_of(method, f"{what}: method", ("linear", "gaussian")) == "linear":
        sigma = 0.0
    form = soften_on_cpu if given.boxes.device.type == "cpu" else soften_on_device
    return form(given, score, iou, sigma)


def soften_on_cpu(
    given: Candidates, score: float, iou: float, sigma: float
) -> tuple[Tensor, Tensor]:
    """Return rows and lowered scores, by compiled loops; sigma is 0 for the linear form."""
    from neuropil.vision.boxes.soft_suppression_loops import soften

    boxes, scores, classes = (part.numpy() for part in given)
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    places = np.concatenate([boxes, area[:, None]], 1)
    real = scores.dtype.type
    rows, lowered = soften(
        places,
        np.ascontiguousarray(classes),
        scores.copy(),
        real(score),
        real(iou),
        real(1),
        real(sigma),
    )
    return torch.from_numpy(rows), torch.from_numpy(lowered)


def soften_on_device(
    given: Candidates, score: float, iou: float, sigma: float
) -> tuple[Tensor, Tensor]:
    """Return rows and lowered scores, by tensor operations: a round for each row."""
    boxes, scores, classes = given
    least, limit = scores.new_tensor(score), scores.new_tensor(iou)
    every = torch.arange(scores.shape[0], device=scores.device)
    rows, lowered = [every[:0]], [scores[:0]]
    while scores.numel() and (highest := scores.max()) >= least:
        best = every[scores == highest][:1]
        rows.append(best)
        lowered.append(highest[None])
        shared = iou_of(boxes[best], boxes)[0]
        if sigma:
            weight = (-shared.square() / sigma).exp()
        else:
            weight = (1 - shared).where(shared >= limit, 1)
        lowers = (classes == classes[best]) & (scores >= least)
        scores = scores * weight.where(lowers, 1)
        scores[best] = -1
    return torch.cat(rows), torch.cat(lowered)
