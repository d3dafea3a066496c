"""Losses between numbers: squared, absolute and Huber errors.

They take the values that a network gives.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from neuropil.training.losses.base import loss, values_of
from neuropil.training.losses.loss_kernels import (
    MEAN,
    absolute_errors,
    huber_errors,
    squared_errors,
)

if TYPE_CHECKING:
    from torch import Tensor


@loss("value", mean=partial(squared_errors, reduction=MEAN))
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
    return values_of(squared_errors(scores, targets))


@loss("value", mean=partial(absolute_errors, reduction=MEAN))
def absolute_error(scores: Tensor, targets: Tensor) -> Tensor:
    """Measure the absolute distance, ``|s − t|``, the mean over an example's outputs.

    Its minimum is the median: outliers pull no more than others.

    Shape:
        As for `squared_error`.

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
    return values_of(absolute_errors(scores, targets))


@loss("value", mean=partial(huber_errors, reduction=MEAN))
def huber(scores: Tensor, targets: Tensor, *, delta: float = 1.0) -> Tensor:
    """Measure the squared distance near the target and the absolute distance far from it.

    With ``d = |s − t|``: ``d²/2`` where ``d ≤ δ``, ``δ (d − δ/2)`` beyond; the mean over an
    example's outputs.

    Shape:
        As for `squared_error`.

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
    return values_of(huber_errors(scores, targets, delta))
