"""The area under the ROC curve."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from neuropil.training.losses.loss_targets import check_classes
from neuropil.training.metrics.statistics import check_decision, true_classes


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


def rank_area(rows: Tensor) -> float:
    """Return the mean area under the ROC curves of the rows of `scores_and_class`.

    Raises:
        ZeroDivisionError: If the number of examples is 0.
    """
    if not len(rows):
        raise ZeroDivisionError
    *columns, true = rows.unbind(dim=1)
    # A single score is that of class 1.
    first = 1 if len(columns) == 1 else 0
    members = [true == k for k in range(first, first + len(columns))]
    areas = [
        area_of_class(scores, own)
        for scores, own in zip(columns, members, strict=True)
        if own.any() and not own.all()
    ]
    return sum(areas) / len(areas) if areas else math.nan


def area_of_class(scores: Tensor, members: Tensor) -> float:
    """Return Mann and Whitney's U divided by the number of pairs, with mean ranks for ties."""
    if scores.isnan().any():
        return math.nan
    _, place, counts = scores.unique(return_inverse=True, return_counts=True)
    ranks = counts.cumsum(0) - (counts - 1) / 2
    inside = int(members.sum())
    above = float(ranks.double()[place[members]].sum()) - inside * (inside + 1) / 2
    return above / (inside * (len(scores) - inside))
