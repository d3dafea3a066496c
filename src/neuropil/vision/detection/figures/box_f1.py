"""F1 of detected boxes at the score thresholds, with its interval."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np

from neuropil.runs.figures.confidence_interval import bootstrap_values
from neuropil.runs.figures.decoded_metric import figure_of
from neuropil.runs.figures.ranking_interval import average_precision_interval, f1_interval
from neuropil.vision.detection.answer_rows import count_boxes, match_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

Array = np.ndarray[Any, Any]


def f1_figure(rows: Tensor, thresholds: Sequence[float], number: int | None = None) -> float:
    """Return ``2 · right / (answers + boxes)`` for matches at IoU 0.5.

    Args:
        rows: Those of `match_rows`.
        thresholds: The score threshold of each class.
        number: The class; None for the mean over the classes that have boxes.

    Returns:
        NaN for a class without boxes, and if an answer has no finite numbers.
    """
    if rows.isnan().any():
        return float("nan")
    each = f1_of_counts(count_boxes(rows, thresholds).numpy()[0])
    return float(mean_of_known(each) if number is None else each[number])


def f1_intervals(
    answers: Tensor, targets: Tensor, thresholds: Sequence[float], classes: Sequence[str]
) -> dict[str, tuple[float, float]]:
    """Return the 95 % intervals of F1 by the name of the figure, such as ``f1 of cat``.

    The pictures are resampled. Of few boxes without a mistake all resamples are perfect too, so
    the interval of a class also contains that of `f1_interval`, and the interval of the mean
    that of a proportion of all boxes. A class without boxes has none.

    Shape:
        Answers ``(N, A, 6)``, targets ``(N, M, 5)``.

    Args:
        answers: The detected boxes, with those of low scores.
        targets: The true boxes.
        thresholds: The score threshold of each class.
        classes: The names of the classes.

    Example:
        >>> import torch
        >>> answers = torch.tensor([[[0.0, 0, 9, 9, 0.8, 0]]]).repeat(20, 1, 1)
        >>> targets = torch.tensor([[[0.0, 0, 9, 9, 0]]]).repeat(20, 1, 1)
        >>> low, high = f1_intervals(answers, targets, [0.5], ["cat"])["f1 of cat"]
        >>> round(low, 3), high
        (0.912, 1.0)
    """
    rows = match_rows(answers.cpu(), targets.cpu(), [0.5])
    counts = count_boxes(rows, thresholds, len(targets)).numpy()
    if rows.isnan().any() or not counts[..., 2].any():
        return {}
    f1 = functools.partial(f1_of_means, classes=len(classes))
    values = bootstrap_values(f1, counts.reshape(len(counts), -1))
    mean = float(mean_of_known(f1_of_counts(counts.sum(axis=0))))
    total = int(counts[..., 2].sum())
    ends = np.array([middle_of(mean_of_known(values)), average_precision_interval(mean, total)])
    intervals = {"f1": (float(ends.min()), float(ends.max()))}
    for number, name in enumerate(classes):
        right, given, boxes = (int(part) for part in counts[:, number].sum(axis=0))
        if boxes:
            ends = np.array([middle_of(values[:, number]), f1_interval(right, given, boxes)])
            intervals[figure_of("f1", name)] = (float(ends.min()), float(ends.max()))
    return intervals


def f1_of_means(means: Array, classes: int) -> Array:
    """Return F1 of each class, from means of its three counts: ``(B, 3 K)`` to ``(B, K)``."""
    return f1_of_counts(means.reshape(-1, classes, 3))


def f1_of_counts(counts: Array) -> Array:
    """Return F1 from the numbers of right answers, answers and boxes; NaN without boxes."""
    right, given, boxes = np.moveaxis(counts, -1, 0)
    return np.where(boxes > 0, 2 * right / np.maximum(given + boxes, 1e-300), np.nan)


def mean_of_known(values: Array) -> Array:
    """Return the mean over the last axis without NaN; NaN if there is nothing else."""
    known = ~np.isnan(values)
    total = np.where(known, values, 0).sum(axis=-1)
    count = known.sum(axis=-1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def middle_of(values: Array) -> tuple[float, float]:
    """Return the ends of the middle 95 % of the values that are not NaN."""
    low, high = np.nanquantile(values, [0.025, 0.975])
    return float(low), float(high)
