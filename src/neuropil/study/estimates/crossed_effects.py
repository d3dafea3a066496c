"""Mean squares of values that seeds and examples cross."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class MeanSquares(NamedTuple):
    """Mean squares of the two-way analysis of variance without replication.

    With y_si = μ + a_s + b_i + e_si, their expectations are σ²_e + N σ²_a for the seeds,
    σ²_e + S σ²_b for the examples and σ²_e for the residual. The variance of the mean of all
    values is (seeds + examples − residual) / (S N).

    Attributes:
        seeds: N Σ_s (ȳ_s − ȳ)² / (S − 1).
        examples: S Σ_i (ȳ_i − ȳ)² / (N − 1).
        residual: Σ_si (y_si − ȳ_s − ȳ_i + ȳ)² / ((S − 1)(N − 1)).
    """

    seeds: float
    examples: float
    residual: float


def mean_squares(values: NDArray[Any]) -> MeanSquares:
    """Return the mean squares of seeds and examples; those without degrees of freedom are 0.

    Shape:
        `values`: ``(S, N)``, one row per seed and one column per example.

    Args:
        values: The values.

    Reference:
        S. R. Searle, G. Casella and C. E. McCulloch, "Variance Components" (1992), section 4.7.

    Example:
        >>> mean_squares(np.array([[0.0, 2.0], [2.0, 6.0]]))
        MeanSquares(seeds=9.0, examples=9.0, residual=1.0)
    """
    seeds, examples = values.shape
    of_seeds = values.mean(axis=1, keepdims=True) - values.mean()
    of_examples = values.mean(axis=0, keepdims=True) - values.mean()
    residual = values - values.mean() - of_seeds - of_examples
    free = max(seeds - 1, 1), max(examples - 1, 1)
    return MeanSquares(
        examples * float(np.square(of_seeds).sum()) / free[0],
        seeds * float(np.square(of_examples).sum()) / free[1],
        float(np.square(residual).sum()) / (free[0] * free[1]),
    )
