"""The batch map: in each epoch, every unit becomes a weighted mean of all rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neuropil.classic.competitive.nearest_units import block_size, factors
from neuropil.classic.competitive.som.loops import add_up, settle
from neuropil.classic.competitive.som.neighborhoods import (
    NEIGHBORHOODS,
    mexican_hat,
    size_of_mexican_hat,
    spread,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from neuropil.classic.competitive.som.grid import Grid

    Values = NDArray[np.floating[Any]]

# A sum of influences below this counts as 0; it is well above the smallest normal float64.
NOTHING = 1e-280
# Scores up to this size, and their terms, are well within single precision.
LARGEST = 1e30


def batch_epoch(
    rows: Values,
    weights: Values,
    grid: Grid,
    *,
    distance: str,
    neighborhood: str,
    radius: float,
) -> Values:
    """Return the weights after an epoch: ``w_k = Σ_i h(c_i, k) x_i / Σ_i h(c_i, k)``.

    Rows with the same best unit c are summed first, so that an epoch takes one product of the
    rows with the units, and one of the units with each other. If the influence h may be
    negative, the new weights are ``w_k + Σ_i h (x_i − w_k) / Σ_i |h|``, which is the same for
    h ≥ 0. A unit outside all influences does not move.

    Args:
        rows: Prepared by `neuropil.classic.competitive.nearest_units.prepare`.
        weights: One unit per row, centred like the rows.
        grid: The grid of the units.
        distance: The distance that defines the best unit, as in `Search`.
        neighborhood: The name of the influence.
        radius: The radius of the influence.
    """
    columns = weights.shape[1]
    sums = sums_by_unit(
        rows, factors(weights, distance, missing=rows.shape[1] == 2 * columns), columns
    )
    influence = NEIGHBORHOODS[neighborhood]
    moved = spread(grid, influence, radius, sums)
    totals, counts = moved[:, :columns], moved[:, columns:]
    if influence is mexican_hat:
        # Influences of both signs may cancel: divided by the sum of their absolute values, the
        # step stays bounded.
        totals = totals - weights * counts
        counts = spread(grid, size_of_mexican_hat, radius, sums[:, columns:])
        means = weights + totals / np.maximum(counts, NOTHING)
    else:
        means = totals / np.maximum(counts, NOTHING)
    if distance == "dot":
        # The dot map keeps units on the sphere, so that only the direction of the sum matters.
        means = of_unit_length(totals)
    return np.where(counts > NOTHING, means, weights).astype(weights.dtype)


def sums_by_unit(rows: Values, columns: Values, features: int) -> NDArray[np.float64]:
    """Return, for each unit, the sum of its nearest rows, in double precision.

    Scores of double-precision rows are computed in single precision first, in half the time;
    units whose scores differ by no more than rounding are then compared in double precision.

    Args:
        rows: Prepared rows.
        columns: The matrix that maps them to scores.
        features: The number of the rows' columns that are features.
    """
    units = columns.shape[1]
    size = min(block_size(units), len(rows))
    slack = slack_of_single_precision(rows, columns, features)
    quick = columns if slack is None else columns.astype(np.float32)
    exact = np.ascontiguousarray(columns.T)
    scores = np.empty((size, units), quick.dtype)
    best = np.empty(size, np.intp)
    sums = np.zeros((units, rows.shape[1]))
    for start in range(0, len(rows), size):
        part = rows[start : start + size]
        count = len(part)
        np.dot(part.astype(quick.dtype, copy=False), quick, out=scores[:count])
        scores[:count].argmin(axis=1, out=best[:count])
        if slack is not None:
            settle(part, exact, scores[:count], slack[start : start + size], best[:count])
        add_up(part, best[:count], sums)
    return sums


def slack_of_single_precision(
    rows: Values, columns: Values, features: int
) -> NDArray[np.float32] | None:
    """Return a bound on the best unit's score above the least score in single precision.

    The error of a sum of n products is at most ``(n + 2) u Σ|x f|`` with the unit roundoff u,
    plus two more u for rounding the sum of least score and slack. The result is None if the
    rows are in single precision already, or numbers may leave its range.

    Args:
        rows: Prepared rows.
        columns: The matrix that maps them to scores.
        features: The number of the rows' columns that are features.
    """
    if rows.dtype != np.float64:
        return None
    # Σ|x f| ≤ ‖x‖ ‖f‖ (Cauchy–Schwarz) for the features; the other columns of rows are 0 or 1.
    sizes = np.sqrt(np.einsum("ij,ij->i", rows[:, :features], rows[:, :features]))
    factor = np.sqrt((columns[:features] ** 2).sum(axis=0).max())
    rest = np.abs(columns[features:]).sum(axis=0).max()
    bounds = sizes * factor + rest
    if not (bounds.max() < LARGEST and factor > 1 / LARGEST and sizes.max() < LARGEST):
        return None
    return (2 * (len(columns) + 4) * 2.0**-24 * bounds).astype(np.float32)


def of_unit_length(weights: Values) -> Values:
    """Return rows normalised to length 1; a row of zeros is unchanged."""
    sizes = np.sqrt((weights**2).sum(axis=1, keepdims=True))
    return weights / np.where(sizes > 0, sizes, 1)
