"""The compiled loops of self-organising maps: a row after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Values = NDArray[np.floating[Any]]

# Sums may be taken in any order; NaN stays NaN.
REORDERED = {"reassoc", "contract", "arcp", "nsz"}
EUCLID, COSINE, DOT = range(3)
GAUSSIAN, BUBBLE, MEXICAN_HAT = range(3)
# exp(−40) of a difference is less than the last digit of what it is added to.
REACH = 80.0


@njit(cache=True, nogil=True)
def add_up(rows: Values, units: NDArray[np.intp], sums: Values) -> None:
    """Add each row to the sum of its unit."""
    for i in range(rows.shape[0]):
        total = sums[units[i]]
        for j in range(rows.shape[1]):
            total[j] += rows[i, j]


@njit(cache=True, nogil=True, fastmath=REORDERED)
def nearest(row: Values, present: Values, weights: Values) -> int:
    """Return the unit with the least Σ present (x − w)²."""
    best, least = 0, np.inf
    for k in range(weights.shape[0]):
        total = row[0] * 0
        for j in range(row.shape[0]):
            step = row[j] - weights[k, j]
            total += present[j] * step * step
        if total < least:
            best, least = k, total
    return best


@njit(cache=True, nogil=True, fastmath=REORDERED)
def best_aligned(row: Values, weights: Values, cosine: bool) -> int:  # noqa: FBT001 - compiled
    """Return the unit with the largest x·w, or x·w / ‖w‖."""
    best, most = 0, -np.inf
    for k in range(weights.shape[0]):
        product, square = row[0] * 0, row[0] * 0
        for j in range(row.shape[0]):
            product += row[j] * weights[k, j]
            square += weights[k, j] * weights[k, j]
        if cosine and square > 0:
            product /= np.sqrt(square)
        if product > most:
            best, most = k, product
    return best


@njit(cache=True, nogil=True)
def squared_distance(a: Values, b: Values, periods: Values) -> float:
    """Return the squared distance of two places, the shorter way round."""
    total = 0.0
    for axis in range(a.shape[0]):
        step = abs(a[axis] - b[axis])
        step = min(step, periods[axis] - step)
        total += step * step
    return total


@njit(cache=True, nogil=True)
def influence(kind: int, squared: float, radius: float) -> float:
    """Return how strongly a unit at this distance from the best is moved."""
    relative = squared / (radius * radius)
    if kind == BUBBLE:
        return 1.0 if relative <= 1 else 0.0
    if relative > REACH:
        return 0.0
    bell = np.exp(-0.5 * relative)
    return bell if kind == GAUSSIAN else (1 - relative) * bell


@njit(cache=True, nogil=True, fastmath=REORDERED)
def move(weight: Values, row: Values, present: Values, share: float) -> None:
    """Move a unit by a share of its way to the row."""
    for j in range(row.shape[0]):
        weight[j] += share * present[j] * (row[j] - weight[j])


@njit(cache=True, nogil=True, fastmath=REORDERED)
def turn(weight: Values, row: Values, share: float) -> None:
    """Add a share of the row to a unit, which keeps its length of 1."""
    square = 0.0
    for j in range(row.shape[0]):
        weight[j] += share * row[j]
        square += weight[j] * weight[j]
    if square > 0:
        size = np.sqrt(square)
        for j in range(row.shape[0]):
            weight[j] /= size


@njit(cache=True, nogil=True)
def online_epoch(
    X: Values,
    order: NDArray[np.intp],
    weights: Values,
    positions: Values,
    periods: Values,
    distance: int,
    kind: int,
    radius: float,
    lr: float,
) -> None:
    """Move units towards rows, row after row: ``w_k += lr h(c, k) (x − w_k)``."""
    columns = X.shape[1]
    row, present = np.empty(columns, X.dtype), np.empty(columns, X.dtype)
    for i in order:
        for j in range(columns):
            there = X[i, j] == X[i, j]
            present[j] = 1 if there else 0
            row[j] = X[i, j] if there else 0
        if distance == EUCLID:
            best = nearest(row, present, weights)
        else:
            best = best_aligned(row, weights, distance == COSINE)
        for k in range(weights.shape[0]):
            squared = squared_distance(positions[best], positions[k], periods)
            share = lr * influence(kind, squared, radius)
            if share != 0:
                if distance == DOT:
                    turn(weights[k], row, share)
                else:
                    move(weights[k], row, present, share)
