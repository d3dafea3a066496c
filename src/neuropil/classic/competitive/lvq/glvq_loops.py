"""The compiled loops of generalised learning vector quantisation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neuropil.classic.competitive.lvq.loops import move, squared_distances
from neuropil.classic.compiled import compile_loop

if TYPE_CHECKING:
    from neuropil.classic.base import Floats, Indices
    from neuropil.classic.competitive.lvq.loops import Pass


@compile_loop()
def right_and_wrong(distances: Floats, labels: Indices, right: int) -> tuple[int, int]:
    """Return the index of the nearest prototype of the right, and of another class, or −1."""
    i, j = -1, -1
    to_right = to_wrong = distances[0]
    for k in range(labels.size):
        distance = distances[k]
        if labels[k] == right:
            if i < 0 or distance < to_right:
                i, to_right = k, distance
        elif j < 0 or distance < to_wrong:
            j, to_wrong = k, distance
    return i, j


@compile_loop()
def apart(to_right: float, to_wrong: float, scale: float) -> bool:
    """Tell whether the distances to two prototypes are large enough to divide by their sum."""
    total = to_right + to_wrong
    return total > 1e-30 * scale and total > 1e-140


@compile_loop()
def slope(to_right: float, to_wrong: float, beta: float) -> float:
    """Return f′(μ) / (d⁺ + d⁻)², μ = (d⁺ − d⁻) / (d⁺ + d⁻) and f(μ) = 1 / (1 + e^(−βμ))."""
    total = to_right + to_wrong
    f = 1 / (1 + np.exp(-beta * (to_right - to_wrong) / total))
    # f′ = β f (1 − f). With ∂μ/∂d⁺ = 2 d⁻ / (d⁺ + d⁻)² and ∂μ/∂d⁻ = −2 d⁺ / (d⁺ + d⁻)², callers
    # multiply by the distance of the other prototype.
    return beta * f * (1 - f) / total / total


@compile_loop()
def weigh_margins(
    X: Floats, y: Indices, W: Floats, labels: Indices, beta: float
) -> tuple[float, float, float]:
    """Return Σ f(μ) of all rows, Σ f′(μ), and Σ f′(μ) / (d⁺ + d⁻).

    A row that coincides with both of its prototypes counts as a row on the border, f(0) = ½.

    Args:
        X: Rows.
        y: The class of each row.
        W: Prototypes, one per column.
        labels: The class of each prototype.
        beta: Steepness of the sigmoid.
    """
    distances = np.empty(W.shape[1], W.dtype)
    cost = slopes = per_distance = 0.0
    for row in range(len(X)):
        squared_distances(X[row], W, distances)
        i, j = right_and_wrong(distances, labels, int(y[row]))
        if i >= 0 and j >= 0:
            to_right, to_wrong = float(distances[i]), float(distances[j])
            total = to_right + to_wrong
            if total > 1e-140:
                f = 1 / (1 + np.exp(-beta * (to_right - to_wrong) / total))
                cost += f
                slopes += f * (1 - f)
                per_distance += f * (1 - f) / total
            else:
                cost += 0.5
    return cost, slopes, per_distance


@compile_loop()
def learn_margins(part: Pass, W: Floats, labels: Indices, beta: float) -> None:
    """Attract the nearest prototype of each row's class, and repel the nearest of another.

    Args:
        part: The rows, their order, and the rates.
        W: Prototypes, one per column; changed.
        labels: The class of each prototype.
        beta: Steepness of the sigmoid.
    """
    X, y, order, rate, fall = part
    distances = np.empty(W.shape[1], W.dtype)
    for row in order:
        squared_distances(X[row], W, distances)
        i, j = right_and_wrong(distances, labels, int(y[row]))
        if i >= 0 and j >= 0 and apart(distances[i], distances[j], rate):
            to_right, to_wrong = float(distances[i]), float(distances[j])
            step = rate * slope(to_right, to_wrong, beta)
            # Between two prototypes that nearly coincide the gradient is unbounded: no step is
            # longer than the distance to the row.
            move(W, i, X[row], min(step * to_wrong, 1.0))
            move(W, j, X[row], -min(step * to_right, 1.0))
        rate -= fall
