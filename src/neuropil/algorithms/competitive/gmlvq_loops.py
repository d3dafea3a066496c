"""The compiled loop of generalised matrix learning vector quantisation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from neuropil.algorithms.competitive.glvq_loops import apart, right_and_wrong, slope
from neuropil.algorithms.competitive.lvq_loops import REORDERED, squared_distances

if TYPE_CHECKING:
    from neuropil.algorithms.competitive.lvq_loops import Indices
    from neuropil.algorithms.estimator import Floats


@njit(cache=True, nogil=True)
def learn_metric(
    X: Floats,
    y: Indices,
    order: Indices,
    W: Floats,
    labels: Indices,
    rate: float,
    fall: float,
    beta: float,
    omega: Floats,
    mapped: Floats,
    metric_share: float,
    variance: float,
) -> None:
    """Widen each row's margin by its two prototypes, as `learn_margins`, and by the metric.

    Args:
        X: Rows.
        y: Their classes.
        order: Which row comes when.
        W: Prototypes, one a column; changed.
        labels: Their classes.
        rate: Learning rate of the first step.
        fall: By how much it falls with each step.
        beta: Steepness of the sigmoid.
        omega: Ω, square, ‖Ω‖ = 1; changed.
        mapped: Ω W; kept up with Ω, as it would cost K times as much to work it out anew.
        metric_share: What Ω's rate is of the prototypes'.
        variance: Of the rows, which makes the prototypes' rate free of the data's unit.
    """
    z, distances = np.empty_like(X[0]), np.empty(W.shape[1], W.dtype)
    # x − w and Ω (x − w), of the right prototype and of the wrong one.
    way, wrong_way, seen, wrong_seen = z.copy(), z.copy(), z.copy(), z.copy()
    for row in order:
        apply(omega, X[row], z)
        squared_distances(z, mapped, distances)
        i, j = right_and_wrong(distances, labels, int(y[row]))
        if i >= 0 and j >= 0 and apart(distances[i], distances[j], variance):
            to_right, to_wrong = float(distances[i]), float(distances[j])
            step = rate * slope(to_right, to_wrong, beta)
            difference(X[row], W, i, way)
            difference(X[row], W, j, wrong_way)
            difference(z, mapped, i, seen)
            difference(z, mapped, j, wrong_seen)
            pull(omega, W, i, seen, to_right, step * variance * to_wrong)
            pull(omega, W, j, wrong_seen, to_wrong, -step * variance * to_right)
            turn(omega, mapped, W, seen, way, -step * metric_share * to_wrong)
            turn(omega, mapped, W, wrong_seen, wrong_way, step * metric_share * to_right)
            map_column(omega, W, i, mapped)
            map_column(omega, W, j, mapped)
            normalise(omega, mapped)
        rate -= fall


@njit(cache=True, nogil=True, fastmath=REORDERED)
def apply(omega: Floats, x: Floats, out: Floats) -> None:
    """Fill `out` with Ω x."""
    for i in range(x.size):
        total = x[0] * 0
        for j in range(x.size):
            total += omega[i, j] * x[j]
        out[i] = total


@njit(cache=True, nogil=True)
def map_column(omega: Floats, W: Floats, k: int, mapped: Floats) -> None:
    """Work column k of Ω W out anew."""
    w, out = np.empty_like(omega[0]), np.empty_like(omega[0])
    for j in range(w.size):
        w[j] = W[j, k]
    apply(omega, w, out)
    for j in range(w.size):
        mapped[j, k] = out[j]


@njit(cache=True, nogil=True)
def difference(x: Floats, W: Floats, k: int, out: Floats) -> None:
    """Fill `out` with x − w_k."""
    for j in range(x.size):
        out[j] = x[j] - W[j, k]


@njit(cache=True, nogil=True, fastmath=REORDERED)
def normalise(omega: Floats, mapped: Floats) -> None:
    """Divide Ω, and Ω W, by ‖Ω‖."""
    total = 0.0
    for i in range(omega.shape[0]):
        for j in range(omega.shape[1]):
            total += omega[i, j] * omega[i, j]
    factor = 1 / np.sqrt(total)
    for i in range(omega.shape[0]):
        for j in range(omega.shape[1]):
            omega[i, j] *= factor
        for k in range(mapped.shape[1]):
            mapped[i, k] *= factor


@njit(cache=True, nogil=True, fastmath=REORDERED)
def pull(omega: Floats, W: Floats, k: int, seen: Floats, distance: float, rate: float) -> None:
    """Move column k by rate · ΩᵀΩ (x − w), at most as far as lets a sphere's distance vanish.

    Args:
        omega: Ω.
        W: Prototypes, one a column; column k is changed.
        k: Which.
        seen: Ω (x − w).
        distance: ‖Ω (x − w)‖².
        rate: How far; backwards when it is negative.
    """
    gradient = np.zeros_like(seen)
    for i in range(seen.size):
        for j in range(seen.size):
            gradient[j] += omega[i, j] * seen[i]
    square = 0.0
    for j in range(gradient.size):
        square += gradient[j] * gradient[j]
    if square > 0:
        rate = max(-distance / square, min(rate, distance / square))
        for j in range(gradient.size):
            W[j, k] += rate * gradient[j]


@njit(cache=True, nogil=True, fastmath=REORDERED)
def turn(
    omega: Floats, mapped: Floats, W: Floats, seen: Floats, way: Floats, rate: float
) -> None:
    """Add rate · Ω (x − w) (x − w)ᵀ to Ω, at most of norm 1; and what follows to Ω W.

    Args:
        omega: Ω; changed.
        mapped: Ω W; changed.
        W: Prototypes, one a column.
        seen: Ω (x − w).
        way: x − w.
        rate: How far.
    """
    square, length = 0.0, 0.0
    for j in range(way.size):
        square += way[j] * way[j]
        length += seen[j] * seen[j]
    most = np.sqrt(square * length)
    if abs(rate) * most > 1:
        rate = np.sign(rate) / most
    products = np.zeros(W.shape[1], W.dtype)
    for j in range(way.size):
        for k in range(W.shape[1]):
            products[k] += way[j] * W[j, k]
    for i in range(way.size):
        step = rate * seen[i]
        for j in range(way.size):
            omega[i, j] += step * way[j]
        for k in range(W.shape[1]):
            mapped[i, k] += step * products[k]
