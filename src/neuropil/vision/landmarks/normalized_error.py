"""The error of landmarks, as a part of the size of what they mark."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any

import torch

from neuropil.runs.figures.decoded_metric import figure_of
from neuropil.training.metrics.base import Metric, metric
from neuropil.training.metrics.statistics import ratio, sum_and_count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    Pairs = Sequence[tuple[int, int]]

NAME = "normalized_mean_error"
# Of more points, each has its error in the report alone.
MOST_POINTS = 20


def mean_or_nan(total: Tensor) -> float:
    """Return the mean from the result of `sum_and_count`; NaN if nothing was counted."""
    return ratio(total) if total[1] else math.nan


@metric(mean_or_nan, greater_is_better=False, takes="values", short="nme")
def normalized_mean_error(
    answers: Tensor, targets: Tensor, *, eyes: Pairs = (), diagonal: float = 1.0
) -> Tensor:
    """Return the mean distance of points from where they should be, relative to a size.

    The mean over the pictures of mean_p ‖p̂ − p‖ / d over the known points, where d is the
    distance between the eyes: that of the means of their points. Without eyes, d is the
    diagonal of the box around the known points. Pictures without a d count for nothing. One
    point alone has no box: d is then the diagonal of the picture.

    Shape:
        Answers ``(N, P, 2)`` or more columns, x and y first. Targets ``(N, P, 3)``: x, y,
        visibility, 0 for missing points.

    Args:
        answers: The predicted points.
        targets: The true points.
        eyes: The pairs of points (left, right) that belong to the eyes.
        diagonal: Diagonal of the picture, for one point alone.

    Raises:
        ValueError: If the shapes do not fit.

    Example:
        >>> import torch
        >>> targets = torch.tensor([[[10.0, 10, 2], [30, 10, 2], [20, 20, 1], [0, 0, 0]]])
        >>> answers = torch.tensor([[[10.0, 10], [30, 13], [20, 23], [50, 50]]])
        >>> round(normalized_mean_error(answers, targets, eyes=[(0, 1)]), 6)  # 0, 3, 3 of 20
        0.1
    """
    return sum_and_count(picture_errors(*point_errors(answers, targets, eyes, diagonal)))


def point_errors(
    answers: Tensor, targets: Tensor, eyes: Pairs, diagonal: float
) -> tuple[Tensor, Tensor]:
    """Return the relative error of each point, and which points count, each ``(N, P)``.

    Args:
        answers: The predicted points.
        targets: The true points.
        eyes: The pairs of points that belong to the eyes.
        diagonal: Diagonal of the picture, for one point alone.

    Raises:
        ValueError: If the shapes do not fit.
    """
    if answers.shape[:2] != targets.shape[:2] or targets.shape[2:] != (3,):
        raise ValueError(
            f"landmarks need answers (N, P, 2) and targets (N, P, 3), got "
            f"{tuple(answers.shape)} and {tuple(targets.shape)}."
        )
    places, known = targets[..., :2].double(), targets[..., 2] > 0
    if targets.shape[1] == 1:
        size = torch.full_like(places[:, 0, 0], diagonal)
    else:
        size = eye_distance(places, known, eyes) if eyes else box_diagonal(places, known)
    errors = (answers[..., :2].double() - places).norm(dim=-1)
    counts = known & (size > 0)[:, None]
    return errors / size.where(size > 0, 1.0)[:, None], counts


def picture_errors(errors: Tensor, counts: Tensor) -> Tensor:
    """Return the mean error of each picture in which some points count."""
    number = counts.sum(dim=1)
    some = number > 0
    return errors.where(counts, 0.0).sum(dim=1)[some] / number[some]


def eye_distance(places: Tensor, known: Tensor, eyes: Pairs) -> Tensor:
    """Return the distance between the eyes, ``(N)``; 0 where it is unknown.

    A point counts if its partner of the other eye is known too, which keeps the means of both
    sides alike.
    """
    left, right = ([pair[side] for pair in eyes] for side in (0, 1))
    both = (known[:, left] & known[:, right]).double()[..., None]
    ahead = (places[:, left] - places[:, right]) * both
    return (ahead.sum(dim=1) / both.sum(dim=1).clamp(min=1)).norm(dim=-1)


def box_diagonal(places: Tensor, known: Tensor) -> Tensor:
    """Return the diagonal of the box around the known points, ``(N)``; 0 where none is."""
    low = places.masked_fill(~known[..., None], math.inf).amin(dim=1)
    high = places.masked_fill(~known[..., None], -math.inf).amax(dim=1)
    return (high - low).clamp(min=0).norm(dim=-1)


def landmark_metrics(task: Any) -> tuple[Metric, ...]:
    """Return the normalised mean error of all points, and of each if they are at most 20.

    All metrics have one function that gathers, so outputs are decoded once for all.

    Args:
        task: The task that decodes outputs to points and restores points from targets.
    """
    gather = functools.partial(gather_errors, task)
    points = task.target.points
    each = points if len(points) <= MOST_POINTS else ()
    names = [NAME, *(figure_of(NAME, point) for point in each)]
    metrics = []
    for place, name in enumerate(names):
        compute = functools.partial(mean_at, place)
        short = normalized_mean_error.short if name == NAME else ""
        made = Metric(gather, compute, greater_is_better=False, takes=task.takes, short=short)
        made.name = name
        metrics.append(made)
    return tuple(metrics)


def gather_errors(task: Any, outputs: Tensor, targets: Tensor) -> Tensor:
    """Return the sum and the number of the errors of the pictures, and of each point."""
    labels = task.restore(targets)
    errors, counts = task.point_errors(task.decode(outputs), labels)
    sums = errors.where(counts, 0.0).sum(dim=0)
    each = torch.stack([sums, counts.sum(dim=0)], dim=1)
    return torch.cat([sum_and_count(picture_errors(errors, counts)), each.flatten().double()])


def mean_at(place: int, total: Tensor) -> float:
    """Return one of the means from the sum of what `gather_errors` returns."""
    return mean_or_nan(total[2 * place : 2 * place + 2])
