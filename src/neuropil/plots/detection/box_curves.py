"""Precision–recall curves of a detector, one for each class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from neuropil.plots.theme import blank, key, label, line_style, quiet
from neuropil.vision.detection.answer_rows import (
    CLASS,
    IS_TARGET,
    KINDS,
    RIGHT,
    SCORE,
    UNCOUNTED,
    match_rows,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = np.ndarray[Any, Any]

MOST_CLASSES = 7


def box_curves(
    answers: Any,
    targets: Any,
    classes: Sequence[str],
    *,
    thresholds: Sequence[float] | None = None,
    iou: float = 0.5,
) -> Figure:
    """Draw the precision–recall curve of each class of detected boxes.

    For each score, the precision is the share of right boxes among those with at least this
    score, and the recall is the share of the true boxes that they find. A curve ends where no
    box with a lower score is left: what it does not reach is never found. Of more than seven
    classes, those with the most boxes are drawn.

    Shape:
        `answers`: ``(N, A, 6)``: x₁, y₁, x₂, y₂, score, class. `targets`: ``(N, M, 5)``: x₁,
        y₁, x₂, y₂, class. Class −1 is padding.

    Args:
        answers: The detected boxes, with those of low scores.
        targets: The true boxes.
        classes: The names of the classes.
        thresholds: The score of each class above which boxes are predicted: a point is drawn.
        iou: Boxes that overlap a true one of their class this much are right.

    Raises:
        ValueError: If the shapes do not fit, or no box is true.

    Reference:
        Lin et al., "Microsoft COCO: Common Objects in Context", ECCV 2014, arXiv:1405.0312.

    Example:
        >>> answers = [[[0.0, 0, 9, 9, 0.8, 0], [20, 20, 29, 29, 0.3, 0]]]
        >>> figure = box_curves(answers, [[[0.0, 0, 9, 9, 0]]], ["cat"])
        >>> figure.axes[0].get_legend().texts[0].get_text()
        'cat'
    """
    given, true = (torch.as_tensor(rows, dtype=torch.float64) for rows in (answers, targets))
    rows = match_rows(given, true, [iou]).numpy()
    counts = np.bincount(
        rows[rows[:, IS_TARGET] == 1, CLASS].astype(int), minlength=len(classes)
    )
    if not counts.any():
        raise ValueError("box_curves: needs at least one true box, got none.")
    figure, [axes] = blank(4.6, 3.9)
    quiet(
        axes, x="share that is found: recall", y="share that is right: precision", grid="both"
    )
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    most: list[int] = np.argsort(-counts, kind="stable")[:MOST_CLASSES].tolist()
    for place, number in enumerate(sorted(k for k in most if counts[k])):
        own = rows[(rows[:, CLASS] == number) & (rows[:, IS_TARGET] == 0)]
        limit = None if thresholds is None else thresholds[number]
        name = classes[number]
        draw_class(axes, own, int(counts[number]), limit, name, line_style(place))
    key(axes, loc="best")
    return figure


def draw_class(
    axes: Axes, rows: Array, boxes: int, limit: float | None, name: str, style: dict[str, Any]
) -> None:
    """Draw the curve of one class, and the point of its threshold."""
    rows = rows[np.argsort(-rows[:, SCORE], kind="stable")]
    right = np.cumsum(rows[:, KINDS] == RIGHT)
    given = np.cumsum(rows[:, KINDS] != UNCOUNTED)
    precision, recall = right / np.maximum(given, 1), right / boxes
    # Between two right boxes the precision only falls: the picture leaves this out.
    gained = np.diff(right, prepend=0) > 0
    # The line starts at the left edge; of a class that is never found it has no points.
    first = np.flatnonzero(gained)[:1]
    across, up = (
        np.r_[0 * recall[first], recall[gained]], np.r_[precision[first], precision[gained]]
    )  # fmt: skip
    axes.plot(across, up, linewidth=1.8, drawstyle="steps-pre", label=label(name), **style)
    taken = 0 if limit is None else int((rows[:, SCORE] > limit).sum())
    if taken:
        axes.plot(
            recall[taken - 1], precision[taken - 1], "o", color=style["color"], markersize=7,
            zorder=4, clip_on=False,
        )  # fmt: skip
