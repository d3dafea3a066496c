"""The compiled loops of learning vector quantisation.

Prototypes are the columns of ``W``, so that a row's distances to all of them are computed in
vectorised loops.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from neuropil.classic.competitive.som.loops import nearest as nearest_unit
from neuropil.classic.compiled import REORDERED, compile_loop

if TYPE_CHECKING:
    from neuropil.classic.base import Floats, Indices


class Pass(NamedTuple):
    """One pass over rows: their order and learning rates.

    Attributes:
        X: Rows.
        y: Index of each row's class.
        order: The order of the rows.
        rate: Learning rate of the first step.
        fall: Decrease of the rate per step.
    """

    X: Floats
    y: Indices
    order: Indices
    rate: float
    fall: float


@compile_loop(fastmath=REORDERED)
def squared_distances(x: Floats, W: Floats, out: Floats) -> None:
    """Fill `out` with ‖x − w_k‖² for each column w_k."""
    for k in range(out.size):
        out[k] = 0
    whole = x.size - x.size % 4
    # Four rows of W at a time: `out` is read and written a quarter as often.
    for j in range(0, whole, 4):
        x0, x1, x2, x3 = x[j], x[j + 1], x[j + 2], x[j + 3]
        for k in range(out.size):
            d0, d1 = x0 - W[j, k], x1 - W[j + 1, k]
            d2, d3 = x2 - W[j + 2, k], x3 - W[j + 3, k]
            out[k] += d0 * d0 + d1 * d1 + d2 * d2 + d3 * d3
    for j in range(whole, x.size):
        xj = x[j]
        for k in range(out.size):
            d = xj - W[j, k]
            out[k] += d * d


@compile_loop()
def least(values: Floats) -> int:
    """Return the index of the least value."""
    # The least value is kept in a variable: reading it again would slow each iteration.
    i, found = 0, values[0]
    for k in range(1, values.size):
        if values[k] < found:
            i, found = k, values[k]
    return i


@compile_loop()
def two_least(values: Floats) -> tuple[int, int]:
    """Return the indices of the least and the second least of at least two values."""
    i, j = 0, 1
    if values[1] < values[0]:
        i, j = 1, 0
    first, second = values[i], values[j]
    for k in range(2, values.size):
        value = values[k]
        if value < first:
            i, j = k, i
            first, second = value, first
        elif value < second:
            j, second = k, value
    return i, j


@compile_loop()
def move(W: Floats, k: int, x: Floats, rate: float) -> None:
    """Move a prototype towards x, or away from it if the rate is negative."""
    for j in range(x.size):
        W[j, k] += rate * (x[j] - W[j, k])


@compile_loop()
def nearest(X: Floats, W: Floats) -> Indices:
    """Return the nearest column of each row."""
    distances = np.empty(W.shape[1], W.dtype)
    found = np.empty(len(X), np.intp)
    for row in range(len(X)):
        squared_distances(X[row], W, distances)
        found[row] = least(distances)
    return found


@compile_loop()
def settle(X: Floats, V: Floats, passes: int) -> None:
    """Move units to the means of their nearest rows, until no assignment changes (k-means).

    The units are too few to vectorise over, so they are stored as rows.

    Args:
        X: Rows.
        V: Units, one per row; changed. A unit that is nearest to no row does not move.
        passes: The largest number of passes over the rows.
    """
    found = np.full(len(X), -1)
    for _ in range(passes):
        if not assign(X, V, found):
            break
        move_to_means(X, V, found)


@compile_loop()
def assign(X: Floats, V: Floats, found: Indices) -> bool:
    """Find the nearest unit of each row, and tell whether any assignment changed."""
    changed = False
    for row in range(len(X)):
        k = nearest_unit(X[row], V)
        changed = changed or found[row] != k
        found[row] = k
    return changed


@compile_loop()
def move_to_means(X: Floats, V: Floats, found: Indices) -> None:
    """Move each unit to the mean of its rows, if there are any."""
    counts = np.zeros(len(V))
    for k in found:
        counts[k] += 1
    for k in range(len(V)):
        if counts[k] > 0:
            V[k] = 0
    for row in range(len(X)):
        k = found[row]
        share = 1 / counts[k]
        for j in range(X.shape[1]):
            V[k, j] += share * X[row, j]


@compile_loop()
def learn_winners(part: Pass, W: Floats, labels: Indices) -> None:
    """Move the winner of each row: towards it when the class is right, else away (LVQ1).

    Args:
        part: The rows, their order, and the rates, fractions of the way.
        W: Prototypes, one per column; changed.
        labels: The class of each prototype.
    """
    X, y, order, rate, fall = part
    distances = np.empty(W.shape[1], W.dtype)
    for row in order:
        x = X[row]
        squared_distances(x, W, distances)
        i = least(distances)
        move(W, i, x, rate if labels[i] == y[row] else -rate)
        rate -= fall


@compile_loop()
def learn_pairs(
    part: Pass,
    W: Floats,
    labels: Indices,
    within: float,
    only_mistakes: bool,  # noqa: FBT001 - compiled functions take no keywords
    epsilon: float,
) -> None:
    """Move the two nearest prototypes of each row in the window (LVQ2, LVQ2.1, LVQ3).

    Args:
        part: The rows, their order, and the rates, fractions of the way.
        W: Prototypes, one per column, at least two; changed.
        labels: The class of each prototype.
        within: The window: the least ratio of the two squared distances.
        only_mistakes: Whether the nearest must have the wrong class.
        epsilon: Factor of the rate if both have the right class.
    """
    X, y, order, rate, fall = part
    distances = np.empty(W.shape[1], W.dtype)
    for row in order:
        x = X[row]
        squared_distances(x, W, distances)
        i, j = two_least(distances)
        first, second = labels[i] == y[row], labels[j] == y[row]
        if first != second:
            # min(d_i / d_j, d_j / d_i) is d_i / d_j, since i is the nearest. All distances are
            # squared here, and so is `within`.
            inside = distances[i] > within * distances[j]
            if inside and not (only_mistakes and first):
                move(W, i, x, rate if first else -rate)
                move(W, j, x, rate if second else -rate)
        elif first and epsilon > 0:
            move(W, i, x, epsilon * rate)
            move(W, j, x, epsilon * rate)
        rate -= fall
