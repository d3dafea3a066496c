"""The batch map: every unit becomes a weighted mean of all rows, epoch after epoch."""

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

# A sum of influences below this has lost its digits; far above the smallest float64.
NOTHING = 1e-280
# Scores of this size and their parts are well within single precision.
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

    Rows of the same best unit c are added up first, so that an epoch takes one product of the
    rows with the units, and one of the units with each other. Where the influence h may be
    negative, the step is ``w_k + Σ_i h (x_i − w_k) / Σ_i |h|``; for others that is the same. A
    unit that nothing reaches stays.

    Args:
        rows: Prepared by `neuropil.classic.competitive.nearest_units.prepare`.
        weights: One unit a row, about the same center as the rows.
        grid: The grid of the units.
        distance: What best means, as in `Search`.
        neighborhood: Name of the influence.
        radius: Its radius.
    """
    columns = weights.shape[1]
    sums = sums_by_unit(
        rows, factors(weights, distance, missing=rows.shape[1] == 2 * columns), columns
    )
    influence = NEIGHBORHOODS[neighborhood]
    moved = spread(grid, influence, radius, sums)
    totals, counts = moved[:, :columns], moved[:, columns:]
    if influence is mexican_hat:
        # Weights of both signs may add up to nothing: divided by their sizes, the step stays
        # bounded.
        totals = totals - weights * counts
        counts = spread(grid, size_of_mexican_hat, radius, sums[:, columns:])
        means = weights + totals / np.maximum(counts, NOTHING)
    else:
        means = totals / np.maximum(counts, NOTHING)
    if distance == "dot":
        means = of_unit_length(totals)
    return np.where(counts > NOTHING, means, weights).astype(weights.dtype)


def sums_by_unit(rows: Values, columns: Values, features: int) -> NDArray[np.float64]:
    """Return the sum of the rows that each unit is nearest to, in double precision.

    The products of rows in double precision are worked out in single precision first, in half
    the time; units that come so close that rounding may decide are then compared exactly.

    Args:
        rows: Prepared rows.
        columns: The factors that give their scores.
        features: How many of the rows' columns are features.
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
    """Return how far above the least score the best unit's may be in single precision.

    A sum of n products is off by at most ``(n + 2) u Σ|x f|``, u being half a last digit, with
    two more u for rounding the sum of least score and slack. None where the rows are in single
    precision themselves, or numbers may leave its range.

    Args:
        rows: Prepared rows.
        columns: The factors that give their scores.
        features: How many of the rows' columns are features.
    """
    if rows.dtype != np.float64:
        return None
    sizes = np.sqrt(np.einsum("ij,ij->i", rows[:, :features], rows[:, :features]))
    factor = np.sqrt((columns[:features] ** 2).sum(axis=0).max())
    rest = np.abs(columns[features:]).sum(axis=0).max()
    bounds = sizes * factor + rest
    if not (bounds.max() < LARGEST and factor > 1 / LARGEST and sizes.max() < LARGEST):
        return None
    return (2 * (len(columns) + 4) * 2.0**-24 * bounds).astype(np.float32)


def of_unit_length(weights: Values) -> Values:
    """Return rows of length 1; a row of zeros stays."""
    sizes = np.sqrt((weights**2).sum(axis=1, keepdims=True))
    return weights / np.where(sizes > 0, sizes, 1)
