"""Selection of maps by their quantisation and topographic errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from neuropil.classic.competitive.som.sofm import SOFM


class MapErrors(NamedTuple):
    """The errors of a map on rows.

    Attributes:
        map: The map.
        quantization: Mean distance of a row to its best unit.
        topographic: Fraction of rows whose two best units are not neighbours.
        product: The product of both errors.
    """

    map: SOFM
    quantization: float
    topographic: float
    product: float


def error_front(maps: Iterable[SOFM], X: Any) -> list[MapErrors]:
    """Return the Pareto front of maps by both errors, the least product first.

    The two errors conflict: with a small final radius the units follow the rows closely, but
    the map loses its order; with a large one it keeps the order, but is stiff. The maps on the
    front are those to choose from.

    Args:
        maps: Fitted maps.
        X: Rows on which the errors are measured.

    Raises:
        ValueError: If the rows do not fit the maps.

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
    """Tell whether the first map dominates the second: better in one error, worse in none."""
    a, b = first[1:3], second[1:3]
    return a[0] <= b[0] and a[1] <= b[1] and a != b
