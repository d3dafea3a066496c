"""Score thresholds of the classes, chosen for the best F1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from neuropil.runs.figures.confidence_interval import bootstrap_values
from neuropil.vision.detection.answer_rows import (
    CLASS,
    PICTURE,
    SCORE,
    count_boxes,
    exceeds,
    match_rows,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

Array = np.ndarray[Any, Any]

# Log-odds of the thresholds that are tried: 0.011 to 0.989.
LOG_ODDS = np.linspace(-4.5, 4.5, 181)
# All classes together count as this number of boxes of each class. It settles the threshold of
# a class without boxes, and is negligible beside dozens of boxes.
COMMON_BOXES = 3.0
RESAMPLES = 300
# More pictures are resampled in this many groups: as accurate, and not slower.
MOST_GROUPS = 500


class ScoreThresholds(NamedTuple):
    """The score threshold of each class.

    Attributes:
        thresholds: The thresholds.
        intervals: Their 95 % intervals.
    """

    thresholds: tuple[float, ...]
    intervals: tuple[tuple[float, float], ...]


def fit_thresholds(answers: Tensor, targets: Tensor, classes: int) -> ScoreThresholds:
    """Return the score threshold of each class that is best for F1, for matches at IoU 0.5.

    The best threshold for exactly these pictures fits their chance. So the pictures are
    resampled with replacement, and a threshold is the mean, in log-odds, of those that are best
    for each resample; its interval holds 95 % of them. The answers and boxes of all classes
    together count as three boxes of each class: a class without boxes gets the threshold that
    is best for all classes. Without any box the thresholds are ½.

    Shape:
        Answers ``(N, A, 6)``: x₁, y₁, x₂, y₂, score from 0 to 1, class. Targets ``(N, M, 5)``.

    Args:
        answers: The detected boxes of the validation pictures, with those of low scores.
        targets: The true boxes.
        classes: Number of classes.

    Reference:
        Breiman, "Bagging predictors", Machine Learning 24 (1996).

    Example:
        >>> import torch
        >>> answers = torch.tensor([[[0.0, 0, 9, 9, 0.8, 0], [40, 40, 49, 49, 0.3, 0]]])
        >>> targets = torch.tensor([[[0.0, 0, 9, 9, 0]]])
        >>> fit_thresholds(answers, targets, 1).thresholds
        (0.5683,)
    """
    if not len(targets):
        return ScoreThresholds((0.5,) * classes, ((0.5, 0.5),) * classes)
    rows = match_rows(answers.cpu(), targets.cpu(), [0.5])
    rows = rows[~rows.isnan().any(dim=1)]
    groups = min(len(targets), MOST_GROUPS)
    rows[:, PICTURE] %= groups
    tables = [count_above(rows[rows[:, CLASS] == k], groups) for k in range(classes)]
    common = resample(sum(tables, np.zeros_like(tables[0])))
    boxes = common[:, -1:]
    # Columns are means over the groups, so three boxes are 3 / groups.
    share = np.divide(COMMON_BOXES / groups, boxes, out=np.zeros_like(boxes), where=boxes > 0)
    thresholds, intervals = [], []
    for table in tables:
        best = best_log_odds(resample(table) + common * share)
        low, high = (as_score(end) for end in np.quantile(best, [0.025, 0.975]))
        thresholds.append(as_score(float(best.mean())))
        intervals.append((low, high))
    return ScoreThresholds(tuple(thresholds), tuple(intervals))


def keep_above(answers: Tensor, thresholds: Sequence[float]) -> Tensor:
    """Return the answers with scores above the thresholds of their classes, others as padding.

    Shape:
        ``(N, A, 6)`` gives the same. Padding rows are zeros with class −1, in their places.

    Args:
        answers: The detected boxes.
        thresholds: The score threshold of each class.

    Example:
        >>> import torch
        >>> answers = torch.tensor([[[1.0, 2, 3, 4, 0.5, 0], [5, 6, 7, 8, 0.5, 1]]])
        >>> keep_above(answers, [0.6, 0.4])[..., 4:]
        tensor([[[ 0.0000, -1.0000],
                 [ 0.5000,  1.0000]]])
    """
    above = exceeds(answers[..., 4], answers[..., 5].long(), thresholds)
    padding = answers.new_tensor([0, 0, 0, 0, 0, -1])
    return torch.where(above[..., None], answers, padding)


def count_above(rows: Tensor, pictures: int) -> Array:
    """Return the counts of one class in each picture, for all thresholds that are tried.

    Shape:
        ``(N, 2 T + 1)``: right answers at each threshold, answers at each, true boxes.

    Args:
        rows: Those of `match_rows` for one class.
        pictures: Number of pictures, or of their groups.
    """
    rows = rows.clone()
    # Each interval between thresholds takes the place of a class: 0 for below all of them.
    limits = torch.from_numpy(LOG_ODDS).sigmoid()
    rows[:, CLASS] = torch.bucketize(rows[:, SCORE].contiguous(), limits).double()
    counts = count_boxes(rows, [-1.0] * (len(limits) + 1), pictures).numpy()
    above = counts[:, ::-1].cumsum(axis=1)[:, ::-1]
    return np.concatenate([above[:, 1:, 0], above[:, 1:, 1], above[:, :1, 2]], axis=1)


def resample(table: Array) -> Array:
    """Return the column means of bootstrap resamples of the pictures."""
    return bootstrap_values(lambda means: means, table, resamples=RESAMPLES)


def best_log_odds(means: Array) -> Array:
    """Return the threshold with the best F1 for each row, the mean of those that are equal."""
    right, given, boxes = np.split(means, [len(LOG_ODDS), 2 * len(LOG_ODDS)], axis=1)
    f1 = 2 * right / np.maximum(given + boxes, np.finfo(float).tiny)
    best = f1 >= f1.max(axis=1, keepdims=True) * (1 - 1e-9)
    return (best * LOG_ODDS).sum(axis=1) / best.sum(axis=1)


def as_score(log_odds: float) -> float:
    """Return the score with these log-odds, with four digits."""
    return round(float(1 / (1 + np.exp(-log_odds))), 4)
