"""Metrics of classification with localisation: one thing in a picture, and where it is."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from neuropil.training.metrics.base import metric
from neuropil.training.metrics.statistics import ratio, sum_and_count
from neuropil.vision.boxes.iou import iou
from neuropil.vision.detection.figures.matching import NONE, check_pairs


def mean_or_nan(total: Tensor) -> float:
    """Return the mean from the result of `sum_and_count`; NaN if no picture has a box."""
    return ratio(total) if total[1] else math.nan


@metric(ratio, greater_is_better=True, takes="values")
def localisation_accuracy(answers: Tensor, targets: Tensor) -> Tensor:
    """Return the fraction of pictures in which the right thing is found, wherever it is.

    The class of the answer is compared with that of the box; in a picture without a box, no
    answer is right. Of several boxes, that which overlaps the answer most is taken.

    Shape:
        Answers ``(N, A, 6)``: x₁, y₁, x₂, y₂, score, class, of which the one with the best
        score counts. Targets ``(N, M, 5)``: x₁, y₁, x₂, y₂, class. Class −1 is padding.

    Args:
        answers: The predicted boxes.
        targets: The true boxes.

    Raises:
        ValueError: If the shapes do not fit.

    Example:
        >>> import torch
        >>> answers = torch.tensor([[[0.0, 0, 10, 6, 0.9, 2]], [[0, 0, 10, 10, 0.9, 0]]])
        >>> targets = torch.tensor([[[0.0, 0, 10, 10, 2]], [[0, 0, 10, 10, 1]]])
        >>> localisation_accuracy(answers, targets)
        0.5
    """
    number, true, _ = best_of(answers, targets)
    return sum_and_count((number == true).double())


@metric(mean_or_nan, greater_is_better=True, takes="values")
def mean_iou(answers: Tensor, targets: Tensor) -> Tensor:
    """Return the mean IoU of the answer and the true box, over the pictures that have a box.

    It is 0 for a picture without an answer, and does not depend on classes.

    Shape:
        As for `localisation_accuracy`.

    Args:
        answers: The predicted boxes.
        targets: The true boxes.

    Raises:
        ValueError: If the shapes do not fit.

    Example:
        >>> import torch
        >>> answers = torch.tensor([[[0.0, 0, 10, 6, 0.9, 2]], [[0, 0, 10, 10, 0.9, 0]]])
        >>> targets = torch.tensor([[[0.0, 0, 10, 10, 2]], [[0, 0, 10, 10, 1]]])
        >>> round(mean_iou(answers, targets), 2)
        0.8
    """
    _, true, overlap = best_of(answers, targets)
    return sum_and_count(overlap[true > NONE])


def best_of(answers: Tensor, targets: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the class of the best answer, that of its box, and their IoU, each ``(N)``.

    A class is −1 where there is none, and the IoU is then 0.
    """
    check_pairs(answers, targets)
    given = answers[..., 5] > NONE
    best = answers[..., 4].masked_fill(~given, -math.inf).argmax(dim=1)
    answer = answers[torch.arange(len(answers), device=answers.device), best]
    number, counts = answer[:, 5], targets[..., 4] > NONE
    overlaps = iou(answer[:, None, :4].double(), targets[..., :4].double())[:, 0]
    overlaps = (overlaps * (number > NONE)[:, None]).masked_fill(~counts, NONE)
    overlap, place = overlaps.max(dim=1)
    true = targets[..., 4].gather(1, place[:, None])[:, 0]
    return number, true.where(counts.any(dim=1), NONE), overlap.clamp(min=0)
