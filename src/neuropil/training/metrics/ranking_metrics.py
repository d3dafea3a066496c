"""Metrics of the ranking by scores, for all thresholds: areas under curves.

They need all examples at once: each batch gives its rows, and the figure comes at the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from neuropil.training.metrics.base import metric
from neuropil.training.metrics.ranking import precision_area, roc_area, scores_and_class

if TYPE_CHECKING:
    from torch import Tensor


@metric(roc_area, greater_is_better=True, combine=torch.cat, short="auc")
def roc_auc(scores: Tensor, targets: Tensor, *, multilabel: bool = False) -> Tensor:
    """Return the area under the ROC curve: how well the scores rank, for all thresholds.

    ``P(s⁺ > s⁻) + P(s⁺ = s⁻)/2`` for an example s⁺ of the class and one s⁻ of the others: 1 is
    perfect, 1/2 is chance. With K classes it is the mean over those that occur, each against
    all others by its probability; NaN if all examples belong to one class.

    Shape:
        As for `accuracy`.

    Args:
        scores: The output of the network, before Softmax or Sigmoid.
        targets: The true classes.
        multilabel: Whether each score is a binary decision; several scores are refused.

    Raises:
        ValueError: If the shapes do not match, or the batch is empty.

    Reference:
        Hanley and McNeil, "The meaning and use of the area under a receiver operating
        characteristic (ROC) curve", Radiology 143 (1982).

    Example:
        >>> import torch
        >>> roc_auc(torch.tensor([-2.0, 1.0, -1.0, 3.0]), torch.tensor([0, 0, 1, 1]))
        0.75
    """
    return scores_and_class("roc_auc", scores, targets, multilabel=multilabel)


@metric(precision_area, greater_is_better=True, combine=torch.cat, short="ap")
def average_precision(scores: Tensor, targets: Tensor, *, multilabel: bool = False) -> Tensor:
    """Return the average precision: the area under the precision–recall curve, in steps.

    ``Σ_n (R_n − R_{n−1}) P_n`` with the precision P_n and the recall R_n of all examples whose
    score is at least the n-th largest: 1 is perfect, and scores at random give the share of
    the class. Unlike `roc_auc` it does not count the many correct rejections of a rare class.
    With K classes it is the mean over those that occur, each against all others by its
    probability; NaN if no example belongs to the class.

    Shape:
        As for `accuracy`.

    Args:
        scores: The output of the network, before Softmax or Sigmoid.
        targets: The true classes; of two, the second is the one to find.
        multilabel: Whether each score is a binary decision; several scores are refused.

    Raises:
        ValueError: If the shapes do not match, or the batch is empty.

    Reference:
        Davis and Goadrich, "The relationship between precision-recall and ROC curves", ICML
        2006; as ``sklearn.metrics.average_precision_score``, without interpolation.

    Example:
        >>> import torch
        >>> scores = torch.tensor([-2.0, 1.0, -1.0, 3.0])
        >>> round(average_precision(scores, torch.tensor([0, 0, 1, 1])), 4)  # (1 + 2/3) / 2
        0.8333
    """
    return scores_and_class("average_precision", scores, targets, multilabel=multilabel)
