"""Average precision of detected boxes, computed by pycocotools."""

from __future__ import annotations

import contextlib
import io
import math
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from neuropil.training.metrics.base import metric
from neuropil.vision.detection.answer_rows import (
    CLASS,
    IOUS,
    IS_TARGET,
    KINDS,
    SCORE,
    UNCOUNTED,
    WRONG,
    match_rows,
)


class AveragePrecision(NamedTuple):
    """Average precision of each class, and the means.

    Attributes:
        ap: Mean over the classes and the limits of the IoU from 0.5 to 0.95.
        ap50: Mean over the classes for an IoU of at least 0.5.
        ap75: Mean over the classes for an IoU of at least 0.75.
        by_class: Average precision of each class at each limit, ``(K, 10)``; NaN for a class
            without a box to be found, which is left out of the means.
    """

    ap: float
    ap50: float
    ap75: float
    by_class: Tensor


def average_precision_of_boxes(
    answers: Tensor, targets: Tensor, classes: int
) -> AveragePrecision:
    """Return the average precision of detected boxes, by the rules of COCO.

    An answer is right if it is matched with a target (see `match_boxes`). The average precision
    is the mean, over the recalls 0, 0.01, …, 1, of the largest precision at that recall or a
    higher one.

    Shape:
        Answers ``(N, A, 6)``: x₁, y₁, x₂, y₂, score, class. Targets ``(N, M, 5)``: x₁, y₁, x₂,
        y₂, class. Class −1 is padding; a target of class −2 − c is of class c and counts
        neither if it is found nor if it is missed.

    Args:
        answers: The detected boxes, at most 100 per picture.
        targets: The true boxes.
        classes: Number of classes.

    Raises:
        ValueError: If the shapes do not fit, or there are more than 100 answers per picture.

    Reference:
        Lin et al., "Microsoft COCO: Common Objects in Context", ECCV 2014, arXiv:1405.0312.

    Example:
        >>> import torch
        >>> answers = torch.tensor([[[0.0, 0, 10, 8, 0.9, 1]]])
        >>> targets = torch.tensor([[[0.0, 0, 10, 10, 1]]])
        >>> found = average_precision_of_boxes(answers, targets, 2)
        >>> round(found.ap, 2), found.by_class[:, 0]
        (0.7, tensor([   nan, 1.0000], dtype=torch.float64))
    """
    by_class = class_precisions(match_rows(answers, targets), classes)
    at50, at75 = (mean_of_known(by_class[:, IOUS.index(iou)]) for iou in (0.5, 0.75))
    return AveragePrecision(mean_of_known(by_class), at50, at75, by_class)


def precision_figure(
    rows: Tensor, iou: float | None = None, number: int | None = None
) -> float:
    """Return the mean of `class_precisions`; NaN if no class has a box to be found.

    Args:
        rows: Those of `match_rows`.
        iou: One of the limits of COCO; None for all those in the rows.
        number: The class; None for all of them.
    """
    if iou is not None:
        limit = KINDS + IOUS.index(iou)
        rows = torch.cat([rows[:, :KINDS], rows[:, limit : limit + 1]], dim=1)
    if number is not None:
        rows = rows[rows[:, CLASS] == number]
    return mean_of_known(class_precisions(rows))


@metric(precision_figure, greater_is_better=True, takes="values", combine=torch.cat)
def ap(answers: Tensor, targets: Tensor) -> Tensor:
    """Return the average precision of boxes, averaged over limits of the IoU from 0.5 to 0.95.

    It is `average_precision_of_boxes` without its parts: the headline of COCO.

    Shape:
        Answers ``(N, A, 6)``, targets ``(N, M, 5)``.

    Args:
        answers: The detected boxes: x₁, y₁, x₂, y₂, score, class.
        targets: The true boxes: x₁, y₁, x₂, y₂, class.

    Raises:
        ValueError: If the shapes do not fit, or there are more than 100 answers per picture.

    Example:
        >>> import torch
        >>> answers = torch.tensor([[[0.0, 0, 10, 8, 0.9, 0]]])
        >>> targets = torch.tensor([[[0.0, 0, 10, 10, 0]]])
        >>> round(ap(answers, targets), 2)
        0.7
    """
    return match_rows(answers, targets)


@metric(precision_figure, greater_is_better=True, takes="values", combine=torch.cat)
def ap50(answers: Tensor, targets: Tensor) -> Tensor:
    """Return the average precision of boxes that count as found from an IoU of 0.5.

    It is faster than `ap` and asks for boxes that are about right.

    Shape:
        Answers ``(N, A, 6)``, targets ``(N, M, 5)``.

    Args:
        answers: The detected boxes: x₁, y₁, x₂, y₂, score, class.
        targets: The true boxes: x₁, y₁, x₂, y₂, class.

    Raises:
        ValueError: If the shapes do not fit, or there are more than 100 answers per picture.

    Example:
        >>> import torch
        >>> answers = torch.tensor([[[0.0, 0, 10, 8, 0.9, 0]]])
        >>> targets = torch.tensor([[[0.0, 0, 10, 10, 0]]])
        >>> round(ap50(answers, targets), 2)
        1.0
    """
    return match_rows(answers, targets, IOUS[:1])


def class_precisions(rows: Tensor, classes: int = 0) -> Tensor:
    """Return the average precision of each class at each limit of the IoU, ``(K, T)``.

    It is NaN for a class without a box to be found, and for all if an answer has no finite
    numbers.

    Args:
        rows: Those of `match_rows`.
        classes: Number of classes at least; there may be more in the rows.
    """
    from pycocotools.cocoeval import COCOeval

    limits = rows.shape[1] - KINDS
    if not len(rows) or rows.isnan().any():
        return rows.new_full((classes, limits), math.nan)
    count = max(classes, int(rows[:, CLASS].max()) + 1)
    evaluation: Any = COCOeval(iouType="bbox")
    options = evaluation.params
    options.catIds, options.imgIds = list(range(count)), [0]
    options.areaRng, options.maxDets = options.areaRng[:1], [len(rows)]
    options.iouThrs = np.empty(limits)
    evaluation._paramsEval = options
    plain = rows.cpu().numpy()
    evaluation.evalImgs = [as_one_picture(plain[plain[:, CLASS] == k]) for k in range(count)]
    with contextlib.redirect_stdout(io.StringIO()):  # it prints how long it took
        evaluation.accumulate()
    # One range of areas and one number of answers; −1 stands for a class without boxes.
    found = torch.from_numpy(evaluation.eval["precision"][:, :, :, 0, 0]).mean(dim=1).T
    return found.where(found >= 0, math.nan)


def as_one_picture(rows: Any) -> dict[str, Any]:
    """Return the rows of one class in the form in which pycocotools has those of a picture."""
    answers = rows[rows[:, IS_TARGET] == 0]
    kinds = answers[:, KINDS:].T
    return {
        "dtScores": answers[:, SCORE],
        "dtMatches": kinds != WRONG,
        "dtIgnore": kinds == UNCOUNTED,
        "gtIgnore": np.zeros(len(rows) - len(answers)),
    }


def mean_of_known(values: Tensor) -> float:
    """Return the mean of the values that are not NaN; NaN if there are none."""
    return float(values.nanmean())
