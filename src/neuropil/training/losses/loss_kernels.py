"""Kernels of the losses: torch's own, called with the minimum of checks that is safe.

The functions in `torch.nn.functional` that wrap these kernels broadcast their arguments, which
hides errors, and double the time.
"""

# pyright: reportPrivateUsage=false
# `torch.nn.functional` takes its kernels from `torch._C._nn`, the same from 2.6 to 2.13.

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from neuropil.checks import number
from neuropil.training.losses.loss_targets import (
    check_batch,
    check_classes,
    class_targets,
    like_scores,
    single_classes,
)

_nn: Any = torch._C._nn  # pyright: ignore[reportAttributeAccessIssue]  # made at run time

# Torch's codes for the reduction.
NONE, MEAN = 0, 1
# The `ignore_index` passed to torch, which is not a class: all targets count or are refused.
NEVER = -(2**63)


def squared_errors(scores: Tensor, targets: Tensor, reduction: int = NONE) -> Tensor:
    """Return ``(s − t)²``."""
    return _nn.mse_loss(*align("squared_error", scores, targets), reduction)


def absolute_errors(scores: Tensor, targets: Tensor, reduction: int = NONE) -> Tensor:
    """Return ``|s − t|``."""
    return _nn.l1_loss(*align("absolute_error", scores, targets), reduction)


def huber_errors(
    scores: Tensor, targets: Tensor, delta: float = 1.0, reduction: int = NONE
) -> Tensor:
    """Return the Huber errors: quadratic up to δ, linear beyond.

    Raises:
        ValueError: If δ is not above 0.
    """
    if not delta > 0:
        number(delta, "huber: delta", "(0, inf]")
    return _nn.huber_loss(*align("huber", scores, targets), reduction, delta)


def binary_entropy(
    scores: Tensor, targets: Tensor, label_smoothing: float = 0.0, reduction: int = NONE
) -> Tensor:
    """Return the cross entropy of the sigmoid of each score."""
    scores, targets = align("binary_cross_entropy", scores, targets)
    if label_smoothing:
        check_smoothing("binary_cross_entropy", label_smoothing)
        targets = targets + label_smoothing * (0.5 - targets)
    return torch.binary_cross_entropy_with_logits(scores, targets, None, None, reduction)


def class_entropy(
    scores: Tensor, targets: Tensor, label_smoothing: float = 0.0, reduction: int = NONE
) -> Tensor:
    """Return the cross entropy of the softmax of the scores.

    Raises:
        explain: A ValueError if the targets or the label smoothing are wrong.
    """
    plain = targets.dtype is torch.int64 and targets.dim() == scores.dim() - 1
    if not plain or scores.shape[1] < 2:
        targets = class_targets("cross_entropy", scores, targets)
    try:
        return _nn.cross_entropy_loss(scores, targets, None, reduction, NEVER, label_smoothing)
    except (IndexError, RuntimeError, ValueError) as error:
        check_smoothing("cross_entropy", label_smoothing)
        raise explain("cross_entropy", error, scores, targets) from error


def hinges(scores: Tensor, targets: Tensor) -> Tensor:
    """Return ``max(0, 1 + max_{k ≠ y} s_k − s_y)`` of each example.

    Raises:
        explain: A ValueError if the targets are wrong.
    """
    classes = single_classes("hinge", scores, targets)
    check_batch("hinge", scores, classes)
    try:
        true = scores.gather(1, classes.unsqueeze(1))
    except RuntimeError as error:
        raise explain("hinge", error, scores, classes) from error
    others = scores.scatter(1, classes.unsqueeze(1), -torch.inf).amax(1)
    return (1 + others - true.squeeze(1)).clamp(min=0)


def binary_hinges(scores: Tensor, targets: Tensor) -> Tensor:
    """Return ``max(0, 1 − y s)``; y is 1 for targets above 0, otherwise −1."""
    scores, targets = align("binary_hinge", scores, targets)
    return (1 - torch.where(targets > 0, scores, -scores)).clamp(min=0)


def divergences(scores: Tensor, targets: Tensor) -> Tensor:
    """Return the terms of the Kullback–Leibler divergence, one per class.

    Raises:
        ValueError: If the scores have no class axis.
    """
    scores, targets = align("kl_divergence", scores, targets)
    if scores.dim() < 2:
        raise ValueError(
            f"kl_divergence needs scores of several classes, (N, K), got {tuple(scores.shape)}."
        )
    return F.kl_div(F.log_softmax(scores, dim=1), targets, reduction="none")


def mean_divergence(scores: Tensor, targets: Tensor) -> Tensor:
    """Return the mean of the divergences over examples and positions."""
    each = divergences(scores, targets)
    return each.sum() * (each.shape[1] / each.numel())


def align(name: str, scores: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Return scores and targets with the same shape and type."""
    if scores.shape == targets.shape and scores.dtype is targets.dtype:
        return scores, targets
    scores, targets = like_scores(name, scores, targets)
    check_batch(name, scores, targets)
    return scores, targets


def explain(name: str, error: Exception, scores: Tensor, targets: Tensor) -> Exception:
    """Return an error about the targets, or torch's error if the targets are right."""
    try:
        targets = class_targets(name, scores, targets)
        check_batch(name, scores, targets)
        if not targets.is_floating_point():
            check_classes(name, targets, scores.shape[1])
    except ValueError as reason:
        return reason
    return error


def check_smoothing(name: str, label_smoothing: float) -> None:
    """Check that label smoothing is in [0, 1]; fast, as it runs in every step."""
    if not 0 <= label_smoothing <= 1:
        number(label_smoothing, f"{name}: label_smoothing", "[0, 1]")
