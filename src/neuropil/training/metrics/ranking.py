"""Areas under the curves of a ranking by scores."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from neuropil.training.losses.loss_targets import check_classes
from neuropil.training.metrics.statistics import check_decision, true_classes

if TYPE_CHECKING:
    from collections.abc import Callable


def scores_and_class(name: str, scores: Tensor, targets: Tensor, *, multilabel: bool) -> Tensor:
    """Return a row per example or position: a score per class, and the true class.

    For K > 2 classes the scores are log-probabilities, which rank like probabilities. Two
    scores are replaced by their difference, which does not saturate as a probability would; a
    single score is unchanged.
    """
    check_decision(name, scores, multilabel=multilabel)
    true, single = true_classes(name, scores, targets, multilabel=multilabel)
    if single:
        return torch.stack([scores.double().flatten(), true.flatten().double()], dim=1)
    check_classes(name, true, scores.shape[1])
    scores = scores.double()
    ranked = scores.diff(dim=1) if scores.shape[1] == 2 else scores.log_softmax(dim=1)
    ranked = ranked.movedim(1, -1).flatten(0, -2)
    return torch.cat([ranked, true.reshape(-1, 1).double()], dim=1)


def roc_area(rows: Tensor) -> float:
    """Return the mean area under the ROC curves of the rows of `scores_and_class`."""
    return mean_of_classes(roc_area_of_class, rows)


def precision_area(rows: Tensor) -> float:
    """Return the mean average precision of the rows of `scores_and_class`."""
    return mean_of_classes(precision_area_of_class, rows)


def mean_of_classes(area: Callable[[Tensor, Tensor], float], rows: Tensor) -> float:
    """Return the mean area over the classes for which it is defined, NaN if there are none.

    Raises:
        ZeroDivisionError: If the number of examples is 0.
    """
    if not len(rows):
        raise ZeroDivisionError
    *columns, true = rows.unbind(dim=1)
    # A single score is that of class 1.
    first = 1 if len(columns) == 1 else 0
    if any(column.isnan().any() for column in columns):
        return math.nan
    areas = [area(column, true == k) for k, column in enumerate(columns, first)]
    known = [each for each in areas if not math.isnan(each)]
    return sum(known) / len(known) if known else math.nan


def roc_area_of_class(scores: Tensor, members: Tensor) -> float:
    """Return Mann and Whitney's U divided by the number of pairs, with mean ranks for ties."""
    inside = int(members.sum())
    outside = len(scores) - inside
    if not inside or not outside:
        return math.nan
    _, place, counts = scores.unique(return_inverse=True, return_counts=True)
    ranks = counts.cumsum(0) - (counts - 1) / 2
    above = float(ranks.double()[place[members]].sum()) - inside * (inside + 1) / 2
    return above / (inside * outside)


def precision_area_of_class(scores: Tensor, members: Tensor) -> float:
    """Return the sum of the precisions, each weighted by the increase in recall."""
    _, hits, taken = hits_by_threshold(scores, members)
    if not len(hits) or not hits[-1]:
        return math.nan
    gained = hits.diff(prepend=hits.new_zeros(1))
    return float((gained * hits / taken).sum() / hits[-1])


def hits_by_threshold(scores: Tensor, members: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the distinct scores, largest first, with the examples at or above each of them.

    Shape:
        Scores and members ``(N)``. Three tensors ``(T)``, with T distinct scores.

    Args:
        scores: One score per example.
        members: Whether each example belongs to the class.

    Returns:
        The scores, the number of members at or above each, and the number of examples.
    """
    thresholds, place, counts = scores.unique(return_inverse=True, return_counts=True)
    own = torch.bincount(place, members.double(), minlength=len(thresholds))
    return thresholds.flip(0), own.flip(0).cumsum(0), counts.flip(0).cumsum(0).double()
