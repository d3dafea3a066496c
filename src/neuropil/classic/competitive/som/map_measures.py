"""How well a map keeps neighbours together: its surface, and errors to choose maps by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from neuropil.classic.competitive.som.grid import Grid
    from neuropil.classic.competitive.som.sofm import SOFM

    Values = NDArray[np.floating[Any]]


class MapErrors(NamedTuple):
    """What a map does to rows.

    Attributes:
        map: The map.
        quantization: Mean distance of a row to its best unit.
        topographic: Share of rows whose two best units are no neighbours.
        product: The one times the other.
    """

    map: SOFM
    quantization: float
    topographic: float
    product: float


def error_front(maps: Iterable[SOFM], X: Any) -> list[MapErrors]:
    """Return the maps that no other beats in both errors, the least product first.

    The two errors pull apart: a small final radius lets units follow rows closely and tears the
    map, a large one keeps it whole and stiff. The maps on the front are those to choose from.

    Args:
        maps: Fitted maps.
        X: Rows to judge them by.

    Raises:
        ValueError: When the rows do not fit the maps.

    Example:
        >>> from neuropil.classic import SOFM
        >>> X = [[0.0], [1.0], [2.0], [4.0]]
        >>> radii = (0.3, 1.0, 2.0)
        >>> maps = [SOFM((4,), final_radius=radius).fit(X) for radius in radii]
        >>> [found.map.final_radius for found in error_front(maps, X)]
        [0.3]
    """
    found = []
    for one in maps:
        errors = one.quantization_error(X), one.topographic_error(X)
        found.append(MapErrors(one, *errors, errors[0] * errors[1]))
    front = [one for one in found if not any(beats(other, one) for other in found)]
    return sorted(front, key=lambda one: one.product)


def beats(first: MapErrors, second: MapErrors) -> bool:
    """Return whether the first is no worse in both errors, and better in one."""
    a, b = first[1:3], second[1:3]
    return a[0] <= b[0] and a[1] <= b[1] and a != b


def directions(weights: Values) -> Values:
    """Return units of length 1; one of length 0 has no direction and stays."""
    sizes = np.sqrt((weights.astype(np.float64) ** 2).sum(axis=1, keepdims=True))
    return (weights / np.where(sizes > 0, sizes, 1)).astype(weights.dtype)


def apart(one: Values, two: Values, distance: str) -> Values:
    """Return how far units are from others, by the distance of their map.

    With ``"cosine"`` and ``"dot"`` that is 1 − cos, since units of a dot map have the length 1.
    A unit without a direction is at a right angle to all others.

    Args:
        one: Units, one a row.
        two: Units, as many, or one.
        distance: As in `Search`.
    """
    if distance == "euclid":
        return np.sqrt(((one - two) ** 2).sum(axis=-1))
    # Half the square of the way between directions: without the cancellation of 1 − cos.
    one, two = directions(np.atleast_2d(one)), directions(np.atleast_2d(two))
    none = ~(one.any(axis=-1) & two.any(axis=-1))
    return np.where(none, 1, ((one - two) ** 2).sum(axis=-1) / 2)


def mean_distance_to_neighbours(weights: Values, grid: Grid, distance: str) -> Values:
    """Return how far each unit is from its neighbours on the grid, on average."""
    first, second = grid.edges().T
    distances = apart(weights[first], weights[second], distance)
    ends, both = np.concatenate([first, second]), np.concatenate([distances, distances])
    totals = np.bincount(ends, both, minlength=grid.units)
    counts = np.bincount(ends, minlength=grid.units)
    return totals / np.maximum(counts, 1)


def topographic_product(weights: Values, grid: Grid, distance: str) -> float:
    """Return the mean log of how distances to the next units differ in rows and on the grid.

    Raises:
        ValueError: When there are no two units, or two stand on the same spot.
    """
    if grid.units < 2:
        raise ValueError("topographic_product: needs two units at least, got 1.")
    total, k = 0.0, np.arange(1, grid.units)
    for j in range(grid.units):
        far = apart(weights, weights[j], distance)
        steps = np.sqrt(grid.squared_distances(np.array([j]))[0])
        if np.count_nonzero(far) < grid.units - 1:
            raise ValueError(
                "topographic_product: two units have the same weights, so that their order is "
                "none; fit a smaller grid, or one with fewer axes."
            )
        far[j] = steps[j] = -1
        by_grid, by_rows = (np.argsort(d, kind="stable")[1:] for d in (steps, far))
        quotients = far[by_grid] / far[by_rows] * (steps[by_grid] / steps[by_rows])
        total += (np.cumsum(np.log(quotients)) / (2 * k)).sum()
    return float(total / (grid.units * (grid.units - 1)))


def clusters_of_units(
    weights: Values, grid: Grid, count: int, distance: str
) -> NDArray[np.intp]:
    """Return a number from 0 for each unit, the same within a region of the map."""
    from scipy.sparse import coo_matrix
    from sklearn.cluster import AgglomerativeClustering

    if grid.units == 1:
        return np.zeros(1, np.intp)
    first, second = grid.edges().T
    shape = (grid.units, grid.units)
    joined = coo_matrix((np.ones(len(first)), (first, second)), shape).tocsr()
    model = AgglomerativeClustering(count, connectivity=joined + joined.T)
    # The square of the way between two directions is twice 1 − cos.
    return model.fit_predict(weights if distance == "euclid" else directions(weights))
