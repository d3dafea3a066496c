"""Regression losses: squared, absolute and Huber errors.

They take the values that `predict` returns.
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
    """Squared error, ``(s − t)²``, averaged over the outputs of an example.

    The mean of the targets is the constant that minimises it.

    Shape:
        Scores and targets ``(N, …)`` of the same shape, where an axis of length 1 may be
        omitted; they are never broadcast. Values ``(N)``.

    Args:
        scores: The output of the network.
        targets: The true values, best scaled to a size near 1.

    Raises:
        ValueError: If the shapes do not match.

    Example:
        >>> from torch import tensor
        >>> squared_error(tensor([[1.0, 2.0], [3.0, 4.0]]), tensor([[0.0, 0.0], [0.0, 0.0]]))
        tensor([ 2.5000, 12.5000])
        >>> squared_error(tensor([[1.0], [4.0]]), tensor([1.0, 2.0]))
        tensor([0., 4.])
    """
    return values_of(squared_errors(scores, targets))


@loss("value", mean=partial(absolute_errors, reduction=MEAN))
def absolute_error(scores: Tensor, targets: Tensor) -> Tensor:
    """Absolute error, ``|s − t|``, averaged over the outputs of an example.

    The median of the targets is the constant that minimises it.

    Shape:
        As for `squared_error`.

    Args:
        scores: The output of the network.
        targets: The true values; outliers have no more influence than other examples.

    Raises:
        ValueError: If the shapes do not match.

    Example:
        >>> import torch
        >>> absolute_error(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.zeros(2, 2))
        tensor([1.5000, 3.5000])
    """
    return values_of(absolute_errors(scores, targets))


@loss("value", mean=partial(huber_errors, reduction=MEAN))
def huber(scores: Tensor, targets: Tensor, *, delta: float = 1.0) -> Tensor:
    """Huber loss: quadratic for small errors and linear for large ones.

    With ``d = |s − t|``: ``d²/2`` where ``d ≤ δ``, ``δ (d − δ/2)`` beyond; averaged over the
    outputs of an example.

    Shape:
        As for `squared_error`.

    Args:
        scores: The output of the network.
        targets: The true values.
        delta: δ, the error at which the loss changes from quadratic to linear.

    Raises:
        ValueError: If the shapes do not match, or ``delta`` is not above 0.

    Reference:
        Huber, "Robust Estimation of a Location Parameter", 1964.

    Example:
        >>> import torch
        >>> huber(torch.tensor([0.5, 3.0]), torch.zeros(2))  # 0.5²/2 and 3 − 1/2
        tensor([0.1250, 2.5000])
    """
    return values_of(huber_errors(scores, targets, delta))
