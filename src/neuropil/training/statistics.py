"""The statistics behind the metrics: vectors that add up, and the figures made of their sums.

A figure of no examples raises `ZeroDivisionError`, which `Metric` puts into words.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from neuropil.training.targets import (
    check_batch,
    check_classes,
    class_targets,
    is_single,
    shaped_as_scores,
)

# Below this part of Σt² a sum of squares about the mean is rounding, not variance.
ROUNDING = 1e-13


def counted(values: Tensor) -> Tensor:
    """Return the sum of the values, and their number."""
    total = values.sum(dtype=torch.float64)
    return torch.stack([total, torch.full_like(total, values.numel())])


def ratio(total: Tensor) -> float:
    """Return the mean of what was `counted`."""
    value, count = total.tolist()
    return value / count


def root_ratio(total: Tensor) -> float:
    """Return the root of a mean."""
    return math.sqrt(ratio(total))


def differences(name: str, scores: Tensor, targets: Tensor) -> Tensor:
    """Return ``s − t`` in double precision, in the shape of the scores."""
    targets = shaped_as_scores(name, scores, targets)
    check_batch(name, scores, targets)
    return scores.double() - targets.double()


def regression_sums(name: str, scores: Tensor, targets: Tensor) -> Tensor:
    """Return N, then Σt, Σt² and Σ(s − t)² of each output."""
    errors = differences(name, scores, targets)
    errors = errors.flatten(1) if errors.dim() > 1 else errors.unsqueeze(1)
    true = targets.double().reshape(errors.shape)
    sums = torch.stack([true, true.square(), errors.square()]).sum(1).flatten()
    return torch.cat([sums.new_full((1,), len(errors)), sums])


def determination(total: Tensor) -> float:
    """Return R² from the sums of `regression_sums`, the mean over the outputs.

    Raises:
        ZeroDivisionError: If there are no examples.
    """
    count = total[0]
    if count == 0:
        raise ZeroDivisionError
    values, squares, errors = total[1:].unflatten(0, (3, -1))
    variation = squares - values**2 / count
    constant = variation <= ROUNDING * squares
    # As scikit-learn: a constant is determined wholly if it is met, and not at all if not.
    each = torch.where(constant, (errors > 0).double(), errors / variation)
    return 1 - each.mean().item()


def decisions(
    name: str, scores: Tensor, targets: Tensor, *, multilabel: bool
) -> tuple[Tensor, Tensor, int]:
    """Return predicted classes, true classes, both flat, and how many classes there are."""
    if multilabel or is_single(scores):
        true = shaped_as_scores(name, scores, targets)
        check_batch(name, scores, true)
        return (scores > 0).long().flatten(), (true > 0.5).long().flatten(), 2
    true = class_targets(name, scores, targets)
    check_batch(name, scores, true)
    if true.is_floating_point():
        true = true.argmax(dim=1)
    return scores.argmax(dim=1).flatten(), true.flatten(), scores.shape[1]


def one_class_each(name: str, scores: Tensor, targets: Tensor, *, multilabel: bool) -> Tensor:
    """Return the confusion matrix, flat.

    Raises:
        ValueError: If there are several decisions about each example.
    """
    if multilabel and scores.dim() > 1 and scores.shape[1] > 1:
        raise ValueError(
            f"{name} is for one decision about each example or position, got scores of "
            f"{tuple(scores.shape)}; accuracy counts several."
        )
    predicted, true, classes = decisions(name, scores, targets, multilabel=multilabel)
    return confusions(name, predicted, true, classes).flatten()


def confusions(name: str, predicted: Tensor, true: Tensor, classes: int) -> Tensor:
    """Return the confusion matrix of class numbers: rows true, columns predicted."""
    for numbers in (predicted, true):
        check_classes(name, numbers, classes)
    pairs = torch.bincount(true * classes + predicted, minlength=classes**2)
    return pairs.reshape(classes, classes)


def macro_f1(total: Tensor) -> float:
    """Return the mean F1 of the classes that were there or were predicted."""
    right, true, predicted = margins(total)
    there = true + predicted > 0
    return (2 * right[there] / (true + predicted)[there]).mean().item()


def mean_recall(total: Tensor) -> float:
    """Return the mean recall of the classes that were there."""
    right, true, _ = margins(total)
    there = true > 0
    return (right[there] / true[there]).mean().item()


def margins(total: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return, for each class, how often it was right, how often there, how often predicted.

    Raises:
        ZeroDivisionError: If the confusion matrix is empty.
    """
    if not total.sum():
        raise ZeroDivisionError
    matrix = total.reshape(math.isqrt(total.numel()), -1)
    return matrix.diagonal(), matrix.sum(1), matrix.sum(0)
