"""Neighbourhood functions: the influence of units on each other by their grid distance."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuropil.classic.base import Floats
    from neuropil.classic.competitive.som.grid import Grid

    Neighborhood = Callable[[Floats, float], Floats]

# The number of entries of the matrix of all influences that are held at once.
HELD = 1 << 20


def gaussian(squared: Floats, radius: float) -> Floats:
    """Return exp(−d² / 2r²)."""
    return np.exp(squared * (-0.5 / radius**2))


def bubble(squared: Floats, radius: float) -> Floats:
    """Return 1 up to the radius, 0 beyond."""
    return (squared <= radius**2).astype(np.float64)


def mexican_hat(squared: Floats, radius: float) -> Floats:
    """Return (1 − d²/r²) exp(−d² / 2r²), which is negative beyond the radius."""
    return (1 - squared / radius**2) * gaussian(squared, radius)


def size_of_mexican_hat(squared: Floats, radius: float) -> Floats:
    """Return the absolute value of `mexican_hat`."""
    return np.abs(mexican_hat(squared, radius))


NEIGHBORHOODS: dict[str, Neighborhood] = {
    "gaussian": gaussian,
    "bubble": bubble,
    "mexican_hat": mexican_hat,
}


def spread(grid: Grid, neighborhood: Neighborhood, radius: float, values: Floats) -> Floats:
    """Return Σ_j h(j, k) v_j for each unit k: the values smoothed over the grid.

    A Gaussian over a rectangular grid is a product of Gaussians, one per axis, so that one
    small matrix per axis is enough. Other functions use the matrix of all pairs, in blocks.

    Args:
        grid: The grid.
        neighborhood: One of the functions above.
        radius: Its radius.
        values: One row per unit.
    """
    if neighborhood is gaussian and not grid.hexagonal:
        return spread_along_axes(grid, radius, values)
    result = np.empty_like(values)
    step = max(1, HELD // grid.units)
    for start in range(0, grid.units, step):
        units = np.arange(start, min(start + step, grid.units))
        result[units] = neighborhood(grid.squared_distances(units), radius) @ values
    return result


def spread_along_axes(grid: Grid, radius: float, values: Floats) -> Floats:
    """Return the values smoothed along one axis of the grid after the other."""
    result = values
    for axis, (side, period) in enumerate(zip(grid.sides, grid.periods, strict=True)):
        place = np.arange(side, dtype=np.float64)
        steps = np.abs(place[:, None] - place)
        influence = gaussian(np.minimum(steps, period - steps) ** 2, radius)
        before = math.prod(grid.sides[:axis])
        # exp(−(d₁² + d₂² + …) / 2r²) is a product over axes: smooth along one axis after the
        # other.
        result = influence @ result.reshape(before, side, -1)
    return result.reshape(values.shape)
