"""Distances between all pairs of embeddings, in blocks that fit in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neuropil.vision.faces.unit_length import unit_length

if TYPE_CHECKING:
    from collections.abc import Iterator

Array = np.ndarray[Any, Any]

# Distances that are held in memory at once.
MOST_AT_ONCE = 2**22
# Of two equal rows in float32, 2 − 2 a·b is not quite 0. Below this it is rounding.
ROUNDING = 1e-6


def sort_by_person(owner: str, embeddings: Any, people: Any) -> tuple[Array, Array]:
    """Return the embeddings scaled to unit length, and the numbers of their people.

    The rows are sorted by person, and people are numbered from 0.

    Shape:
        ``(N, D)`` and ``(N)`` give float32 ``(N, D)`` and integers ``(N)``.

    Args:
        owner: Name of the function that asks, for errors.
        embeddings: The embeddings.
        people: The name or the number of the person of each.

    Raises:
        ValueError: If the shapes do not fit, an embedding is zero or has a value that is not
            finite, or people are not names or whole numbers.

    Example:
        >>> rows, numbers = sort_by_person("example", [[0, 2], [3, 0]], ["b", "a"])
        >>> rows.tolist(), numbers.tolist()
        ([[1.0, 0.0], [0.0, 1.0]], [0, 1])
    """
    rows, names = np.asarray(embeddings, np.float64), np.asarray(people)
    if rows.ndim != 2 or names.shape != rows.shape[:1] or not rows.size:
        raise ValueError(
            f"{owner}: needs embeddings (N, D) and the person of each (N), got the shapes "
            f"{rows.shape} and {names.shape}."
        )
    if names.dtype.kind not in "iuU":
        raise ValueError(
            f"{owner}: people must be names or whole numbers, got the type {names.dtype}."
        )
    if not np.isfinite(rows).all():
        raise ValueError(f"{owner}: an embedding holds NaN or infinity.")
    if not rows.any(axis=1).all():
        raise ValueError(f"{owner}: an embedding is zero, so it has no direction.")
    unit = unit_length(rows)
    numbers = np.unique(names, return_inverse=True)[1]
    order = np.argsort(numbers, kind="stable")
    return unit[order], numbers[order]


def distances_between(rows: Array, others: Array) -> Array:
    """Return the Euclidean distances between rows of unit length, √(2 − 2 a·b)."""
    squares = 2 - 2 * (rows @ others.T)
    squares[squares < ROUNDING] = 0
    return np.sqrt(squares, out=squares)


def pair_blocks(rows: Array) -> Iterator[tuple[int, Array]]:
    """Yield the distances of all pairs of rows, each pair once.

    A block has the number of its first row; its columns start at the same row. Entries that are
    not a pair, since they were counted before or are a row with itself, are infinite.

    Args:
        rows: Rows of unit length.
    """
    step = max(1, MOST_AT_ONCE // len(rows))
    for first in range(0, len(rows), step):
        block = distances_between(rows[first : first + step], rows[first:])
        block[:, : len(block)][np.tri(len(block), dtype=bool)] = np.inf
        yield first, block
