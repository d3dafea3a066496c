"""Compiled loops of adaptive resonance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neuropil.classic.compiled import compile_loop

if TYPE_CHECKING:
    from neuropil.classic.base import Floats


@compile_loop()
def resonant(
    row: Floats,
    size: float,
    table: Floats,
    norms: Floats,
    count: int,
    vigilance: float,
    choice: float,
    overlaps: Floats,
) -> int:
    """Return the category of greatest choice among those that match well enough, or −1.

    Searching in decreasing order of choice for the first match is the same as taking the
    greatest choice of all matches; of equals, the first.

    Args:
        row: A coded input.
        size: |I|, the divisor of overlaps.
        table: Weights, (columns, capacity), one category per column.
        norms: |w| of each category.
        count: Number of categories in use.
        vigilance: ρ.
        choice: α.
        overlaps: Scratch for |min(I, w)| of each category.
    """
    for category in range(count):
        overlaps[category] = 0.0
    for column in range(row.shape[0]):
        value = row[column]
        if value != 0.0:
            for category in range(count):
                overlaps[category] += min(value, table[column, category])
    best, greatest = -1, -np.inf
    for category in range(count):
        # An all-zero input matches only an all-zero category.
        empty = size == 0.0 and norms[category] == 0.0
        if empty or (size > 0.0 and overlaps[category] / size >= vigilance):
            # The choice function: it prefers the category of which the row covers the largest
            # fraction.
            chosen = overlaps[category] / (choice + norms[category])
            if chosen > greatest:
                best, greatest = category, chosen
    return best


@compile_loop()
def learn_rows(
    rows: Floats,
    sizes: Floats,
    start: int,
    table: Floats,
    norms: Floats,
    count: int,
    most: int,
    options: tuple[float, float, float],
    labels: np.ndarray,
) -> tuple[int, int, bool]:
    """Learn rows until all are learnt or the table is full.

    Args:
        rows: Coded inputs.
        sizes: |I| of each.
        start: The first row to learn.
        table: Weights, (columns, capacity); changed.
        norms: |w| of each category; changed.
        count: Number of categories in use.
        most: The largest number of categories.
        options: ρ, α, and the learning rate β.
        labels: Filled with the category of each row; −1 where none resonates and no further
            one is allowed.

    Returns:
        The next row to learn, the number of categories, and whether a weight changed.
    """
    vigilance, choice, lr = options
    overlaps = np.empty(norms.shape[0], rows.dtype)
    changed = False
    for number in range(start, rows.shape[0]):
        row = rows[number]
        best = resonant(row, sizes[number], table, norms, count, vigilance, choice, overlaps)
        new = best < 0
        if new:
            if count == most:
                labels[number] = -1
                continue
            if count == norms.shape[0]:
                return number, count, changed
            best = count
            count += 1
            changed = True
        labels[number] = best
        norm = rows.dtype.type(0.0)
        for column in range(row.shape[0]):
            weight = row[column]
            if not new:
                old = table[column, best]
                # min(I, w) ≤ w: weights never grow, so that categories become stable.
                table[column, best] = lr * min(weight, old) + (1.0 - lr) * old
                changed = changed or table[column, best] != old
            else:
                table[column, best] = weight
            norm += table[column, best]
        norms[best] = norm
    return rows.shape[0], count, changed


@compile_loop()
def find_rows(
    rows: Floats,
    sizes: Floats,
    table: Floats,
    norms: Floats,
    vigilance: float,
    choice: float,
    labels: np.ndarray,
) -> None:
    """Fill in the category of each row; −1 if none resonates."""
    overlaps = np.empty(norms.shape[0], rows.dtype)
    count = norms.shape[0]
    for number in range(rows.shape[0]):
        labels[number] = resonant(
            rows[number], sizes[number], table, norms, count, vigilance, choice, overlaps
        )
