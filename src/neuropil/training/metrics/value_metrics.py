"""Regression metrics: mean errors and R².

They take the values that `predict` returns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.training.metrics.base import metric
from neuropil.training.metrics.statistics import (
    combine_sums,
    determination,
    differences,
    ratio,
    regression_sums,
    root_ratio,
    sum_and_count,
)

if TYPE_CHECKING:
    from torch import Tensor


@metric(ratio, greater_is_better=False, takes="values", short="mse")
def mean_squared_error(scores: Tensor, targets: Tensor) -> Tensor:
    """Return the mean of ``(s − t)²`` over all outputs of all examples.

    One error of 10 counts as much as a hundred errors of 1.

    Shape:
        Scores and targets ``(N, …)`` of the same shape, where an axis of length 1 may be
        omitted.

    Args:
        scores: The output of the network.
        targets: The true values.

    Raises:
        ValueError: If the shapes do not match, or the batch is empty.

    Reference:
        ``sklearn.metrics.mean_squared_error``.

    Example:
        >>> import torch
        >>> mean_squared_error(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.zeros(2, 2))
        7.5
    """
    return sum_and_count(differences("mean_squared_error", scores, targets).square())


@metric(root_ratio, greater_is_better=False, takes="values", short="rmse")
def root_mean_squared_error(scores: Tensor, targets: Tensor) -> Tensor:
    """Return the root of the mean of ``(s − t)²`` over all outputs: in the targets' units.

    The root is taken once, over all batches together: it is not the mean of their roots.

    Shape:
        As for `mean_squared_error`.

    Args:
        scores: The output of the network.
        targets: The true values, whose unit the result has.

    Raises:
        ValueError: If the shapes do not match, or the batch is empty.

    Example:
        >>> from torch import tensor
        >>> root_mean_squared_error(tensor([[3.0], [3.0]]), tensor([0.0, 6.0]))
        3.0
        >>> root_mean_squared_error(tensor([1.0, 1.0]), tensor([1.0, 3.0])) ** 2  # not 1
        2.0000000000000004
    """
    return sum_and_count(differences("root_mean_squared_error", scores, targets).square())


@metric(ratio, greater_is_better=False, takes="values", short="mae")
def mean_absolute_error(scores: Tensor, targets: Tensor) -> Tensor:
    """Return the mean of ``|s − t|`` over all outputs of all examples.

    One error of 10 counts as much as ten errors of 1.

    Shape:
        As for `mean_squared_error`.

    Args:
        scores: The output of the network.
        targets: The true values; outliers have no more weight than others.

    Raises:
        ValueError: If the shapes do not match, or the batch is empty.

    Reference:
        Willmott and Matsuura, "Advantages of the mean absolute error (MAE) over the root mean
        square error (RMSE)", Climate Research 30 (2005).

    Example:
        >>> import torch
        >>> outlier = torch.tensor([1.0, 2.0, 300.0])
        >>> mean_absolute_error(torch.tensor([1.0, 2.0, 0.0]), outlier)
        100.0
    """
    return sum_and_count(differences("mean_absolute_error", scores, targets).abs())


@metric(
    determination,
    greater_is_better=True,
    takes="values",
    combine=combine_sums,
    short="r2_score",
)
def r2(scores: Tensor, targets: Tensor) -> Tensor:
    """Return R², the fraction of the targets' variance that is explained.

    ``1 − Σ (s − t)² / Σ (t − t̄)²``: 1 is perfect, 0 is as good as predicting the mean. For
    several outputs it is the mean of their R².

    Shape:
        Scores and targets ``(N, …)`` of the same shape, where an axis of length 1 may be
        omitted.

    Args:
        scores: The output of the network.
        targets: The true values; if all are equal, R² is 1 for exact predictions, else 0.

    Raises:
        ValueError: If the shapes do not match, or the batch is empty.

    Reference:
        Kvålseth, "Cautionary note about R²", The American Statistician 39 (1985): the first of
        its eight definitions.

    Example:
        >>> import torch
        >>> r2(torch.tensor([1.0, 2.0, 3.0, 5.0]), torch.tensor([1.0, 2.0, 3.0, 4.0]))
        0.8
    """
    return regression_sums("r2", scores, targets)
