"""Sums of Gaussian windows, compiled: what is left to do once the distances are a product."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from neuropil.algorithms.exponential import exponential

Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.integer[Any]]

# Rows of data whose windows are looked at together: those that add nothing are left out.
GROUP = 128


compiled = njit(
    cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "arcp", "nsz"}
)


@compiled
def add_windows(
    powers: Floats,
    targets: Floats,
    offset: int,
    bounds: Integers,
    scales: Floats,
    negligible: float,
    peaks: Floats,
    sums: Floats,
) -> None:
    """Add ``e^power · target`` for a tile of queries and data to sums, one for each class.

    A sum is kept as a multiple of ``e^peak``, the largest power so far, so it neither overflows
    nor vanishes, however far the query is from all data.

    Args:
        powers: Powers of the windows before scaling, queries × data; overwritten.
        targets: What is summed behind the windows themselves, outputs × all data.
        offset: Where the tile begins among all data.
        bounds: Where each class begins in the tile, and the end.
        scales: What the powers of each class are multiplied by.
        negligible: Windows are left out that are smaller than the largest by this power.
        peaks: Largest powers, queries × classes; changed in place.
        sums: Sums, queries × classes × (1 + outputs), of the windows themselves and of each
            target; changed in place.
    """
    halves = np.empty(GROUP // 2, powers.dtype)
    highest = np.empty(powers.shape[1] // GROUP + 1, powers.dtype)
    for i in range(len(powers)):
        for k in range(len(scales)):
            first, last = bounds[k], bounds[k + 1]
            row = powers[i, first:last]
            peak = raise_peak(row, scales[k], peaks[i], k, sums[i, k], highest, halves)
            for n, start in enumerate(range(0, len(row), GROUP)):
                if highest[n] >= peak + negligible:
                    group = row[start : start + GROUP]
                    sums[i, k, 0] += open_windows(group, scales[k], peak)
                    begin = offset + first + start
                    for m in range(len(targets)):
                        sums[i, k, m + 1] += dot(group, targets[m, begin : begin + len(group)])


@compiled
def open_windows(group: Floats, scale: Any, peak: Any) -> Any:
    """Turn powers into windows, as multiples of the peak's, and return their sum."""
    total = group.dtype.type(0)
    for j in range(len(group)):
        window = exponential(scale * group[j] - peak)
        group[j] = window
        total += window
    return total


@compiled
def raise_peak(
    row: Floats,
    scale: Any,
    peaks: Floats,
    k: int,
    sums: Floats,
    highest: Floats,
    halves: Floats,
) -> Any:
    """Return the peak of a class with these powers; find each group's, and fit the sums."""
    peak = peaks[k]
    for n, start in enumerate(range(0, len(row), GROUP)):
        highest[n] = scale * largest(row[start : start + GROUP], halves)
        peak = max(peak, highest[n])
    if peak > peaks[k]:
        shrink = exponential(peaks[k] - peak)
        for m in range(len(sums)):
            sums[m] *= shrink
        peaks[k] = peak
    return peak


@compiled
def largest(group: Floats, halves: Floats) -> Any:
    """Return the largest of a group, found by halving it: on all lanes."""
    if len(group) < GROUP:
        found = group[0]
        for value in group:
            found = larger(found, value)
        return found
    for j in range(GROUP // 2):
        halves[j] = larger(group[j], group[j + GROUP // 2])
    for j in range(GROUP // 4):
        halves[j] = larger(halves[j], halves[j + GROUP // 4])
    for j in range(GROUP // 8):
        halves[j] = larger(halves[j], halves[j + GROUP // 8])
    for j in range(GROUP // 16):
        halves[j] = larger(halves[j], halves[j + GROUP // 16])
    for j in range(GROUP // 32):
        halves[j] = larger(halves[j], halves[j + GROUP // 32])
    return larger(larger(halves[0], halves[1]), larger(halves[2], halves[3]))


@compiled
def larger(a: Any, b: Any) -> Any:
    """Return the larger of two numbers; `max` would look out for NaN, at twice the time."""
    return a if a > b else b


@compiled
def dot(values: Floats, others: Floats) -> Any:
    """Return the sum of products."""
    total = values.dtype.type(0)
    for j in range(len(values)):
        total += values[j] * others[j]
    return total
