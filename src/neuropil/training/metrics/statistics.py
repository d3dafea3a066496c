"""Statistics of the metrics, as vectors, and the figures computed from them.

Figures raise `ZeroDivisionError` for 0 examples; `Metric` turns it into a message.
"""

from __future__ import annotations

import math
import warnings

import torch
from torch import Tensor

from neuropil.training.losses.loss_targets import (
    check_batch,
    check_classes,
    class_targets,
    is_single,
    shaped_as_scores,
)

# The class predicted by scores that are NaN, which is never the true one.
NO_CLASS = -1


def add_up(parts: list[Tensor]) -> Tensor:
    """Return the sum of vectors."""
    return torch.stack(parts).sum(dim=0)


def sum_and_count(values: Tensor) -> Tensor:
    """Return the sum of the values, and their number."""
    total = values.sum(dtype=torch.float64)
    return torch.stack([total, torch.full_like(total, values.numel())])


def ratio(total: Tensor) -> float:
    """Return the mean from the result of `sum_and_count`."""
    value, count = total.tolist()
    return value / count


def root_ratio(total: Tensor) -> float:
    """Return the square root of the mean."""
    return math.sqrt(ratio(total))


def differences(name: str, scores: Tensor, targets: Tensor) -> Tensor:
    """Return ``s − t`` in double precision, in the shape of the scores."""
    targets = shaped_as_scores(name, scores, targets)
    check_batch(name, scores, targets)
    return scores.double() - targets.double()


def regression_sums(name: str, scores: Tensor, targets: Tensor) -> Tensor:
    """Return N, then t₀, t̄ − t₀, Σ(t − t̄)² and Σ(s − t)² for each output.

    t₀ is the first target. Subtracting it keeps the precision of t̄ for targets far from zero.
    """
    errors = differences(name, scores, targets)
    errors = errors.flatten(1) if errors.dim() > 1 else errors.unsqueeze(1)
    true = targets.double().reshape(errors.shape)
    count = errors.new_full((1,), len(errors))
    if not len(errors):
        return torch.cat([count, errors.new_zeros(4 * errors.shape[1])])
    shifted = true - true[0]
    middle = shifted.mean(0)
    variation = (shifted - middle).square().sum(0)
    return torch.cat([count, true[0], middle, variation, errors.square().sum(0)])


def combine_sums(parts: list[Tensor]) -> Tensor:
    """Combine the results of `regression_sums` for several parts.

    The sum of squares about the common mean of two parts is the sum of those about their own
    means plus δ² n m / (n + m), with δ the difference of the means (Chan, Golub and LeVeque,
    1983).
    """
    total = parts[0]
    for part in parts[1:]:
        n, m = total[0], part[0]
        if not m or not n:
            total = part if not n else total
            continue
        origin, middle, variation, errors = total[1:].unflatten(0, (4, -1))
        other, second, more, further = part[1:].unflatten(0, (4, -1))
        apart = (other - origin) + (second - middle)
        share = m / (n + m)
        variation = variation + more + apart.square() * n * share
        sums = torch.cat([origin, middle + apart * share, variation, errors + further])
        total = torch.cat([(n + m).reshape(1), sums])
    return total


def determination(total: Tensor) -> float:
    """Return R² from the result of `regression_sums`, averaged over the outputs.

    Raises:
        ZeroDivisionError: If the number of examples is 0.
    """
    if total[0] == 0:
        raise ZeroDivisionError
    _, _, variation, errors = total[1:].unflatten(0, (4, -1))
    # As in scikit-learn: for a constant target, R² is 1 if all errors are 0, else 0.
    constant = (variation == 0) & ~errors.isnan()
    each = torch.where(constant, (errors > 0).double(), errors / variation)
    return 1 - each.mean().item()


