"""Classification losses: the cross entropies, the divergence and the hinges.

They take scores, the output of a network before its last Softmax or Sigmoid, so that no
precision is lost.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from neuropil.training.losses.base import loss, values_of
from neuropil.training.losses.loss_kernels import (
    MEAN,
    binary_entropy,
    binary_hinges,
    class_entropy,
    divergences,
    hinges,
    mean_divergence,
)
from neuropil.training.losses.loss_targets import (
    prepare_classes,
    prepare_distributions,
    prepare_fractions,
    prepare_signs,
    prepare_single_classes,
)

if TYPE_CHECKING:
    from torch import Tensor


@loss("class", mean=partial(class_entropy, reduction=MEAN), prepare=prepare_classes)
def cross_entropy(scores: Tensor, targets: Tensor, *, label_smoothing: float = 0.0) -> Tensor:
    """Cross entropy of the softmax of the scores and the true classes.

    ``−Σ_k p_k log softmax(s)_k``, with p = 1 for the true class and 0 for all others: the
    negative logarithm of its probability. Label smoothing replaces p by ``(1 − ε) p + ε/K``.

    Shape:
        Scores ``(N, K)`` or, for a class at each position, ``(N, K, …)``. Targets: class
        numbers ``(N)`` or ``(N, …)``, or probabilities of the shape of the scores. Values
        ``(N)``, means over the positions.

    Args:
        scores: The inputs of the softmax.
        targets: The true classes, from 0 to K − 1, or a distribution over them.
        label_smoothing: ε, the fraction of the probability spread over all classes.

    Raises:
        ValueError: If shapes or types do not match, or a class has no score.

    Reference:
        Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", 2016, §7,
        for the smoothing.

    Example:
        >>> import torch
        >>> scores = torch.log(torch.tensor([[0.5, 0.25, 0.25], [0.125, 0.75, 0.125]]))
        >>> cross_entropy(scores, torch.tensor([0, 2]))  # −log 0.5 and −log 0.125
        tensor([0.6931, 2.0794])
    """
    return values_of(class_entropy(scores, targets, label_smoothing))


@loss("binary", mean=partial(binary_entropy, reduction=MEAN), prepare=prepare_fractions)
def binary_cross_entropy(
    scores: Tensor, targets: Tensor, *, label_smoothing: float = 0.0
) -> Tensor:
    """Cross entropy of the sigmoid of each score and its binary target.

    ``−t log σ(s) − (1 − t) log(1 − σ(s))``, averaged over the scores of an example, each of
    which is a separate binary decision. Label smoothing replaces t by ``(1 − ε) t + ε/2``.

    Shape:
        Scores ``(N)``, ``(N, 1)`` or ``(N, …)``; targets the same, where an axis of length 1
        may be omitted. Values ``(N)``.

    Args:
        scores: The inputs of the sigmoid.
        targets: t, from 0 to 1: integers, booleans or floats.
        label_smoothing: ε, the amount by which targets move towards 1/2.

    Raises:
        ValueError: If the shapes do not match.

    Example:
        >>> import torch
        >>> scores = torch.log(torch.tensor([3.0, 1.0]))  # σ gives 3/4 and 1/2
        >>> binary_cross_entropy(scores, torch.tensor([1, 0]))  # −log 3/4 and −log 1/2
        tensor([0.2877, 0.6931])
    """
    return values_of(binary_entropy(scores, targets, label_smoothing))


@loss("class", prepare=prepare_single_classes)
def hinge(scores: Tensor, targets: Tensor) -> Tensor:
    """Hinge loss: the amount by which the true class misses a margin of 1 over the others.

    ``max(0, 1 + max_{k ≠ y} s_k − s_y)``, after Crammer and Singer. For a single score or for
    separate decisions use `binary_hinge`.

    Shape:
        Scores ``(N, K)``, targets ``(N)``. Values ``(N)``.

    Args:
        scores: The output of the network, one score for each of at least 2 classes.
        targets: The true classes, from 0 to K − 1.

    Raises:
        ValueError: If shapes or types do not match, or a class has no score.

    Reference:
        Crammer, Singer, "On the Algorithmic Implementation of Multiclass Kernel-based Vector
        Machines", 2001.

    Example:
        >>> import torch
        >>> scores = torch.tensor([[3.0, 1.0, 2.5], [0.0, 2.0, 1.0]])
        >>> hinge(scores, torch.tensor([0, 1]))  # 1 + 2.5 − 3 and 1 + 1 − 2
        tensor([0.5000, 0.0000])
    """
    return hinges(scores, targets)


@loss("binary", prepare=prepare_signs)
def binary_hinge(scores: Tensor, targets: Tensor) -> Tensor:
    """Hinge loss of separate binary decisions, averaged over the scores of an example.

    ``max(0, 1 − y s)`` for each score s and its class y = ±1: 0 once the score has the right
    sign and a margin of 1. For one of several classes use `hinge`.

    Shape:
        Scores ``(N)``, ``(N, 1)`` or ``(N, …)``; targets the same, where an axis of length 1
        may be omitted. Values ``(N)``.

    Args:
        scores: The output of the network; a score above 0 means yes.
        targets: 0 and 1, or −1 and 1.

    Raises:
        ValueError: If the shapes do not match.

    Reference:
        Cortes, Vapnik, "Support-Vector Networks", 1995.

    Example:
        >>> import torch
        >>> binary_hinge(
        ...     torch.tensor([[0.5, -2.0], [3.0, 1.0]]), torch.tensor([[1, 0], [1, 0]])
        ... )
        tensor([0.2500, 1.0000])
    """
    return values_of(binary_hinges(scores, targets))


@loss("class", mean=mean_divergence, prepare=prepare_distributions)
def kl_divergence(scores: Tensor, targets: Tensor) -> Tensor:
    """Kullback–Leibler divergence of a target distribution from the softmax of the scores.

    ``KL(t ‖ softmax(s)) = Σ_k t_k (log t_k − log softmax(s)_k)``, where 0 log 0 = 0: the
    cross entropy minus the entropy of the targets, so that its minimum is 0.

    Shape:
        Scores ``(N, K)`` or ``(N, K, …)``, targets of the same shape. Values ``(N)``, means
        over the positions.

    Args:
        scores: The inputs of the softmax.
        targets: t, a distribution over the classes.

    Raises:
        ValueError: If the shapes do not match.

    Reference:
        Kullback, Leibler, "On Information and Sufficiency", 1951.

    Example:
        >>> import torch
        >>> scores = torch.log(torch.tensor([[0.5, 0.5], [0.5, 0.5]]))
        >>> kl_divergence(scores, torch.tensor([[0.5, 0.5], [0.0, 1.0]]))
        tensor([0.0000, 0.6931])
    """
    return values_of(divergences(scores, targets).sum(1))
