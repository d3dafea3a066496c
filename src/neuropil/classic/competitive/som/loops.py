"""The compiled loops of self-organising maps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neuropil.classic.compiled import REORDERED, compile_loop

if TYPE_CHECKING:
    from neuropil.classic.base import Floats, Indices

EUCLID, COSINE, DOT = range(3)
GAUSSIAN, BUBBLE, MEXICAN_HAT = range(3)
# The largest d²/r² with an influence: beyond it exp(−d² / 2r²) < e⁻⁴⁰, below rounding.
REACH = 80.0
# The number of scores examined together, and most often skipped together.
STRIDE = 32
# The number of influences cached from row to row.
KEPT = 1 << 22


@compile_loop()
def add_up(rows: Floats, units: Indices, sums: Floats) -> None:
    """Add each row to the sum of its unit."""
    for i in range(rows.shape[0]):
        total = sums[units[i]]
        for j in range(rows.shape[1]):
            total[j] += rows[i, j]


@compile_loop(fastmath=REORDERED)
def settle(
    rows: Floats,
    factors: Floats,
    scores: Floats,
    slack: Floats,
    best: Indices,
) -> None:
    """Choose the best of the units whose scores are within the slack of the least.

    Args:
        rows: Prepared rows.
        factors: The factors of the scores, one row per unit.
        scores: Scores in single precision.
        slack: A bound on the best unit's score above the least score.
        best: The units of the least scores; becomes the best units.
    """
    for i in range(rows.shape[0]):
        limit = scores[i, best[i]] + slack[i]
        if count_within(scores, i, 0, scores.shape[1], limit) > 1:
            best[i] = best_within(rows, factors, scores, i, limit)


@compile_loop(fastmath=REORDERED)
def best_within(rows: Floats, factors: Floats, scores: Floats, i: int, limit: float) -> int:
    """Return the best of a row's units whose scores are not above a limit."""
    best, least, units = 0, np.inf, scores.shape[1]
    for first in range(0, units, STRIDE):
        end = min(first + STRIDE, units)
        if count_within(scores, i, first, end, limit) == 0:
            continue
        for k in range(first, end):
            if scores[i, k] <= limit:
                score = 0.0
                for j in range(rows.shape[1]):
                    score += rows[i, j] * factors[k, j]
                if score < least:
                    best, least = k, score
    return best


@compile_loop()
def count_within(scores: Floats, i: int, first: int, end: int, limit: float) -> int:
    """Return the number of a row's scores that are not above a limit."""
    count = np.int32(0)
    for k in range(first, end):
        count += np.int32(scores[i, k] <= limit)
    return int(count)


@compile_loop(fastmath=REORDERED)
def nearest(row: Floats, weights: Floats) -> int:
    """Return the unit with the least Σ (x − w)²."""
    best, least = 0, np.inf
    for k in range(weights.shape[0]):
        total = row.dtype.type(0)
        for j in range(row.shape[0]):
            step = row[j] - weights[k, j]
            total += step * step
        if total < least:
            best, least = k, total
    return best


@compile_loop(fastmath=REORDERED)
def nearest_where(present: Floats, row: Floats, weights: Floats) -> int:
    """Return the unit with the least Σ p (x − w)²; p is 1 where x is present, else 0."""
    best, least = 0, np.inf
    for k in range(weights.shape[0]):
        total = row.dtype.type(0)
        for j in range(row.shape[0]):
            step = row[j] - weights[k, j]
            total += present[j] * step * step
        if total < least:
            best, least = k, total
    return best


@compile_loop(fastmath=REORDERED)
def best_aligned(row: Floats, weights: Floats, cosine: bool) -> int:  # noqa: FBT001 - compiled
    """Return the unit with the largest x·w, or x·w / ‖w‖."""
    best, most = 0, -np.inf
    for k in range(weights.shape[0]):
        product, square = row.dtype.type(0), row.dtype.type(0)
        for j in range(row.shape[0]):
            product += row[j] * weights[k, j]
            square += weights[k, j] * weights[k, j]
        if cosine and square > 0:
            # x·w / ‖w‖ has the same argmax as the cosine, since ‖x‖ is common to all units.
            product /= np.sqrt(square)
        if product > most:
            best, most = k, product
    return best


@compile_loop()
def fill_shares(
    shares: Floats, best: int, positions: Floats, periods: Floats, kind: int, radius: float
) -> None:
    """Fill in the influence h of the best unit on each unit."""
    for k in range(shares.shape[0]):
        relative = 0.0
        for axis in range(periods.shape[0]):
            step = abs(positions[best, axis] - positions[k, axis])
            step = min(step, periods[axis] - step) / radius
            relative += step * step
        if kind == BUBBLE:
            shares[k] = 1.0 if relative <= 1 else 0.0
        elif relative > REACH:
            shares[k] = 0.0
        else:
            bell = np.exp(-0.5 * relative)
            shares[k] = bell if kind == GAUSSIAN else (1 - relative) * bell


@compile_loop(fastmath=REORDERED)
def move(weights: Floats, row: Floats, present: Floats, shares: Floats, lr: float) -> None:
    """Move each unit towards the row, by the rate times its influence."""
    for k in range(weights.shape[0]):
        if shares[k] != 0:
            part = row.dtype.type(lr * shares[k])
            for j in range(row.shape[0]):
                weights[k, j] += part * present[j] * (row[j] - weights[k, j])


@compile_loop(fastmath=REORDERED)
def turn(weights: Floats, row: Floats, shares: Floats, lr: float) -> None:
    """Add the row, times the rate and the influence, to each unit, and normalise the unit."""
    for k in range(weights.shape[0]):
        if shares[k] != 0:
            part, square = row.dtype.type(lr * shares[k]), row.dtype.type(0)
            for j in range(row.shape[0]):
                weights[k, j] += part * row[j]
                square += weights[k, j] * weights[k, j]
            # The dot product favours long units, so all are kept on the unit sphere.
            if square > 0:
                size = np.sqrt(square)
                for j in range(row.shape[0]):
                    weights[k, j] /= size


@compile_loop()
def online_epoch(
    X: Floats,
    order: Indices,
    weights: Floats,
    positions: Floats,
    periods: Floats,
    distance: int,
    kind: int,
    radius: float,
    lr: float,
) -> None:
    """Move units towards rows, row after row: ``w_k += lr h(c, k) (x − w_k)``."""
    columns, units = X.shape[1], weights.shape[0]
    row, present = np.empty(columns, X.dtype), np.empty(columns, X.dtype)
    # The influences of a best unit do not change during an epoch, so they are cached.
    kept = max(1, min(units, KEPT // units))
    shares, owner = np.empty((kept, units)), np.full(kept, -1)
    for i in order:
        whole = True
        for j in range(columns):
            # False for NaN alone.
            there = X[i, j] == X[i, j]
            whole = whole and there
            present[j] = 1 if there else 0
            row[j] = X[i, j] if there else 0
        if distance != EUCLID:
            best = best_aligned(row, weights, distance == COSINE)
        elif whole:
            best = nearest(row, weights)
        else:
            best = nearest_where(present, row, weights)
        place = best % kept
        if owner[place] != best:
            fill_shares(shares[place], best, positions, periods, kind, radius)
            owner[place] = best
        if distance == DOT:
            turn(weights, row, shares[place], lr)
        else:
            move(weights, row, present, shares[place], lr)
