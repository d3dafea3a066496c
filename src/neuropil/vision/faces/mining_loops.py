"""Compiled mining: the distances of each anchor to all others, and what is picked by them.

Distances are sums of squared differences, added in the same order for every pair: equal pairs
have equal distances, which products of matrices do not promise.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from neuropil.classic.compiled import compile_loop, fast

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[Any]
    Integers = NDArray[Any]

loop = compile_loop(error_model="numpy")
# Cells for each positive: most hold none or one.
CELLS = 4


@fast
def measure(embeddings: Floats, anchor: int, squares: Floats) -> None:
    """Write the squared distances of an anchor to all embeddings."""
    for j in range(len(embeddings)):
        total = squares.dtype.type(0)
        for k in range(embeddings.shape[1]):
            difference = embeddings[anchor, k] - embeddings[j, k]
            total += difference * difference
        squares[j] = total


@loop
def hardest(embeddings: Floats, people: Integers, first: int, last: int) -> Integers:
    """Return the triplets of some anchors: the farthest positive, the nearest negative.

    Args:
        embeddings: ``(B, D)``.
        people: ``(B)``.
        first: The first anchor.
        last: The end of the anchors.

    Returns:
        Anchors, positives, negatives: ``(3, triplets)``.
    """
    found = np.empty((3, last - first), np.int64)
    squares = np.empty(len(people), embeddings.dtype)
    n = 0
    for anchor in range(first, last):
        measure(embeddings, anchor, squares)
        farthest = nearest = -1
        for j in range(len(people)):
            if people[j] != people[anchor]:
                if nearest < 0 or squares[j] < squares[nearest]:
                    nearest = j
            elif j != anchor and (farthest < 0 or squares[j] > squares[farthest]):
                farthest = j
        if farthest >= 0 and nearest >= 0:
            found[0, n], found[1, n], found[2, n] = anchor, farthest, nearest
            n += 1
    return found[:, :n].copy()


@loop
def semi_hard(
    embeddings: Floats, people: Integers, first: int, last: int, pairs: int, margin: Any
) -> Integers:
    """Return the triplets of some anchors: each positive, the nearest negative beyond it.

    Args:
        embeddings: ``(B, D)``.
        people: ``(B)``.
        first: The first anchor.
        last: The end of the anchors.
        pairs: The number of their positives.
        margin: By how much a negative may be farther, in the dtype of the embeddings.

    Returns:
        Anchors, positives, negatives: ``(3, triplets)``.
    """
    found = np.empty((3, pairs), np.int32)
    size = len(people)
    squares = np.empty(size, embeddings.dtype)
    positives, negatives = np.empty(size, np.int64), np.empty(size, np.int64)
    beyond, table = np.empty(size + 1, np.int64), np.empty(CELLS * size + 2, np.int64)
    n = 0
    for anchor in range(first, last):
        count = 0
        for j in range(size):
            positives[count] = j
            count += people[j] == people[anchor] and j != anchor
        if count == 0:
            continue
        measure(embeddings, anchor, squares)
        order = np.argsort(squares[positives[:count]])
        limits = squares[positives[:count]][order]
        find_beyond(squares, people, people[anchor], limits, table, beyond)
        for k in range(count):
            negatives[order[k]] = beyond[k]
        for k in range(count):
            near, far = positives[k], negatives[k]
            if far >= 0 and math.sqrt(squares[near]) - math.sqrt(squares[far]) + margin > 0:
                found[0, n], found[1, n], found[2, n] = anchor, near, far
                n += 1
    return found[:, :n].copy()


@loop
def find_beyond(
    squares: Floats,
    people: Integers,
    person: int,
    limits: Floats,
    table: Integers,
    beyond: Integers,
) -> None:
    """Write the nearest negative beyond each positive, or −1.

    Args:
        squares: The squared distances of the anchor.
        people: The people.
        person: The anchor's.
        limits: The squared distances of the positives, sorted.
        table: Room for the number of limits below each of their cells.
        beyond: Where to write.
    """
    lowest, highest = limits[0], limits[-1]
    scale = tabulate(limits, table)
    # Of the negatives between two limits only the nearest counts: it is beyond the lower one.
    beyond[: len(limits)] = -1
    for j in range(len(people)):
        square = squares[j]
        if square > lowest and people[j] != person:
            k = len(limits)
            if square <= highest:
                k = below(limits, table, scale, square)
            k -= 1
            if beyond[k] < 0 or square < squares[beyond[k]]:
                beyond[k] = j
    for k in range(len(limits) - 2, -1, -1):
        if beyond[k] < 0:
            beyond[k] = beyond[k + 1]


@loop
def tabulate(limits: Floats, table: Integers) -> Any:
    """Write the number of limits before each of equal cells, and return the cells per unit."""
    cells = CELLS * len(limits)
    scale = limits.dtype.type(cells / (limits[-1] - limits[0]))
    if scale == math.inf:  # equal limits, or hardly different ones: one cell for all
        scale = limits.dtype.type(0)
    k = 0
    for cell in range(cells + 1):
        while k < len(limits) and cell_of(limits[k], limits, scale) < cell:
            k += 1
        table[cell] = k
    table[cells + 1] = len(limits)
    return scale


@loop
def cell_of(square: Any, limits: Floats, scale: Any) -> Any:
    """Return the number of the cell of a squared distance, which rises with it."""
    return min(np.int64((square - limits[0]) * scale), CELLS * len(limits))


@loop
def below(limits: Floats, table: Integers, scale: Any, square: Any) -> Any:
    """Return the number of limits below a squared distance, searched within its cell."""
    cell = cell_of(square, limits, scale)
    low, high = table[cell], table[cell + 1]
    while low < high:
        middle = (low + high) >> 1
        if limits[middle] < square:
            low = middle + 1
        else:
            high = middle
    return low