def decisions(
    name: str, scores: Tensor, targets: Tensor, *, multilabel: bool
) -> tuple[Tensor, Tensor, int]:
    """Return predicted classes and true classes, both flat, and the number of classes.

    Of equal scores the first one wins. Scores that are NaN predict no class.
    """
    true, single = true_classes(name, scores, targets, multilabel=multilabel)
    if single:
        predicted, bad, classes = (scores > 0).long(), scores.isnan(), 2
    else:
        predicted, bad = scores.argmax(dim=1), scores.isnan().any(dim=1)
        classes = scores.shape[1]
    warn_of(bad)
    return predicted.masked_fill(bad, NO_CLASS).flatten(), true.flatten(), classes


def true_classes(
    name: str, scores: Tensor, targets: Tensor, *, multilabel: bool
) -> tuple[Tensor, bool]:
    """Return the true classes, and whether each score is a separate binary decision."""
    single = multilabel or is_single(scores)
    true = (shaped_as_scores if single else class_targets)(name, scores, targets)
    check_batch(name, scores, true)
    if single:
        return (true > 0.5).long(), True
    return true.argmax(dim=1) if true.is_floating_point() else true, False


def warn_of(bad: Tensor) -> None:
    """Warn of predictions whose scores are NaN."""
    count = int(bad.sum())
    if count:
        of = f"{count:,} of {bad.numel():,}"
        # Same text and same location, so that several metrics warn once.
        warnings.warn(
            f"the scores of {of} predictions are NaN: they count as wrong.", stacklevel=1
        )


def among_best(scores: Tensor, true: Tensor, k: int) -> Tensor:
    """Return whether each true class is among the k best; of equal scores the first wins."""
    own = scores.gather(1, true.unsqueeze(1))
    earlier = torch.arange(scores.shape[1], device=scores.device) < true.unsqueeze(1)
    before = (scores > own) | ((scores == own) & earlier)
    return (before.sum(dim=1) < k) & ~scores.isnan().any(dim=1)


def one_class_each(name: str, scores: Tensor, targets: Tensor, *, multilabel: bool) -> Tensor:
    """Return the flat confusion matrix, with a last column for scores that predict no class."""
    check_decision(name, scores, multilabel=multilabel)
    predicted, true, classes = decisions(name, scores, targets, multilabel=multilabel)
    check_classes(name, true, classes)
    predicted = torch.where(predicted == NO_CLASS, classes, predicted)
    return counts_of(true, predicted, classes, classes + 1).flatten()


def check_decision(name: str, scores: Tensor, *, multilabel: bool) -> None:
    """Refuse several binary decisions per example.

    Raises:
        ValueError: If there are several.
    """
    if multilabel and scores.dim() > 1 and scores.shape[1] > 1:
        raise ValueError(
            f"{name} is for one decision per example or position, got scores of "
            f"{tuple(scores.shape)}; accuracy supports several."
        )


def confusions(name: str, predicted: Tensor, true: Tensor, classes: int) -> Tensor:
    """Return the confusion matrix of class numbers: rows true, columns predicted."""
    for numbers in (predicted, true):
        check_classes(name, numbers, classes)
    return counts_of(true, predicted, classes, classes)


def counts_of(rows: Tensor, columns: Tensor, height: int, width: int) -> Tensor:
    """Return the matrix of the number of occurrences of each pair of numbers."""
    pairs = torch.bincount(rows * width + columns, minlength=height * width)
    return pairs.reshape(height, width)


def macro_f1(total: Tensor) -> float:
    """Return the mean F1 over the classes that occur or are predicted."""
    right, true, predicted = class_counts(total)
    present = true + predicted > 0
    return (2 * right[present] / (true + predicted)[present]).mean().item()


def mean_recall(total: Tensor) -> float:
    """Return the mean recall over the classes that occur."""
    right, true, _ = class_counts(total)
    present = true > 0
    return (right[present] / true[present]).mean().item()


def class_counts(total: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return, per class, the number of correct predictions, of examples and of predictions.

    Raises:
        ZeroDivisionError: If the number of examples is 0.
    """
    if not total.sum():
        raise ZeroDivisionError
    # K rows and K + 1 columns: the root of K² + K lies between K and K + 1.
    matrix = total.reshape(math.isqrt(total.numel()), -1)
    return matrix.diagonal(), matrix.sum(1), matrix.sum(0)[:-1]
