"""Losses: functions of scores, or of values, and targets that give one value per example.

Cross entropies, the divergence and the hinge take scores, which a network gives before its last
Softmax or Sigmoid: no precision is lost. The errors between numbers take the values that it
gives. Each loss also gives the ``mean`` over a batch by a fused kernel, which is what training
takes.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from torch import nn

from neuropil.core.name_lookup import look_up
from neuropil.training.losses.base import Loss, loss, values_of
from neuropil.training.losses.loss_kernels import (
    MEAN,
    NONE,
    absolute_errors,
    binary_entropy,
    class_entropy,
    divergences,
    hinges,
    huber_errors,
    squared_errors,
)
from neuropil.training.losses.loss_targets import (
    check_distributions,
    check_finite,
    check_fractions,
    check_signs,
    checked_classes,
    is_single,
    like_scores,
    single_classes,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor


@loss(predicts="class")
def cross_entropy(scores: Tensor, targets: Tensor, *, label_smoothing: float = 0.0) -> Tensor:
    """Return the negative log-probability that a Softmax of the scores gives the true class.

    ``−Σ_k p_k log softmax(s)_k``, with p = 1 for the true class and 0 for all others: the
    negative logarithm of its probability. Smoothing makes that ``(1 − ε) p + ε/K``.

    Shape:
        Scores ``(N, K)`` or, for a class at each position, ``(N, K, …)``. Targets: class
        numbers ``(N)`` or ``(N, …)``, or probabilities shaped as the scores. Values ``(N)``,
        means over the positions.

    Args:
        scores: What goes into the Softmax.
        targets: The true classes, from 0 to K − 1, or a distribution over them.
        label_smoothing: ε, the part that is spread over all classes.

    Raises:
        ValueError: If shapes or types do not fit, or a class has no score.

    Reference:
        Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", 2016, §7,
        for the smoothing.

    Example:
        >>> import torch
        >>> scores = torch.log(torch.tensor([[0.5, 0.25, 0.25], [0.125, 0.75, 0.125]]))
        >>> cross_entropy(scores, torch.tensor([0, 2]))  # −log 0.5 and −log 0.125
        tensor([0.6931, 2.0794])
    """
    return values_of(class_entropy(scores, targets, label_smoothing, NONE))


@cross_entropy.fused
def cross_entropy_mean(
    scores: Tensor, targets: Tensor, *, label_smoothing: float = 0.0
) -> Tensor:
    """Return the mean of `cross_entropy`."""
    return class_entropy(scores, targets, label_smoothing, MEAN)


@cross_entropy.prepared
def cross_entropy_targets(targets: Tensor, scores: Tensor) -> Tensor:
    """Return checked class numbers or distributions."""
    return checked_classes("cross_entropy", scores, targets)


@loss(predicts="binary")
def binary_cross_entropy(
    scores: Tensor, targets: Tensor, *, label_smoothing: float = 0.0
) -> Tensor:
    """Return the negative log-probability that a Sigmoid of each score gives the truth.

    ``−t log σ(s) − (1 − t) log(1 − σ(s))``, the mean over an example's scores: several are
    several questions, each with its own yes or no. Smoothing makes t ``(1 − ε) t + ε/2``.

    Shape:
        Scores ``(N)``, ``(N, 1)`` or ``(N, …)``; targets the same, where an axis of length 1
        may be left out. Values ``(N)``.

    Args:
        scores: What goes into the Sigmoid.
        targets: t, from 0 to 1: integers, booleans or floats.
        label_smoothing: ε, how far the targets are moved towards 1/2.

    Raises:
        ValueError: If the shapes do not fit.

    Example:
        >>> import torch
        >>> scores = torch.log(torch.tensor([3.0, 1.0]))  # σ gives 3/4 and 1/2
        >>> binary_cross_entropy(scores, torch.tensor([1, 0]))  # −log 3/4 and −log 1/2
        tensor([0.2877, 0.6931])
    """
    return values_of(binary_entropy(scores, targets, label_smoothing, NONE))


@binary_cross_entropy.fused
def binary_cross_entropy_mean(
    scores: Tensor, targets: Tensor, *, label_smoothing: float = 0.0
) -> Tensor:
    """Return the mean of `binary_cross_entropy`."""
    return binary_entropy(scores, targets, label_smoothing, MEAN)


@binary_cross_entropy.prepared
def binary_targets(targets: Tensor, scores: Tensor) -> Tensor:
    """Return checked probabilities."""
    targets = like_scores("binary_cross_entropy", scores, targets)[1]
    check_fractions("binary_cross_entropy", targets)
    return targets


@loss(predicts="value")
def squared_error(scores: Tensor, targets: Tensor) -> Tensor:
    """Measure the squared distance, ``(s − t)²``, the mean over an example's outputs.

    Shape:
        Scores and targets ``(N, …)`` alike, where an axis of length 1 may be left out; they are
        never broadcast. Values ``(N)``.

    Args:
        scores: What the network gives.
        targets: What it should give.

    Raises:
        ValueError: If the shapes do not fit.

    Example:
        >>> import torch
        >>> squared_error(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.zeros(2, 2))
        tensor([ 2.5000, 12.5000])
    """
    return values_of(squared_errors(scores, targets, NONE))


@squared_error.fused
def squared_error_mean(scores: Tensor, targets: Tensor) -> Tensor:
    """Return the mean of `squared_error`."""
    return squared_errors(scores, targets, MEAN)


@loss(predicts="value")
def absolute_error(scores: Tensor, targets: Tensor) -> Tensor:
    """Measure the absolute distance, ``|s − t|``, the mean over an example's outputs.

    Its minimum is the median: outliers pull no more than others.

    Shape:
        Scores and targets ``(N, …)`` alike, where an axis of length 1 may be left out; they are
        never broadcast. Values ``(N)``.

    Args:
        scores: What the network gives.
        targets: What it should give.

    Raises:
        ValueError: If the shapes do not fit.

    Example:
        >>> import torch
        >>> absolute_error(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.zeros(2, 2))
        tensor([1.5000, 3.5000])
    """
    return values_of(absolute_errors(scores, targets, NONE))


@absolute_error.fused
def absolute_error_mean(scores: Tensor, targets: Tensor) -> Tensor:
    """Return the mean of `absolute_error`."""
    return absolute_errors(scores, targets, MEAN)


@loss(predicts="value")
def huber(scores: Tensor, targets: Tensor, *, delta: float = 1.0) -> Tensor:
    """Measure the squared distance near the target and the absolute distance far from it.

    With ``d = |s − t|``: ``d²/2`` where ``d ≤ δ``, ``δ (d − δ/2)`` beyond; the mean over an
    example's outputs.

    Shape:
        Scores and targets ``(N, …)`` alike, where an axis of length 1 may be left out; they are
        never broadcast. Values ``(N)``.

    Args:
        scores: What the network gives.
        targets: What it should give.
        delta: δ, where the one becomes the other.

    Raises:
        ValueError: If the shapes do not fit, or ``delta`` is not above 0.

    Reference:
        Huber, "Robust Estimation of a Location Parameter", 1964.

    Example:
        >>> import torch
        >>> huber(torch.tensor([0.5, 3.0]), torch.zeros(2))  # 0.5²/2 and 3 − 1/2
        tensor([0.1250, 2.5000])
    """
    return values_of(huber_errors(scores, targets, delta, NONE))


@huber.fused
def huber_mean(scores: Tensor, targets: Tensor, *, delta: float = 1.0) -> Tensor:
    """Return the mean of `huber`."""
    return huber_errors(scores, targets, delta, MEAN)


@loss(predicts="class")
def hinge(scores: Tensor, targets: Tensor) -> Tensor:
    """Measure by how much the true class misses a margin of 1 over the others.

    One score s and a class y = ±1: ``max(0, 1 − y s)``. A score for each of K classes:
    ``max(0, 1 + max_{k ≠ y} s_k − s_y)``, after Crammer and Singer.

    Shape:
        Scores ``(N)`` or ``(N, 1)`` with targets ``(N)`` or ``(N, 1)``; scores ``(N, K)`` with
        targets ``(N)``. Values ``(N)``.

    Args:
        scores: What the network gives; for two classes, above 0 means the second.
        targets: For one score, 0 and 1 or −1 and 1; else class numbers from 0 to K − 1.

    Raises:
        ValueError: If shapes or types do not fit, or a class has no score.

    Reference:
        Crammer, Singer, "On the Algorithmic Implementation of Multiclass Kernel-based Vector
        Machines", 2001.

    Example:
        >>> import torch
        >>> hinge(torch.tensor([0.25, 2.0, -1.0]), torch.tensor([1, 1, 1]))
        tensor([0.7500, 0.0000, 2.0000])
        >>> hinge(torch.tensor([[3.0, 1.0, 2.5]]), torch.tensor([0]))  # 1 + 2.5 − 3
        tensor([0.5000])
    """
    return hinges(scores, targets)


@hinge.prepared
def hinge_targets(targets: Tensor, scores: Tensor) -> Tensor:
    """Return checked signs or class numbers."""
    if not is_single(scores):
        return checked_classes("hinge", scores, single_classes("hinge", scores, targets))
    targets = like_scores("hinge", scores, targets)[1]
    check_signs("hinge", targets)
    return targets


@loss(predicts="class")
def kl_divergence(scores: Tensor, targets: Tensor) -> Tensor:
    """Measure how far a Softmax of the scores is from a given distribution.

    ``KL(t ‖ softmax(s)) = Σ_k t_k (log t_k − log softmax(s)_k)``, where 0 log 0 = 0: the
    cross entropy less the entropy of the targets, so that its minimum is 0.

    Shape:
        Scores ``(N, K)`` or ``(N, K, …)``, targets alike. Values ``(N)``, means over the
        positions.

    Args:
        scores: What goes into the Softmax.
        targets: t, a distribution over the classes.

    Raises:
        ValueError: If the shapes do not fit.

    Reference:
        Kullback, Leibler, "On Information and Sufficiency", 1951.

    Example:
        >>> import torch
        >>> scores = torch.log(torch.tensor([[0.5, 0.5], [0.5, 0.5]]))
        >>> kl_divergence(scores, torch.tensor([[0.5, 0.5], [0.0, 1.0]]))
        tensor([0.0000, 0.6931])
    """
    return values_of(divergences(scores, targets).sum(1))


@kl_divergence.fused
def kl_divergence_mean(scores: Tensor, targets: Tensor) -> Tensor:
    """Return the mean of `kl_divergence`."""
    each = divergences(scores, targets)
    return each.sum() * (each.shape[1] / each.numel())


@kl_divergence.prepared
def kl_targets(targets: Tensor, scores: Tensor) -> Tensor:
    """Return checked distributions."""
    targets = like_scores("kl_divergence", scores, targets)[1]
    check_distributions("kl_divergence", targets)
    return targets


def value_targets(name: str) -> Callable[[Tensor, Tensor], Tensor]:
    """Return the preparation of a loss between numbers."""

    def prepare(targets: Tensor, scores: Tensor) -> Tensor:
        targets = like_scores(name, scores, targets)[1]
        check_finite(name, targets)
        return targets

    return prepare


for numbers in (squared_error, absolute_error, huber):
    numbers.prepared(value_targets(numbers.name))

LOSSES: dict[str, Loss] = {
    each.name: each
    for each in (
        cross_entropy,
        binary_cross_entropy,
        squared_error,
        absolute_error,
        huber,
        hinge,
        kl_divergence,
    )
}


def by_name(name: str) -> Loss:
    """Return the loss of that name.

    Args:
        name: Such as "cross_entropy"; case and underscores do not matter.

    Raises:
        ValueError: If there is none; the nearest name is suggested.

    Example:
        >>> by_name("cross_entropy")
        cross_entropy
    """
    return look_up(name, LOSSES, "loss")


def resolve(wanted: str | Callable[..., Any]) -> Loss:
    """Return a `Loss` for whatever a user gives.

    Args:
        wanted: A name, a loss, a partial of one that sets options, one of torch's, or any
            function of outputs and targets that gives one value per example: it sees what
            `predict` gives, unless it has an attribute ``takes = "scores"``.

    Raises:
        ValueError: If there is no loss of that name, or the partial sets no option of it.
        TypeError: If it is nothing of the kind.

    Example:
        >>> import torch
        >>> from functools import partial
        >>> smooth = resolve(partial(cross_entropy, label_smoothing=0.5))
        >>> smooth.mean(torch.zeros(1, 4), torch.tensor([3])).exp()
        tensor(4.)
    """
    if isinstance(wanted, str):
        return by_name(wanted)
    if not callable(wanted):
        raise TypeError(
            f"a loss is a name or a function of outputs and targets, got {wanted!r}."
        )
    return Loss.resolved(ours(wanted) if isinstance(wanted, nn.Module) else wanted)


# Torch's losses that are the same as ours, for which fused kernels and residuals are known.
ALIKE: dict[type, Callable[[Any], Any]] = {
    nn.MSELoss: lambda _: squared_error,
    nn.L1Loss: lambda _: absolute_error,
    nn.HuberLoss: lambda m: functools.partial(huber, delta=m.delta),
    nn.BCEWithLogitsLoss: lambda m: binary_cross_entropy if m.pos_weight is None else m,
    nn.CrossEntropyLoss: lambda m: (
        functools.partial(cross_entropy, label_smoothing=m.label_smoothing)
        if m.ignore_index < 0
        else m
    ),
}


def ours(module: Any) -> Any:
    """Return the loss of ours that is the same as one of torch's, or that one."""
    summed = getattr(module, "reduction", "sum") == "sum"
    if summed or getattr(module, "weight", None) is not None or type(module) not in ALIKE:
        return module
    return ALIKE[type(module)](module)
