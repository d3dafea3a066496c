"""Curves of a ranking by scores: ROC and precision–recall, for all thresholds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from neuropil.plots.theme import BLUE, INK, ORANGE, blank, quiet
from neuropil.training.metrics.ranking import (
    hits_by_threshold,
    precision_area_of_class,
    roc_area_of_class,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = np.ndarray[Any, Any]
# A longer curve looks the same and makes the file larger.
MOST_POINTS = 500


class Ranking(NamedTuple):
    """Number of examples at or above each threshold, the largest threshold first.

    Attributes:
        scores: The score of each example.
        members: Whether each example belongs to the class.
        thresholds: The distinct scores.
        hits: Number of examples of the class at or above each.
        taken: Number of examples at or above each.
    """

    scores: Array
    members: Array
    thresholds: Array
    hits: Array
    taken: Array


def roc_curve(scores: Any, targets: Any, *, threshold: float | None = None) -> Figure:
    """Draw the ROC curve: the recall of a class against its rate of false alarms.

    For each threshold, the recall is the share of the examples of the class whose score is at
    least this, and the rate of false alarms is that share of the other examples. Scores at
    random give the dashed diagonal. The area below the curve is written into it.

    Shape:
        `scores` and `targets`: ``(N)``.

    Args:
        scores: The score or the probability of the class for each example.
        targets: 1 for examples of the class, 0 for others.
        threshold: Draws the point of the examples with scores above this.

    Raises:
        ValueError: If the shapes do not fit, a score is NaN, or one class is missing.

    Reference:
        T. Fawcett, "An introduction to ROC analysis", Pattern Recognition Letters 27 (2006).

    Example:
        >>> figure = roc_curve([0.1, 0.6, 0.4, 0.9], [0, 0, 1, 1], threshold=0.5)
        >>> figure.axes[0].texts[0].get_text()
        'area 0.75'
    """
    ranking = rank("roc_curve", scores, targets)
    members = ranking.members.sum()
    others = len(ranking.members) - members
    across, up = "share of the others: false alarms", "share that is found: recall"
    figure, axes = square(across, up, chance=(0, 1))
    recall = np.r_[0, ranking.hits / members]
    alarms = np.r_[0, (ranking.taken - ranking.hits) / others]
    draw(axes, alarms, recall)
    if threshold is not None:
        hits, taken = above(ranking, threshold)
        mark(axes, (taken - hits) / others, hits / members)
    area = roc_area_of_class(*map(torch.from_numpy, ranking[:2]))
    axes.text(0.96, 0.06, f"area {area:.3g}", ha="right", color=INK, fontsize=10)
    return figure


def precision_recall_curve(
    scores: Any, targets: Any, *, threshold: float | None = None
) -> Figure:
    """Draw the precision–recall curve: how many are right of those found, against how many.

    For each threshold, the precision is the share of the class among the examples whose score
    is at least this. Scores at random give the dashed line, at the share of the class in all
    examples. The area below the steps is the average precision, which is written into it.

    Shape:
        `scores` and `targets`: ``(N)``.

    Args:
        scores: The score or the probability of the class for each example.
        targets: 1 for examples of the class, 0 for others.
        threshold: Draws the point of the examples with scores above this.

    Raises:
        ValueError: If the shapes do not fit, a score is NaN, or one class is missing.

    Reference:
        J. Davis and M. Goadrich, "The relationship between precision-recall and ROC curves",
        ICML (2006).

    Example:
        >>> figure = precision_recall_curve([0.1, 0.6, 0.4, 0.9], [0, 0, 1, 1], threshold=0.5)
        >>> figure.axes[0].texts[0].get_text()
        'area 0.833'
    """
    ranking = rank("precision_recall_curve", scores, targets)
    members = ranking.members.sum()
    share = members / len(ranking.members)
    across, up = "share that is found: recall", "share that is right: precision"
    figure, axes = square(across, up, chance=(share, share))
    # Between two examples of the class the precision only falls: the area leaves this out.
    gained = np.diff(ranking.hits, prepend=0) > 0
    precision = ranking.hits[gained] / ranking.taken[gained]
    recall = ranking.hits[gained] / members
    draw(axes, np.r_[0, recall], np.r_[precision[0], precision], steps=True)
    if threshold is not None:
        hits, taken = above(ranking, threshold)
        if taken:
            mark(axes, hits / members, hits / taken)
    area = precision_area_of_class(*map(torch.from_numpy, ranking[:2]))
    axes.text(0.04, 0.06, f"area {area:.3g}", color=INK, fontsize=10)
    return figure


def rank(name: str, scores: Any, targets: Any) -> Ranking:
    """Return the counts above each threshold.

    Raises:
        ValueError: If the shapes do not fit, a score is NaN, or one class is missing.
    """
    values, true = np.asarray(scores, np.float64), np.asarray(targets)
    if values.ndim != 1 or values.shape != true.shape:
        raise ValueError(
            f"{name}: needs scores (N) of one class and targets (N), got the shapes "
            f"{values.shape} and {true.shape}; for probabilities (N, 2), give [:, 1]."
        )
    if np.isnan(values).any():
        raise ValueError(f"{name}: a score is NaN.")
    if set(np.unique(true)) != {0, 1}:
        raise ValueError(f"{name}: targets must be 0 and 1, and both must occur.")
    members = true.astype(bool)
    found = hits_by_threshold(torch.from_numpy(values), torch.from_numpy(members))
    return Ranking(values, members, *(part.numpy() for part in found))


def above(ranking: Ranking, threshold: float) -> tuple[int, int]:
    """Return the numbers of hits and of examples with scores above a threshold."""
    taken = ranking.scores > threshold
    return int(ranking.members[taken].sum()), int(taken.sum())


def square(x: str, y: str, *, chance: tuple[float, float]) -> tuple[Figure, Axes]:
    """Return a figure with axes from 0 to 1, and the dashed line of scores at random.

    Args:
        x: Label of the horizontal axis.
        y: Label of the vertical axis.
        chance: The heights of the line at the left and at the right.
    """
    figure, [axes] = blank(3.6, 3.4)
    quiet(axes, x=x, y=y, grid="both")
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    axes.plot([0, 1], chance, color=INK, linewidth=1, linestyle=(0, (2, 2)))
    return figure, axes


def draw(axes: Axes, across: Array, up: Array, *, steps: bool = False) -> None:
    """Draw a curve, with at most `MOST_POINTS` of its points."""
    style = "steps-pre" if steps else "default"
    corners = corner_places(across, up)
    axes.plot(across[corners], up[corners], color=BLUE, linewidth=1.8, drawstyle=style)


def corner_places(across: Array, up: Array) -> Array:
    """Return the places of the points to draw: all, or both ends and points evenly between.

    They are even in the length of the curve, so that steep parts keep their points.
    """
    if len(across) <= MOST_POINTS:
        return np.arange(len(across))
    length = np.r_[0, np.cumsum(np.abs(np.diff(across)) + np.abs(np.diff(up)))]
    places = np.searchsorted(length, np.linspace(0, length[-1], MOST_POINTS))
    return np.unique(np.r_[0, places, len(across) - 1])


def mark(axes: Axes, across: float, up: float) -> None:
    """Draw the point of a threshold."""
    axes.plot([across], [up], "o", color=ORANGE, markersize=8, zorder=4, clip_on=False)
