"""Compiled sums of Gaussian windows, from a matrix of exponents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neuropil.classic.compiled import fast
from neuropil.classic.exponential import exponential

if TYPE_CHECKING:
    from neuropil.classic.base import Floats, Integers

LANES = 16  # the largest number of values that a SIMD instruction compares at once
# The number of windows examined together; a group whose windows are all negligible is skipped.
GROUP = 8 * LANES


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

    A sum is stored as a multiple of ``e^peak``, where peak is the largest exponent so far, so
    that it neither overflows nor vanishes, however far the query is from all data (the
    streaming form of log-sum-exp).

    Args:
        powers: Exponents of the windows before scaling, queries × data; overwritten.
        targets: The weights of the windows in further sums, outputs × all data; at least one
            output.
        offset: The index of the tile's first row among all data.
        bounds: The first index of each class in the tile, and the end.
        scales: The factor of each class's exponents.
        negligible: Windows whose exponent is below the peak by more than this are skipped.
        peaks: Largest exponents, queries × classes; changed in place.
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
    """Turn exponents into windows, relative to the peak's; sum them without and with a target.

    Args:
        group: Exponents; overwritten.
        target: The target of each window.
        scale: The factor of the exponents.
        peak: The largest exponent.
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
    """Return the new peak of a class, fill in each group's peak, and rescale the sums."""
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
    """Return the largest value of a group, by SIMD comparisons."""
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
    """Return the larger of two numbers; `max` also checks for NaN, and takes twice the time."""
    return a if a > b else b


@fast
def dot(values: Floats, others: Floats) -> Any:
    """Return the sum of products."""
    total = values.dtype.type(0)
    for j in range(len(values)):
        total += values[j] * others[j]
    return total
