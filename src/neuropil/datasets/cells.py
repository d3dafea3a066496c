"""What the cells of a table mean: numbers, words, or nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from neuropil.datasets.errors import DataError

MISSING = frozenset(["", "?", "na", "n/a", "#n/a", "nan", "null"])
FEW_WORDS = 0.1
"""Up to this share of words among numbers is taken for a slip."""
MAX_CLASSES = 20
"""Integers with more distinct values than this are quantities, not classes."""


def is_missing(cell: str) -> bool:
    """Tell whether a cell stands for an unknown value."""
    return cell.casefold() in MISSING


def is_number(cell: str) -> bool:
    """Tell whether a cell is a number, a missing one not included."""
    return not math.isnan(as_number(cell))


def as_number(cell: str) -> float:
    """Return the number in a cell, or NaN."""
    try:
        # Python takes 1_000 for a number; nobody else does.
        return math.nan if "_" in cell else float(cell)
    except ValueError:
        return math.nan


def numbers(cells: Sequence[str]) -> np.ndarray[Any, Any]:
    """Return a number for each cell, NaN where there is none."""
    return np.array([as_number(cell) for cell in cells], dtype=np.float64)


def column_numbers(
    cells: Sequence[str], rows: Sequence[int], where: str
) -> np.ndarray[Any, Any] | None:
    """Return a column as numbers, NaN where missing; None if it is a column of words.

    Args:
        cells: The column.
        rows: Row of each cell in the file.
        where: The file and the column, for the error.

    Raises:
        DataError: If a few words stand among numbers, or a number is infinite.
    """
    values = numbers(cells)
    words = [place for place in np.flatnonzero(np.isnan(values)) if not is_missing(cells[place])]
    count = len(values) - int(np.isnan(values).sum())
    if words and not is_slip(len(words), values[~np.isnan(values)]):
        return None
    # Infinity reads as a number, but nothing can be learnt from it; 1e300 is infinite in float32.
    with np.errstate(over="ignore"):
        infinite = np.flatnonzero(np.isinf(values.astype(np.float32)))
    if words or len(infinite):
        place = words[0] if words else infinite[0]
        others = len(words) - 1 if words else len(infinite) - 1
        more = f" ({others:,} more like it)" if others else ""
        raise DataError(
            f"{where}, row {rows[place]}: {cells[place]!r}{more} in a column of {count:,} numbers. Mend the cell, or leave it "
            "empty if the value is unknown."
        )
    return values


def is_slip(words: int, values: np.ndarray[Any, Any]) -> bool:
    """Tell whether words in a column of numbers are mistakes: few, or among many quantities."""
    few = words <= max(1, FEW_WORDS * (words + len(values)))
    return words < len(values) and (few or len(np.unique(values)) > MAX_CLASSES)
