"""Confidence intervals of the average precision of detected boxes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neuropil.runs.figures.decoded_metric import figure_of
from neuropil.runs.figures.ranking_interval import average_precision_interval
from neuropil.vision.detection.answer_rows import (
    CLASS,
    IOUS,
    IS_TARGET,
    KINDS,
    PICTURE,
    RIGHT,
    SCORE,
    UNCOUNTED,
    match_rows,
)
from neuropil.vision.detection.figures.box_f1 import mean_of_known, middle_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

Array = np.ndarray[Any, Any]

RESAMPLES = 300
# The recalls at which COCO reads the precision.
RECALLS = np.linspace(0, 1, 101)
# Weights of the answers that are held in memory at once.
MOST_WEIGHTS = 2**24


def precision_intervals(
    answers: Tensor, targets: Tensor, classes: Sequence[str]
) -> dict[str, tuple[float, float]]:
    """Return the 95 % intervals of average precision by the name of the figure.

    The names are ``ap``, ``ap50``, ``ap75``, and ``ap of cat`` and ``ap50 of cat`` for each
    class that has boxes. The pictures are resampled with replacement. Of few boxes that are all
    found, all resamples are perfect too, so an interval also contains that of a ranking with as
    many members as there are boxes.

    Shape:
        Answers ``(N, A, 6)``, targets ``(N, M, 5)``.

    Args:
        answers: The detected boxes, with those of low scores.
        targets: The true boxes.
        classes: The names of the classes.

    Example:
        >>> import torch
        >>> answers = torch.tensor([[[0.0, 0, 9, 9, 0.8, 0]]]).repeat(20, 1, 1)
        >>> targets = torch.tensor([[[0.0, 0, 9, 9, 0]]]).repeat(20, 1, 1)
        >>> low, high = precision_intervals(answers, targets, ["cat"])["ap50"]
        >>> low < 0.95, high
        (True, 1.0)
    """
    rows = match_rows(answers.cpu(), targets.cpu()).numpy()
    if np.isnan(rows).any() or not (rows[:, IS_TARGET] == 1).any():
        return {}
    count = len(targets)
    draws = np.random.default_rng(0).multinomial(count, np.full(count, 1 / count), RESAMPLES)
    # The first "resample" is the pictures as they are: the figure itself.
    times = np.concatenate([np.ones((1, count)), draws])
    of_class = [rows[rows[:, CLASS] == k] for k in range(len(classes))]
    boxes = [int((own[:, IS_TARGET] == 1).sum()) for own in of_class]
    values = np.stack([resampled_precisions(own, times) for own in of_class], axis=1)
    limits = {"ap": slice(None), "ap50": [IOUS.index(0.5)], "ap75": [IOUS.index(0.75)]}
    intervals = {
        name: interval_of(mean_of_known(values[:, :, places].mean(axis=2)), sum(boxes))
        for name, places in limits.items()
    }
    for number, title in enumerate(classes):
        for name in ("ap", "ap50") if boxes[number] else ():
            own = values[:, number, limits[name]].mean(axis=1)
            intervals[figure_of(name, title)] = interval_of(own, boxes[number])
    return intervals


def interval_of(values: Array, boxes: int) -> tuple[float, float]:
    """Return the interval of a figure, the first value, from those of the resamples."""
    ends = [*middle_of(values[1:]), *average_precision_interval(float(values[0]), boxes)]
    return min(ends), max(ends)


def resampled_precisions(rows: Array, times: Array) -> Array:
    """Return the average precision of a class at each limit of the IoU, ``(B, T)``.

    It is NaN where no picture with a box was drawn.

    Args:
        rows: The rows of the class, as `match_rows` returns them.
        times: How often each picture was drawn, ``(B, N)``.
    """
    answers, true = (rows[rows[:, IS_TARGET] == kind] for kind in (0, 1))
    answers = answers[np.argsort(-answers[:, SCORE], kind="stable")]
    boxes = np.bincount(true[:, PICTURE].astype(int), minlength=times.shape[1])
    block = max(1, MOST_WEIGHTS // max(1, len(answers)))
    return np.concatenate(
        [precisions(answers, boxes, times[k : k + block]) for k in range(0, len(times), block)]
    )


def precisions(answers: Array, boxes: Array, times: Array) -> Array:
    """Return the average precision of some resamples: see `resampled_precisions`.

    Args:
        answers: The rows of the answers, best first.
        boxes: The number of boxes in each picture.
        times: How often each picture was drawn.
    """
    weights = times[:, answers[:, PICTURE].astype(int)]
    members = times @ boxes
    kinds = answers[:, KINDS:].T
    found = np.full((len(times), len(kinds)), np.nan)
    for limit, kind in enumerate(kinds):
        right = np.cumsum(weights * (kind == RIGHT), axis=1)
        given = np.cumsum(weights * (kind != UNCOUNTED), axis=1)
        precision = right / np.maximum(given, 1)
        # The largest precision at a recall or a higher one, and 0 beyond the last.
        best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
        best = np.pad(best, ((0, 0), (0, 1)))
        for draw in np.flatnonzero(members):
            places = np.searchsorted(right[draw] / members[draw], RECALLS)
            found[draw, limit] = best[draw, places].mean()
    return found
