"""The compiled loops of generalised matrix learning vector quantisation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neuropil.classic.competitive.lvq.glvq_loops import apart, right_and_wrong, slope
from neuropil.classic.competitive.lvq.loops import squared_distances
from neuropil.classic.compiled import REORDERED, compile_loop

if TYPE_CHECKING:
    from neuropil.classic.base import Floats, Indices
    from neuropil.classic.competitive.lvq.loops import Pass


@compile_loop()
def learn_metric(
    part: Pass,
    W: Floats,
    labels: Indices,
    beta: float,
    omega: Floats,
    mapped: Floats,
    metric_share: float,
    variance: float,
) -> None:
    """Widen each row's margin by moving its two prototypes, as `learn_margins`, and the metric.

    Args:
        part: The rows, their order, and the rates.
        W: Prototypes, one per column; changed.
        labels: The class of each prototype.
        beta: Steepness of the sigmoid.
        omega: Ω, square, ‖Ω‖ = 1; changed.
        mapped: Ω W; updated with Ω, since a new product would cost K times as much.
        metric_share: Learning rate of Ω relative to that of the prototypes.
        variance: σ², which makes the prototypes' rate independent of the data's scale.
    """
    X, y, order, rate, fall = part
    z, distances = np.empty_like(X[0]), np.empty(W.shape[1], W.dtype)
    # For the right prototype, then for the wrong one: x − w, Ω (x − w), ΩᵀΩ (x − w) and
    # (x − w)ᵀ W.
    ways = np.empty((2, z.size), z.dtype)
    seen, pulls = np.empty_like(ways), np.empty_like(ways)
    products = np.empty((2, W.shape[1]), z.dtype)
    for row in order:
        apply(omega, X[row], z)
        squared_distances(z, mapped, distances)
        i, j = right_and_wrong(distances, labels, int(y[row]))
        if i >= 0 and j >= 0 and apart(distances[i], distances[j], variance):
            to_right, to_wrong = float(distances[i]), float(distances[j])
            step = rate * slope(to_right, to_wrong, beta)
            differences(X[row], W, i, j, ways)
            differences(z, mapped, i, j, seen)
            multiply(seen, omega, pulls)
            multiply(ways, W, products)
            pull(W, i, pulls[0], to_right, step * variance * to_wrong)
            pull(W, j, pulls[1], to_wrong, -step * variance * to_right)
            # ∂d/∂Ω = 2 Ω (x − w)(x − w)ᵀ: the metric shrinks along directions in which the row
            # differs from its own class, and grows along those in which it differs from the
            # other.
            nearer = bound_rate(-step * metric_share * to_wrong, ways[0], seen[0])
            farther = bound_rate(step * metric_share * to_right, ways[1], seen[1])
            size = turn(omega, mapped, nearer, farther, ways, seen, products)
            # tr Λ = ‖Ω‖² in the Frobenius norm, so that this makes it 1 again.
            normalise(omega, mapped, size)
            map_columns(omega, W, i, j, pulls, mapped)
        rate -= fall


@compile_loop(fastmath=REORDERED)
def apply(omega: Floats, x: Floats, out: Floats) -> None:
    """Fill `out` with Ω x."""
    for i in range(x.size):
        total = x[0] * 0
        for j in range(x.size):
            total += omega[i, j] * x[j]
        out[i] = total


@compile_loop()
def differences(x: Floats, W: Floats, i: int, j: int, out: Floats) -> None:
    """Fill the two rows of `out` with x − w_i and x − w_j."""
    for c in range(x.size):
        out[0, c] = x[c] - W[c, i]
        out[1, c] = x[c] - W[c, j]


@compile_loop(fastmath=REORDERED)
def multiply(ways: Floats, W: Floats, out: Floats) -> None:
    """Fill `out` with the two rows of `ways` times W."""
    for k in range(W.shape[1]):
        out[0, k] = out[1, k] = 0
    for c in range(W.shape[0]):
        first, second = ways[0, c], ways[1, c]
        for k in range(W.shape[1]):
            out[0, k] += first * W[c, k]
            out[1, k] += second * W[c, k]


@compile_loop()
def pull(W: Floats, k: int, gradient: Floats, distance: float, rate: float) -> None:
    """Move column k by rate · ΩᵀΩ (x − w), with a bounded rate.

    With all eigenvalues of ΩᵀΩ equal, the largest step ends at x.

    Args:
        W: Prototypes, one per column; column k is changed.
        k: The column.
        gradient: ΩᵀΩ (x − w).
        distance: ‖Ω (x − w)‖².
        rate: The rate; a negative one repels.
    """
    square = 0.0
    for c in range(gradient.size):
        square += gradient[c] * gradient[c]
    if square > 0:
        rate = max(-distance / square, min(rate, distance / square))
        for c in range(gradient.size):
            W[c, k] += rate * gradient[c]


@compile_loop()
def bound_rate(rate: float, way: Floats, seen: Floats) -> float:
    """Return the rate, bounded so that rate · Ω (x − w) (x − w)ᵀ has at most norm 1, as Ω."""
    square, length = 0.0, 0.0
    for c in range(way.size):
        square += way[c] * way[c]
        length += seen[c] * seen[c]
    most = np.sqrt(square * length)
    return np.sign(rate) / most if abs(rate) * most > 1 else rate


@compile_loop(fastmath=REORDERED)
def turn(
    omega: Floats,
    mapped: Floats,
    nearer: float,
    farther: float,
    ways: Floats,
    seen: Floats,
    products: Floats,
) -> float:
    """Add nearer · Ω v vᵀ + farther · Ω u uᵀ to Ω, update Ω W, and return ‖Ω‖.

    Args:
        omega: Ω; changed.
        mapped: Ω W; changed.
        nearer: The rate for v, the difference to the right prototype.
        farther: The rate for u, the difference to the wrong one.
        ways: v and u.
        seen: Ω v and Ω u.
        products: vᵀ W and uᵀ W.
    """
    total = 0.0
    for r in range(omega.shape[0]):
        first, second = nearer * seen[0, r], farther * seen[1, r]
        for c in range(omega.shape[1]):
            omega[r, c] += first * ways[0, c] + second * ways[1, c]
            total += omega[r, c] * omega[r, c]
        for k in range(mapped.shape[1]):
            mapped[r, k] += first * products[0, k] + second * products[1, k]
    return np.sqrt(total)


@compile_loop(fastmath=REORDERED)
def normalise(omega: Floats, mapped: Floats, size: float) -> None:
    """Divide Ω and Ω W by ‖Ω‖."""
    factor = 1 / size
    for r in range(omega.shape[0]):
        for c in range(omega.shape[1]):
            omega[r, c] *= factor
        for k in range(mapped.shape[1]):
            mapped[r, k] *= factor


@compile_loop(fastmath=REORDERED)
def map_columns(
    omega: Floats, W: Floats, i: int, j: int, scratch: Floats, mapped: Floats
) -> None:
    """Recompute columns i and j of Ω W.

    Args:
        omega: Ω.
        W: Prototypes, one per column.
        i: A column.
        j: Another column.
        scratch: Memory for both columns as rows.
        mapped: Ω W; changed.
    """
    for c in range(W.shape[0]):
        scratch[0, c], scratch[1, c] = W[c, i], W[c, j]
    for r in range(omega.shape[0]):
        first, second = omega[0, 0] * 0, omega[0, 0] * 0
        for c in range(omega.shape[1]):
            first += omega[r, c] * scratch[0, c]
            second += omega[r, c] * scratch[1, c]
        mapped[r, i], mapped[r, j] = first, second
