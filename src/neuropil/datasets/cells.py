"""What the cells of a table mean: numbers, words, or nothing."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from neuropil.datasets.errors import DataError
from neuropil.datasets.paths import shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

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


def number_label(value: float) -> str:
    """Return the shortest way to write a finite number: 1.0 and 1 are the same class."""
    return str(int(value)) if value == int(value) else f"{value:.12g}"


def numbers(cells: Sequence[str]) -> np.ndarray[Any, Any]:
    """Return a number for each cell, NaN where there is none."""
    try:
        # Four times as fast, and most columns are numbers throughout.
        if "_" not in "".join(cells):
            return np.fromiter(map(float, cells), np.float64, len(cells))
    except ValueError:
        pass
    return np.fromiter(map(as_number, cells), np.float64, len(cells))


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
    unread = np.flatnonzero(np.isnan(values)).tolist()
    words = [place for place in unread if not is_missing(cells[place])]
    count = len(values) - len(unread)
    if words and not is_slip(len(words), values[~np.isnan(values)]):
        return None
    # Infinity reads as a number, but teaches nothing; 1e300 is infinite in float32.
    with np.errstate(over="ignore"):
        infinite = np.flatnonzero(np.isinf(values.astype(np.float32))).tolist()
    if words or infinite:
        place, *others = words or infinite
        more = f" ({len(others):,} more like it)" if others else ""
        raise DataError(
            f"{where}, row {rows[place]}: {shortened(repr(cells[place]))}{more} in a column of "
            f"{count:,} numbers. Mend the cell, or leave it empty if the value is unknown."
        )
    return values


def is_slip(words: int, values: np.ndarray[Any, Any]) -> bool:
    """Tell whether words in a column of numbers are mistakes: few, or among many quantities."""
    few = words <= max(1, FEW_WORDS * (words + len(values)))
    return words < len(values) and (few or len(np.unique(values)) > MAX_CLASSES)
