"""The rotations by 90° and reflections of the plane, and their action on filters."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Order of each group, without translations.
ORDERS = {"p4": 4, "p4m": 8}
QUARTERS = 4


def transform(element: int, image: NDArray[np.int64]) -> NDArray[np.int64]:
    """Apply a group element to an image: mirror it for 4 and above, then rotate it.

    Element r + 4m mirrors left and right if m = 1, then rotates by r · 90° anticlockwise.
    """
    mirrored = np.flip(image, -1) if element >= QUARTERS else image
    return np.rot90(mirrored, element % QUARTERS, (-2, -1))


@functools.cache
def division_table(order: int) -> NDArray[np.int64]:
    """Return the table of g⁻¹h with a row for each g and a column for each h."""
    corners = np.arange(4).reshape(2, 2)  # each element permutes them differently
    table = np.empty((order, order), dtype=np.int64)
    for g in range(order):
        for e in range(order):
            product = transform(g, transform(e, corners))
            h = next(h for h in range(order) if (transform(h, corners) == product).all())
            table[g, h] = e
    return table


@functools.lru_cache(maxsize=64)
def transform_indices(order: int, size: int, *, lifts: bool) -> NDArray[np.int64]:
    """Return the indices into a flat filter of its transforms, one row per group element.

    A lifting filter has shape (F, F), any other (order, F, F). Transformed by g, it is
    w(g⁻¹h, g⁻¹t) at (h, t).
    """
    depth = 1 if lifts else order
    places = np.arange(depth * size * size).reshape(depth, size, size)
    by_element = [
        transform(g, places if lifts else places[division_table(order)[g]])
        for g in range(order)
    ]
    return np.stack(by_element).reshape(order, -1)
