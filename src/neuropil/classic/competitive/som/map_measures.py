"""Measures of a map: distances to neighbours, topographic product, and regions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from neuropil.classic.base import Floats, Indices
    from neuropil.classic.competitive.som.grid import Grid


def directions(weights: Floats) -> Floats:
    """Return units normalised to length 1; a unit of length 0 is unchanged."""
    sizes = np.sqrt((weights.astype(np.float64) ** 2).sum(axis=1, keepdims=True))
    return (weights / np.where(sizes > 0, sizes, 1)).astype(weights.dtype)


def apart(one: Floats, two: Floats, distance: str) -> Floats:
    """Return the distances of pairs of units, by the distance of their map.

    With ``"cosine"`` and ``"dot"`` that is 1 − cos, since units of a dot map have the length 1.
    A unit of length 0 counts as orthogonal to all others.

    Args:
        one: Units, one per row.
        two: Units, one per row, or a single unit.
        distance: As in `Search`.
    """
    if distance == "euclid":
        return np.sqrt(((one - two) ** 2).sum(axis=-1))
    # ‖a − b‖² / 2 for unit vectors a and b equals 1 − cos, without its cancellation.
    one, two = directions(np.atleast_2d(one)), directions(np.atleast_2d(two))
    none = ~(one.any(axis=-1) & two.any(axis=-1))
    return np.where(none, 1, ((one - two) ** 2).sum(axis=-1) / 2)


def mean_distance_to_neighbours(weights: Floats, grid: Grid, distance: str) -> Floats:
    """Return each unit's mean distance to its neighbours on the grid."""
    first, second = grid.edges().T
    distances = apart(weights[first], weights[second], distance)
    ends, both = np.concatenate([first, second]), np.concatenate([distances, distances])
    totals = np.bincount(ends, both, minlength=grid.units)
    counts = np.bincount(ends, minlength=grid.units)
    return totals / np.maximum(counts, 1)


def topographic_product(weights: Floats, grid: Grid, distance: str) -> float:
    """Return the mean of log P₃, of Bauer and Pawelzik (1992), over units and orders k.

    Raises:
        ValueError: If there is only one unit, or two units have the same weights.
    """
    if grid.units < 2:
        raise ValueError("topographic_product: needs two units or more, got 1.")
    total, k = 0.0, np.arange(1, grid.units)
    for j in range(grid.units):
        far = apart(weights, weights[j], distance)
        steps = np.sqrt(grid.squared_distances(np.array([j]))[0])
        if np.count_nonzero(far) < grid.units - 1:
            raise ValueError(
                "topographic_product: two units have the same weights, so their order by "
                "distance is undefined; fit a smaller grid, or one with fewer axes."
            )
        # The unit itself sorts first and is then dropped.
        far[j] = steps[j] = -1
        by_grid, by_rows = (np.argsort(d, kind="stable")[1:] for d in (steps, far))
        quotients = far[by_grid] / far[by_rows] * (steps[by_grid] / steps[by_rows])
        # log P₃(j, k) = Σ_{l ≤ k} log(Q₁(j, l) Q₂(j, l)) / 2k.
        total += (np.cumsum(np.log(quotients)) / (2 * k)).sum()
    return float(total / (grid.units * (grid.units - 1)))


def clusters_of_units(weights: Floats, grid: Grid, count: int, distance: str) -> Indices:
    """Return a number from 0 for each unit, the same within a region of the map."""
    from scipy.sparse import coo_matrix
    from sklearn.cluster import AgglomerativeClustering

    if grid.units == 1:
        return np.zeros(1, np.intp)
    first, second = grid.edges().T
    shape = (grid.units, grid.units)
    half = coo_matrix((np.ones(len(first)), (first, second)), shape).tocsr()
    model = AgglomerativeClustering(count, connectivity=half + half.T)
    # The squared distance of two unit vectors is 2 (1 − cos).
    return model.fit_predict(weights if distance == "euclid" else directions(weights))
