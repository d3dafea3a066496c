"""The batch map: every unit becomes a weighted mean of all rows, epoch after epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neuropil.algorithms.competitive.neighborhoods import (
    NEIGHBORHOODS,
    mexican_hat,
    size_of_mexican_hat,
    spread,
)
from neuropil.algorithms.competitive.search import block_size, factors
from neuropil.algorithms.competitive.sofm_loops import add_up

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from neuropil.algorithms.competitive.grid import Grid

    Values = NDArray[np.floating[Any]]

# A sum of influences below this has lost its digits; far above the smallest float64.
NOTHING = 1e-280


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
        rows: Prepared by `neuropil.algorithms.competitive.search.prepare`.
        weights: One unit a row, about the same center as the rows.
        grid: The grid of the units.
        distance: What best means, as in `Search`.
        neighborhood: Name of the influence.
        radius: Its radius.
    """
    columns = weights.shape[1]
    sums = sums_by_unit(rows, factors(weights, distance, missing=rows.shape[1] == 2 * columns))
    influence = NEIGHBORHOODS[neighborhood]
    moved = spread(grid, influence, radius, sums)
    totals, counts = moved[:, :columns], moved[:, columns:]
    if influence is mexican_hat:
        totals = totals - weights * counts
        counts = spread(grid, size_of_mexican_hat, radius, sums[:, columns:])
        means = weights + totals / np.maximum(counts, NOTHING)
    else:
        means = totals / np.maximum(counts, NOTHING)
    if distance == "dot":
        means = of_unit_length(totals)
    return np.where(counts > NOTHING, means, weights).astype(weights.dtype)


def sums_by_unit(rows: Values, columns: Values) -> NDArray[np.float64]:
    """Return the sum of the rows that each unit is nearest to, in double precision.

    Args:
        rows: Prepared rows.
        columns: The factors that give their scores.
    """
    units = columns.shape[1]
    size = min(block_size(units), len(rows))
    scores = np.empty((size, units), rows.dtype)
    best = np.empty(size, np.intp)
    sums = np.zeros((units, rows.shape[1]))
    for start in range(0, len(rows), size):
        part = rows[start : start + size]
        count = len(part)
        np.dot(part, columns, out=scores[:count])
        scores[:count].argmin(axis=1, out=best[:count])
        add_up(part, best[:count], sums)
    return sums


def of_unit_length(weights: Values) -> Values:
    """Return rows of length 1; a row of zeros stays."""
    sizes = np.sqrt((weights**2).sum(axis=1, keepdims=True))
    return weights / np.where(sizes > 0, sizes, 1)
