"""The metrics of a classification with their intervals, and those of each class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neuropil.report.evidence import Figure
from neuropil.runs.figures.confidence_interval import wilson_interval
from neuropil.runs.figures.decoded_metric import figure_of
from neuropil.runs.figures.ranking_interval import (
    average_precision_interval,
    f1_interval,
    roc_auc_interval,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from neuropil.report.evidence import Array, Evidence, Values


def classification_figures(evidence: Evidence, values: Values) -> dict[str, Figure]:
    """Return the classification metrics that have an interval, by name."""
    figures = {
        "accuracy": accuracy(evidence, values["accuracy"]),
        "balanced_accuracy": balanced_accuracy(evidence, values["balanced_accuracy"]),
    }
    if len(evidence.classes) != 2:
        return figures
    return figures | {
        name: Figure(values[name], *interval())
        for name, interval in two_class_intervals(evidence, values).items()
        if name in values
    }


def two_class_intervals(
    evidence: Evidence, values: Values
) -> dict[str, Callable[[], tuple[float, float]]]:
    """Return functions that give the intervals of the metrics of one class of two."""
    task: Any = evidence.task
    sought: int = task.sought
    hits, predicted, members = counts_of(evidence, sought)
    name, true = evidence.classes[sought], evidence.targets == sought
    return {
        "average_precision": lambda: average_precision_interval(
            values["average_precision"], members
        ),
        "roc_auc": lambda: roc_auc_interval(evidence.answers[:, sought], true),
        figure_of("f1", name): lambda: f1_interval(hits, predicted, members),
        figure_of("precision", name): lambda: wilson_interval(hits, predicted),
        figure_of("recall", name): lambda: wilson_interval(hits, members),
    }


def counts_of(evidence: Evidence, sought: int) -> tuple[int, int, int]:
    """Return the numbers of hits, of predictions and of examples of a class."""
    found, true = evidence.predicted == sought, evidence.targets == sought
    return int((found & true).sum()), int(found.sum()), int(true.sum())


def accuracy(evidence: Evidence, value: float) -> Figure:
    """Return the accuracy with its Wilson interval."""
    return Figure(value, *wilson_interval(int(evidence.right.sum()), len(evidence.targets)))


def balanced_accuracy(evidence: Evidence, value: float) -> Figure:
    """Return the mean recall of the classes, with an interval built from theirs.

    The distances from the estimate to the ends add up in quadrature, as standard deviations
    do: the lower one is √Σ(r_k − l_k)² / K (Zou and Donner, "Construction of confidence limits
    about effect measures", 2008).
    """
    confusion = evidence.confusion
    present = [k for k in range(len(confusion)) if confusion[k].sum()]
    hits = np.array([(int(confusion[k, k]), int(confusion[k].sum())) for k in present])
    shares = hits[:, 0] / hits[:, 1]
    low, high = np.transpose([wilson_interval(*pair) for pair in hits.tolist()])
    ends = (np.sqrt(np.square(end - shares).sum()) / len(present) for end in (low, high))
    below, above = map(float, ends)
    return Figure(value, max(0.0, value - below), min(1.0, value + above))


def per_class(confusion: Array) -> Sequence[tuple[int, float, float, float]]:
    """Return number of examples, precision, recall and F1 of each class; NaN if undefined.

    With c_ij examples of class i predicted as class j, precision is c_jj / Σ_i c_ij, recall is
    c_ii / Σ_j c_ij, and F1 is 2 c_ii / (Σ_j c_ij + Σ_j c_ji).
    """
    hits = np.diag(confusion)
    true, predicted = confusion.sum(axis=1), confusion.sum(axis=0)
    return [
        (int(n), ratio(hit, taken), ratio(hit, n), ratio(2 * hit, n + taken))
        for hit, n, taken in zip(hits, true, predicted, strict=True)
    ]


def ratio(part: float, whole: float) -> float:
    """Return a quotient; NaN if the divisor is 0."""
    return float(part / whole) if whole else float("nan")
