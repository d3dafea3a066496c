"""The compiled loops of learning vector quantisation: a row after the other.

Prototypes are the columns of ``W``, so that a row's distances to all of them are worked out
side by side.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neuropil.classic.competitive.som.loops import REORDERED
from neuropil.classic.competitive.som.loops import nearest as nearest_unit
from neuropil.classic.compiled import compile_loop

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from neuropil.classic.base import Floats

    Indices = NDArray[np.intp]


@compile_loop(fastmath=REORDERED)
def squared_distances(x: Floats, W: Floats, out: Floats) -> None:
    """Fill `out` with ‖x − w_k‖² for each column w_k."""
    for k in range(out.size):
        out[k] = 0
    whole = x.size - x.size % 4
    # Four rows at a time: `out` is read and written a quarter as often.
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
    """Return where the least value stands."""
    # Found values are kept beside their places: reading them again would hold up each round.
    i, found = 0, values[0]
    for k in range(1, values.size):
        if values[k] < found:
            i, found = k, values[k]
    return i


@compile_loop()
def two_least(values: Floats) -> tuple[int, int]:
    """Return where the least and the second least value stand; there are at least two."""
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
    """Move a prototype towards x, or away from it where the rate is negative."""
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
    """Move units to the means of the rows nearest to them, until no row changes (k-means).

    The units are few, and rows themselves: side by side their columns would fill no lanes.

    Args:
        X: Rows.
        V: Units, one a row; changed. One that is nearest to no row stays where it is.
        passes: The most passes over the rows.
    """
    found = np.full(len(X), -1)
    for _ in range(passes):
        if not assign(X, V, found):
            break
        move_to_means(X, V, found)


@compile_loop()
def assign(X: Floats, V: Floats, found: Indices) -> bool:
    """Find the nearest unit of each row, and tell whether any is another than before."""
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
def learn_winners(
    X: Floats, y: Indices, order: Indices, W: Floats, labels: Indices, rate: float, fall: float
) -> None:
    """Move the winner of each row: towards it when the class is right, else away (LVQ1).

    Args:
        X: Rows.
        y: Their classes.
        order: Which row comes when.
        W: Prototypes, one a column; changed.
        labels: Their classes.
        rate: What share of the way the first step goes.
        fall: By how much the share falls with each step.
    """
    distances = np.empty(W.shape[1], W.dtype)
    for row in order:
        x = X[row]
        squared_distances(x, W, distances)
        i = least(distances)
        move(W, i, x, rate if labels[i] == y[row] else -rate)
        rate -= fall


@compile_loop()
def learn_pairs(
    X: Floats,
    y: Indices,
    order: Indices,
    W: Floats,
    labels: Indices,
    rate: float,
    fall: float,
    within: float,
    only_mistakes: bool,  # noqa: FBT001 - compiled functions take no keywords
    epsilon: float,
) -> None:
    """Move the two nearest prototypes of each row in the window (LVQ2, LVQ2.1, LVQ3).

    Args:
        X: Rows.
        y: Their classes.
        order: Which row comes when.
        W: Prototypes, one a column, at least two; changed.
        labels: Their classes.
        rate: What share of the way the first step goes.
        fall: By how much the share falls with each step.
        within: The window: how near to 1 the ratio of the two squared distances must be.
        only_mistakes: Whether the nearest must be the wrong one.
        epsilon: What part of the rate moves the two nearest when both are right.
    """
    distances = np.empty(W.shape[1], W.dtype)
    for row in order:
        x = X[row]
        squared_distances(x, W, distances)
        i, j = two_least(distances)
        first, second = labels[i] == y[row], labels[j] == y[row]
        if first != second:
            # The smaller ratio of the two distances is d_i / d_j; here all are squares, also
            # `within`.
            inside = distances[i] > within * distances[j]
            if inside and not (only_mistakes and first):
                move(W, i, x, rate if first else -rate)
                move(W, j, x, rate if second else -rate)
        elif first and epsilon > 0:
            move(W, i, x, epsilon * rate)
            move(W, j, x, epsilon * rate)
        rate -= fall
