"""Sums of Gaussian windows, compiled: what is left to do once the distances are a product."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuropil.classic.compiled import compile_loop
from neuropil.classic.exponential import exponential

Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.integer[Any]]

LANES = 16  # numbers that processors compare side by side, at most
# Rows of data whose windows are looked at together: those that add nothing are left out.
GROUP = 8 * LANES


fast = compile_loop(error_model="numpy", fastmath={"reassoc", "contract", "arcp", "nsz"})


@fast
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
        targets: What is summed after the windows themselves, outputs × all data; at least one
            output.
        offset: Where the tile begins among all data.
        bounds: Where each class begins in the tile, and the end.
        scales: What the powers of each class are multiplied by.
        negligible: Windows are left out that are smaller than the largest by this power.
        peaks: Largest powers, queries × classes; changed in place.
        sums: Sums, queries × classes × (1 + outputs), of the windows themselves and of each
            target; changed in place.
    """
    lanes = np.empty(LANES, powers.dtype)
    highest = np.empty(powers.shape[1] // GROUP + 1, powers.dtype)
    for i in range(len(powers)):
        for k in range(len(scales)):
            first, last = bounds[k], bounds[k + 1]
            row = powers[i, first:last]
            peak = raise_peak(row, scales[k], peaks[i], k, sums[i, k], highest, lanes)
            for n, start in enumerate(range(0, len(row), GROUP)):
                if highest[n] >= peak + negligible:
                    group = row[start : start + GROUP]
                    begin = offset + first + start
                    end = begin + len(group)
                    target = targets[0, begin:end]
                    alone, aimed = open_windows(group, target, scales[k], peak)
                    sums[i, k, 0] += alone
                    sums[i, k, 1] += aimed
                    for m in range(1, len(targets)):
                        sums[i, k, m + 1] += dot(group, targets[m, begin:end])


@fast
def open_windows(group: Floats, target: Floats, scale: Any, peak: Any) -> tuple[Any, Any]:
    """Turn powers into windows, as multiples of the peak's; sum them without and with a target.

    Args:
        group: Powers; overwritten.
        target: One for each.
        scale: What they are multiplied by.
        peak: The largest power.
    """
    alone = aimed = group.dtype.type(0)
    for j in range(len(group)):
        window = exponential(scale * group[j] - peak)
        group[j] = window
        alone += window
        aimed += window * target[j]
    return alone, aimed


@fast
def raise_peak(
    row: Floats,
    scale: Any,
    peaks: Floats,
    k: int,
    sums: Floats,
    highest: Floats,
    lanes: Floats,
) -> Any:
    """Return the peak of a class with these powers; find each group's, and fit the sums."""
    peak = peaks[k]
    for n, start in enumerate(range(0, len(row), GROUP)):
        highest[n] = scale * largest(row[start : start + GROUP], lanes)
        peak = max(peak, highest[n])
    if peak > peaks[k]:
        # Sums so far were multiples of e^(old peak).
        shrink = exponential(peaks[k] - peak)
        for m in range(len(sums)):
            sums[m] *= shrink
        peaks[k] = peak
    return peak


@fast
def largest(group: Floats, lanes: Floats) -> Any:
    """Return the largest of a group, on all lanes of the processor."""
    if len(group) < GROUP:
        found = group[0]
        for value in group:
            found = larger(found, value)
        return found
    for j in range(LANES):
        first = larger(group[j], group[j + LANES])
        second = larger(group[j + 2 * LANES], group[j + 3 * LANES])
        third = larger(group[j + 4 * LANES], group[j + 5 * LANES])
        fourth = larger(group[j + 6 * LANES], group[j + 7 * LANES])
        lanes[j] = larger(larger(first, second), larger(third, fourth))
    for j in range(LANES // 2):
        lanes[j] = larger(lanes[j], lanes[j + LANES // 2])
    for j in range(LANES // 4):
        lanes[j] = larger(lanes[j], lanes[j + LANES // 4])
    return larger(larger(lanes[0], lanes[1]), larger(lanes[2], lanes[3]))


@fast
def larger(a: Any, b: Any) -> Any:
    """Return the larger of two numbers; `max` would look out for NaN, at twice the time."""
    return a if a > b else b


@fast
def dot(values: Floats, others: Floats) -> Any:
    """Return the sum of products."""
    total = values.dtype.type(0)
    for j in range(len(values)):
        total += values[j] * others[j]
    return total
