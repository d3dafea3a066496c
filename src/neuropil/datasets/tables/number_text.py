"""Parser for numbers in common notations: 1.5e3, $1,234.50, (12), 45 %, 1.234,5 €."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from neuropil.datasets.tables.cells import missing_cells
from neuropil.datasets.tables.memory_pool import table_pool
from neuropil.datasets.tables.typed_columns import as_numbers, is_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neuropil.datasets.tables.typed_columns import Column

CODES = (
    "USD|EUR|GBP|JPY|CNY|RMB|INR|CHF|AUD|CAD|NZD|SEK|NOK|DKK|PLN|CZK|HUF|RON|BGN|TRY|RUB|UAH|"
    "BRL|MXN|ARS|CLP|COP|ZAR|KRW|TWD|HKD|SGD|THB|IDR|MYR|PHP|VND|ILS|AED|SAR|EGP|NGN|KES|PKR"
)
CURRENCY = rf"(?:[A-Z]{{0,2}}\p{{Sc}}|{CODES}|kr\.?|zł|Kč|Ft|Fr\.|Rs\.?|лв\.?|р\.|руб\.?)"
SPACES = "  \u2009\u202f\xa0'’"
EXPONENT = r"(?:[eE][+-]?\d+)?"
WHOLE = r"^[+-]?\d+$"
PLAIN = rf"^[+-]?(?:\d+\.?\d*|\.\d+){EXPONENT}$"
POINT = rf"^[+-]?(?:\d{{1,3}}(?:,\d{{2,3}})*,\d{{3}}(?:\.\d*)?|\d+\.?\d*|\.\d+){EXPONENT}$"
COMMA = rf"^[+-]?(?:\d{{1,3}}(?:\.\d{{3}})+(?:,\d*)?|\d+,?\d*|,\d+){EXPONENT}$"
# Numbers whose decimal mark is certain, and those with an ambiguous comma.
ONLY_POINT = (
    rf"^[+-]?(?:\d*\.(?:\d{{1,2}}|\d{{4,}})|0*\.\d+|\d{{4,}}\.\d+|"
    rf"\d{{1,3}}(?:,\d{{2,3}})*,\d{{3}}\.\d*|\d{{1,3}}(?:,\d{{2,3}})+,\d{{3}}){EXPONENT}$"
)
ONLY_COMMA = (
    rf"^[+-]?(?:\d*,(?:\d{{1,2}}|\d{{4,}})|0*,\d+|\d{{4,}},\d+|"
    rf"\d{{1,3}}(?:\.\d{{3}})+,\d*|\d{{1,3}}(?:\.\d{{3}}){{2,}}){EXPONENT}$"
)
EITHER = r"^[+-]?[1-9]\d{0,2},\d{3}$"
EITHER_POINT = r"^[+-]?[1-9]\d{0,2}(?:\.\d{3})?$"
STEPS = (
    (r"[\x{2212}\x{2013}\x{FE63}\x{FF0D}]", "-"),  # typeset minus signs
    (r"^\((.*\d.*)\)$", r"-\1"),  # accounts write losses in brackets
    (rf"^([+-]?)\s*{CURRENCY}\s*([+-]?\s*\d|\.\d)", r"\1\2"),
    (rf"(\d[.,]?)\s*(?:{CURRENCY}|%|‰)\s*(-?)$", r"\1\2"),
    (r",-$", ""),  # 5,- is five
    (r"^(\d.*)-$", r"-\1"),  # SAP writes the sign last
    (r"^([+-])\s+", r"\1"),
    (r"(\d\.?)[dD]([+-]\d+)$", r"\1e\2"),  # Fortran's double precision
)


@final
@dataclass(frozen=True)
class Numbers:
    """A column read as numbers.

    Args:
        values: Value of each cell, NaN if it is not a number.
        words: Mask of the cells that are neither a number nor missing.
        decimal: The decimal mark that was used.
        written: The first cell not in the notation of programs, and its value; or None.
    """

    values: np.ndarray[Any, Any]
    words: np.ndarray[Any, Any]
    decimal: str = "."
    written: tuple[str, float] | None = None


def read_numbers(cells: Column, *, file_decimal: str | None = None, unit: str = "") -> Numbers:
    """Return a column as numbers, with a mask of the cells that are words.

    Args:
        cells: The column.
        file_decimal: The decimal mark of the file, ``","`` or ``"."``, if known.
        unit: Unit after every number, such as ``"kg"``.
    """
    no_words = np.broadcast_to(np.False_, len(cells))
    if not is_text(cells):
        return Numbers(as_numbers(cells), no_words)
    if file_decimal != "," and not unit:
        try:
            values = pc.cast(cells, pa.float64(), memory_pool=table_pool())
            return Numbers(as_floats(values), no_words)
        except pa.ArrowInvalid:
            pass
    encoded = pc.dictionary_encode(cells)
    found = read_distinct(encoded.dictionary, file_decimal, unit)
    places = encoded.indices.to_numpy()
    return replace(found, values=found.values[places], words=found.words[places])


def read_distinct(cells: pa.StringArray, file_decimal: str | None, unit: str) -> Numbers:
    """Return distinct cells as numbers; they may be missing or in any notation."""
    missing = missing_cells(cells, numbers=True)
    known = pc.if_else(missing, None, cells)
    if unit:
        known = pc.replace_substring_regex(known, rf"\s*{unit}$", "")
    if file_decimal != ",":
        try:
            values = pc.cast(known, pa.float64())
            return Numbers(as_floats(values), np.zeros(len(cells), bool))
        except pa.ArrowInvalid:
            pass
    core = bare(known)
    decimal = decimal_mark(core) or file_decimal or "."
    values = as_floats(parse(core, decimal))
    words = np.isnan(values) & ~missing.to_numpy(zero_copy_only=False)
    return Numbers(values, words, decimal, first_written(cells, values, decimal))


def as_floats(values: pa.DoubleArray) -> np.ndarray[Any, Any]:
    """Return numbers as an array, with NaN for null."""
    filled = pc.fill_null(values, np.nan) if values.null_count else values
    return filled.to_numpy(zero_copy_only=False)


def bare(cells: pa.StringArray) -> pa.StringArray:
    """Return cells without currencies, percent signs, brackets, and spaces between digits."""
    for pattern, replacement in STEPS:
        cells = pc.replace_substring_regex(cells, pattern, replacement)
    grouped = pc.match_substring_regex(
        cells, rf"^[+-]?\d{{1,3}}(?:[{SPACES}]\d{{3}})+(?:[.,]\d*)?$"
    )
    return pc.if_else(grouped, pc.replace_substring_regex(cells, f"[{SPACES}]", ""), cells)


def decimal_mark(core: pa.StringArray) -> str | None:
    """Return the decimal mark of a column of bare numbers; None if it is ambiguous."""
    comma, point, either = (count(core, p) for p in (ONLY_COMMA, ONLY_POINT, EITHER))
    if comma or point:
        return "," if comma > point else "."
    if not either:
        return None
    if count(core, r"^[+-]?\d{4,}$"):
        return ","  # thousands are written without commas here
    # If the commas were decimal marks, small numbers would have three decimals as well.
    return "." if count(core, r"^[+-]?\d{1,3}$") else None


def count(cells: pa.StringArray, pattern: str) -> int:
    """Return the number of cells that match a pattern."""
    return pc.sum(pc.match_substring_regex(cells, pattern)).as_py() or 0


def parse(core: pa.StringArray, decimal: str) -> pa.DoubleArray:
    """Return the values of bare numbers, null if a cell does not fit the decimal mark."""
    fits = pc.match_substring_regex(core, POINT if decimal == "." else COMMA)
    text = pc.if_else(fits, core, None)
    text = pc.replace_substring(text, "," if decimal == "." else ".", "")
    if decimal == ",":
        text = pc.replace_substring(text, ",", ".")
    return pc.cast(text, pa.float64())


def first_written(
    cells: pa.StringArray, values: np.ndarray[Any, Any], decimal: str
) -> tuple[str, float] | None:
    """Return the first number in another notation than that of programs, and its value."""
    usual = PLAIN if decimal == "." else WHOLE
    plain = pc.match_substring_regex(cells, usual).to_numpy(zero_copy_only=False)
    places = np.flatnonzero(~plain.astype(bool) & np.isfinite(values))
    return (cells[int(places[0])].as_py(), float(values[places[0]])) if len(places) else None


def file_decimal(columns: Sequence[pa.StringArray]) -> str | None:
    """Return the decimal mark that all columns of a file agree on; None if it is ambiguous.

    Args:
        columns: All columns, or the first rows of them.
    """
    every = pa.concat_arrays(columns) if columns else pa.array([], pa.string())
    if not count(every, ","):
        # True for most files, and faster than a check of each column.
        return "." if count(every, ONLY_POINT) else None
    marks = set()
    for cells in columns:
        core = bare(cells.filter(pc.invert(missing_cells(cells, numbers=True))))
        numbers = count(core, POINT) + count(core, COMMA)
        if numbers > len(core) / 2:
            marks.add(decimal_mark(core))
    marks.discard(None)
    return marks.pop() if len(marks) == 1 else None
