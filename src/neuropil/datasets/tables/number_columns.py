"""Columns as numbers: units, mistakes and ambiguous values."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from neuropil.checks import shown
from neuropil.datasets.data_errors import DataError
from neuropil.datasets.tables.cells import MAX_CLASSES, missing_cells
from neuropil.datasets.tables.number_text import (
    COMMA,
    CURRENCY,
    EITHER,
    EITHER_POINT,
    POINT,
    Numbers,
    bare,
    count,
    decimal_mark,
    read_numbers,
)
from neuropil.datasets.tables.typed_columns import is_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neuropil.datasets.tables.typed_columns import Column

FEW_WORDS = 0.1
"""Largest share of words among numbers that counts as a mistake."""
UNITS = r"[A-Za-zµμ°Ω²³/]{1,8}"
MULTIPLES = ("k", "K", "m", "M", "b", "B", "bn", "Mio", "Mrd", "mn")
"""Suffixes that multiply a number; a column that mixes them has no common unit."""


def check_decided(cells: pa.StringArray, rows: Sequence[int], where: str) -> None:
    """Refuse a column whose commas may separate thousands as well as decimals.

    Args:
        cells: The column.
        rows: Row of each cell in the file.
        where: The file and the column, for the error.

    Raises:
        DataError: If the column does not decide it.
    """
    core = bare(cells)
    either = pc.match_substring_regex(core, EITHER)
    if not pc.any(either).as_py() or decimal_mark(core) is not None:
        return
    place = pc.index(either, value=True).as_py()
    cell = cells[place].as_py()
    raise DataError(
        f"{where}, row {rows[place]}: {shown(cell)} may be "
        f"{core[place].as_py().replace(',', '')} or "
        f"{core[place].as_py().replace(',', '.')}, and the file does not show which: write it "
        "without a comma or with a decimal point."
    )


def with_points_shown(found: Numbers, cells: Column) -> Numbers:
    """Return numbers whose points may separate thousands with one of them as `written`.

    A file with semicolons may write 5.932 for 5932. It is read as 5.932, and a note says so.

    Args:
        found: The column as numbers, with no mark for decimals known.
        cells: The column.
    """
    if found.written is not None or not is_text(cells):
        return found
    known = cells.filter(pc.invert(missing_cells(cells, numbers=True)))
    pointed = pc.match_substring(cells, ".")
    if not pc.any(pointed).as_py() or count(known, EITHER_POINT) < len(known):
        return found
    place = pc.index(pointed, value=True).as_py()
    return replace(found, written=(cells[place].as_py(), float(found.values[place])))


def common_unit(cells: pa.StringArray) -> str | list[str] | None:
    """Return the unit after the numbers of a column, or a list of units if they differ.

    Args:
        cells: The cells of a column that are not missing.

    Returns:
        None if less than 90 % of the cells are a number with a unit.
    """
    units = marks(cells, rf"^[+-]?[\d.,]*\d\s*(?P<mark>{UNITS})$")
    if not len(cells) or len(units.drop_null()) < 0.9 * len(cells):
        return None
    names = sorted(pc.unique(units.drop_null()).to_pylist())
    return names[0] if len(names) == 1 else names


def marks(cells: pa.StringArray, pattern: str) -> pa.StringArray:
    """Return the group ``mark`` of a pattern in each cell, null if it does not match."""
    return pc.struct_field(pc.extract_regex(cells, pattern), "mark")


def check_one_mark(cells: pa.StringArray, rows: Sequence[int], where: str) -> None:
    """Refuse a column with several currencies, or with and without percent signs.

    Raises:
        DataError: If there are several.
    """
    found = marks(cells, rf"^[-+(\s]*(?P<mark>{CURRENCY})[-+\s]*[\d.]")
    after = marks(cells, rf"\d[.,]?\s*(?P<mark>{CURRENCY}|%|‰)[-)\s]*$")
    found = pc.utf8_rtrim(pc.coalesce(found, after), ".")
    each = pc.unique(found.drop_null()).to_pylist()
    if "%" in each or "‰" in each:
        found = pc.if_else(missing_cells(cells, numbers=True), each[0], pc.fill_null(found, ""))
        each = pc.unique(found).to_pylist()
    if len(each) > 1:
        first, other = (pc.index(found, value=mark).as_py() for mark in each[:2])
        raise DataError(
            f"{where}, row {rows[other]}: {cells[other].as_py()!r:.60} has another unit than "
            f"{cells[first].as_py()!r:.60} in row {rows[first]}: write all numbers in one unit."
        )


def column_numbers(
    cells: Column,
    rows: Sequence[int],
    where: str,
    *,
    file_decimal: str | None = None,
    unit: str = "",
) -> Numbers | None:
    """Return a column as numbers, NaN where missing; None if it holds words or timestamps.

    Args:
        cells: The column.
        rows: Row of each cell in the file.
        where: The file and the column, for the error.
        file_decimal: The decimal mark of the file, if known.
        unit: Unit after every number.

    Raises:
        DataError: If there are a few words among the numbers, or a number is infinite.
    """
    if pa.types.is_timestamp(cells.type):
        return None
    found = read_numbers(cells, file_decimal=file_decimal, unit=unit)
    words = int(found.words.sum())
    known = found.values[~np.isnan(found.values)]
    if words and not is_slip(words, known):
        others = bare(pc.unique(cells.filter(pa.array(found.words))))
        if count(others, POINT) + count(others, COMMA) < len(others) or words > len(known):
            return None
    if found.written is not None:
        check_one_mark(cells, rows, where)
    wrong = np.flatnonzero(found.words if words else np.isinf(found.values))
    if len(wrong):
        refuse(cells, rows, where, wrong, len(known))
    return found


def is_slip(words: int, values: np.ndarray[Any, Any]) -> bool:
    """Return whether words in a column of numbers are mistakes: few, or among many values."""
    few = words <= max(1, FEW_WORDS * (words + len(values)))
    return words < len(values) and (few or len(np.unique(values)) > MAX_CLASSES)


def refuse(
    cells: Column,
    rows: Sequence[int],
    where: str,
    wrong: np.ndarray[Any, Any],
    count: int,
) -> None:
    """Raise an error about cells that cannot be used as numbers.

    Args:
        cells: The column.
        rows: Row of each cell in the file.
        where: The file and the column.
        wrong: Indices of the cells.
        count: Number of valid numbers in the column.

    Raises:
        DataError: Always.
    """
    place, others = int(wrong[0]), len(wrong) - 1
    more = f" ({others:,} more like it)" if others else ""
    raise DataError(
        f"{where}, row {rows[place]}: {shown(cells[place].as_py())}{more} in a "
        f"column of {count:,} numbers. Correct the cell, or leave it empty if the value is "
        "unknown."
    )
