"""What single cells of a table mean: missing values, numbers, class labels."""

from __future__ import annotations

import math
import re
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

MISSING = (
    *("", "?", "na", "n/a", "#n/a", "#na", "#n/a n/a", "nan", "-nan", "null", "<na>", "nat"),
    *("1.#ind", "-1.#ind", "1.#qnan", "-1.#qnan", "\\n", "(null)"),
)
"""What pandas, R, Excel and databases write for an unknown value, in lower case."""
MISSING_NUMBERS = (*MISSING, "none")
"""Python's None as text is a word like others, but not a number."""
MAX_CLASSES = 20
"""Integers with more distinct values than this are quantities, not classes."""
EXACT = 2**53
"""Integers beyond this lose digits in floating point."""

MISSING_SET, MISSING_NUMBER_SET = pa.array(MISSING), pa.array(MISSING_NUMBERS)
INTEGER = re.compile(r"\+?(-?\d+)(?:\.0*|,0{1,2})?")
DECIMAL = re.compile(r"\+?(-?)(\d*)(\.\d*[1-9])0*")


def missing_cells(cells: pa.StringArray, *, numbers: bool = False) -> pa.BooleanArray:
    """Return for each cell whether its value is unknown.

    Args:
        cells: A column.
        numbers: Whether the column is one of numbers, where ``None`` is not a word.
    """
    known = MISSING_NUMBER_SET if numbers else MISSING_SET
    return pc.is_in(pc.utf8_lower(cells), value_set=known)


def is_missing(cell: str) -> bool:
    """Tell whether the value of a cell is unknown."""
    return cell.lower() in MISSING


def is_number(cell: str) -> bool:
    """Tell whether a cell is a number as programs write it, a missing one not included."""
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


def class_label(cell: str) -> str:
    """Return the name of the class in a cell, never by way of floating point.

    ``1.0``, ``1,0`` and ``+1`` are ``1``, and ``0.50`` is ``0.5``; ``007`` and integers of any
    length stay as they are written, and so do words.
    """
    if found := INTEGER.fullmatch(cell):
        return "0" if found[1] == "-0" else found[1]
    if found := DECIMAL.fullmatch(cell):
        return f"{found[1]}{found[2] or '0'}{found[3]}"
    value = as_number(cell)
    return number_label(value) if abs(value) < EXACT else cell


def class_labels(cells: pa.StringArray) -> pa.DictionaryArray:
    """Return the name of the class in each cell, each name stored once."""
    encoded = pc.dictionary_encode(cells)
    names = [class_label(cell) for cell in encoded.dictionary.to_pylist()]
    merged = pc.dictionary_encode(pa.array(names, pa.string()))
    indices = pc.take(merged.indices, encoded.indices)
    return pa.DictionaryArray.from_arrays(indices, merged.dictionary)


def as_text(cell: Any) -> str:
    """Return a cell in memory as its text; empty for None, NaN and what pandas has for them."""
    if cell is None or type(cell).__name__ in ("NAType", "NaTType"):
        return ""
    return "" if cell != cell else str(cell).strip()  # NaN differs from itself
