"""Single cells of a table: missing values, numbers, class labels.

Targets of all kinds of data use it, so PyArrow is loaded only for columns of a table.
"""

from __future__ import annotations

import math
import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

    from neuropil.datasets.tables.typed_columns import Column

MISSING = (
    *("", "?", "na", "n/a", "#n/a", "#na", "#n/a n/a", "nan", "-nan", "null", "<na>", "nat"),
    *("1.#ind", "-1.#ind", "1.#qnan", "-1.#qnan", "\\n", "(null)"),
)
"""Texts that pandas, R, Excel and databases write for a missing value, in lower case."""
MISSING_NUMBERS = (*MISSING, "none")
"""The same in a column of numbers; among words, ``None`` may be a category."""
MAX_CLASSES = 20
"""Integers with more distinct values than this are quantities, not classes."""
EXACT = 2**53
"""Integers beyond this lose digits in floating point."""

INTEGER = re.compile(r"\+?(-?\d+)(?:\.0*|,0{1,2})?")
DECIMAL = re.compile(r"\+?(-?)(\d*)(\.\d*[1-9])0*")


def missing_cells(cells: Column, *, numbers: bool = False) -> pa.BooleanArray:
    """Return a mask of the cells whose value is missing.

    Args:
        cells: A column.
        numbers: Whether text is a column of numbers, where ``None`` is a missing value.
    """
    import pyarrow.compute as pc

    from neuropil.datasets.tables.typed_columns import is_text

    if not is_text(cells):
        return pc.is_null(cells, nan_is_null=True)
    known = missing_texts(MISSING_NUMBERS if numbers else MISSING)
    return pc.is_in(pc.utf8_lower(cells), value_set=known)


@cache
def missing_texts(texts: tuple[str, ...]) -> pa.Array:
    """Return texts as an Arrow array; made on first use because this loads pandas."""
    import pyarrow as pa

    return pa.array(texts)


def is_missing(cell: str) -> bool:
    """Return whether the value of a cell is missing."""
    return cell.lower() in MISSING


def is_number(cell: str) -> bool:
    """Return whether a cell is a number as programs write it; missing values are not."""
    return not math.isnan(as_number(cell))


def as_number(cell: str) -> float:
    """Return the number in a cell, or NaN."""
    try:
        # Only Python reads 1_000 as a number.
        return math.nan if "_" in cell else float(cell)
    except ValueError:
        return math.nan


def number_label(value: float) -> str:
    """Return the shortest text of a finite number; 1.0 and 1 give the same class."""
    return str(int(value)) if value == int(value) else f"{value:.12g}"


def class_label(cell: str) -> str:
    """Return the class name in a cell, without a conversion to floating point.

    ``1.0``, ``1,0`` and ``+1`` become ``1``, and ``0.50`` becomes ``0.5``; ``007``, integers of
    any length and words are not changed.
    """
    if found := INTEGER.fullmatch(cell):
        return "0" if found[1] == "-0" else found[1]
    if found := DECIMAL.fullmatch(cell):
        return f"{found[1]}{found[2] or '0'}{found[3]}"
    value = as_number(cell)
    return number_label(value) if abs(value) < EXACT else cell


def class_labels(cells: Column) -> pa.DictionaryArray:
    """Return the class name in each cell, as a dictionary array."""
    import pyarrow as pa
    import pyarrow.compute as pc

    encoded = pc.dictionary_encode(cells)
    names = [class_label(str(cell)) for cell in encoded.dictionary.to_pylist()]
    merged = pc.dictionary_encode(pa.array(names, pa.string()))
    indices = pc.take(merged.indices, encoded.indices)
    return pa.DictionaryArray.from_arrays(indices, merged.dictionary)
