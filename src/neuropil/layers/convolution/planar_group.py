"""The rotations by 90° and reflections of the plane, and what they do to filters."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# How many elements each group has beside translations.
ORDERS = {"p4": 4, "p4m": 8}
QUARTERS = 4


def acted(element: int, picture: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return a picture under an element: mirrored for 4 and above, then rotated.

    Element r + 4m mirrors left and right if m = 1, then rotates by r · 90° anticlockwise.
    """
    mirrored = np.flip(picture, -1) if element >= QUARTERS else picture
    return np.rot90(mirrored, element % QUARTERS, (-2, -1))


@functools.cache
def divisions(order: int) -> NDArray[np.int64]:
    """Return the table of g⁻¹h, row g and column h."""
    corners = np.arange(4).reshape(2, 2)  # no two elements move them alike
    table = np.empty((order, order), dtype=np.int64)
    for g in range(order):
        for e in range(order):
            product = acted(g, acted(e, corners))
            h = next(h for h in range(order) if (acted(h, corners) == product).all())
            table[g, h] = e
    return table


@functools.lru_cache(maxsize=64)
def filter_places(order: int, size: int, *, lifts: bool) -> NDArray[np.int64]:
    """Return where in a flat filter the values of its transforms stand: a row an element.

    A filter has shape (F, F) where it lifts, else (order, F, F). Transformed by g it is
    w(g⁻¹h, g⁻¹t) at (h, t).
    """
    depth = 1 if lifts else order
    places = np.arange(depth * size * size).reshape(depth, size, size)
    by_element = [
        acted(g, places if lifts else places[divisions(order)[g]]) for g in range(order)
    ]
    return np.stack(by_element).reshape(order, -1)
