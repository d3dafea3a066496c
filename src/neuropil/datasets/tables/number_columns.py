"""A column as numbers: its unit, what may be a slip, and what would be ambiguous."""

from __future__ import annotations

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
    POINT,
    Numbers,
    bare,
    count,
    decimal_mark,
    read_numbers,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

FEW_WORDS = 0.1
"""Up to this share of words among numbers is taken for a slip."""
UNITS = r"[A-Za-zµμ°Ω²³/]{1,8}"
MULTIPLES = ("k", "K", "m", "M", "b", "B", "bn", "Mio", "Mrd", "mn")
"""Endings that multiply a number; a column that mixes them has no common unit."""


def check_decided(cells: pa.StringArray, rows: Sequence[int], where: str) -> None:
    """Refuse a column whose commas may part thousands as well as decimals.

    Args:
        cells: The column.
        rows: Row of each cell in the file.
        where: The file and the column, for the error.

    Raises:
        DataError: If nothing in the column says which.
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
        f"{core[place].as_py().replace(',', '.')}, and nothing in the file says which: write "
        "it without a comma or with a decimal point."
    )


def common_unit(cells: pa.StringArray) -> str | list[str] | None:
    """Return the unit that all numbers of a column end in, or the units where they differ.

    Args:
        cells: The cells of a column that are not missing.

    Returns:
        None if not nine in ten cells are a number and a unit.
    """
    units = marks(cells, rf"^[+-]?[\d.,]*\d\s*(?P<mark>{UNITS})$")
    if not len(cells) or len(units.drop_null()) < 0.9 * len(cells):
        return None
    names = sorted(pc.unique(units.drop_null()).to_pylist())
    return names[0] if len(names) == 1 else names


def marks(cells: pa.StringArray, pattern: str) -> pa.StringArray:
    """Return what a pattern calls ``mark`` in each cell, null where it does not fit."""
    return pc.struct_field(pc.extract_regex(cells, pattern), "mark")


def check_one_mark(cells: pa.StringArray, rows: Sequence[int], where: str) -> None:
    """Refuse a column of several currencies, or of numbers with and without a percent sign.

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
            f"{where}, row {rows[other]}: {cells[other].as_py()!r:.60} does not go with "
            f"{cells[first].as_py()!r:.60} in row {rows[first]}: write all numbers in one unit."
        )


def column_numbers(
    cells: pa.StringArray,
    rows: Sequence[int],
    where: str,
    *,
    file_decimal: str | None = None,
    unit: str = "",
) -> Numbers | None:
    """Return a column as numbers, NaN where missing; None if it is a column of words.

    Args:
        cells: The column.
        rows: Row of each cell in the file.
        where: The file and the column, for the error.
        file_decimal: The decimal mark that the file speaks for.
        unit: What every number ends in.

    Raises:
        DataError: If a few words stand among numbers, or a number is infinite.
    """
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
    """Tell whether words in a column of numbers are mistakes: few, or among many quantities."""
    few = words <= max(1, FEW_WORDS * (words + len(values)))
    return words < len(values) and (few or len(np.unique(values)) > MAX_CLASSES)


def refuse(
    cells: pa.StringArray,
    rows: Sequence[int],
    where: str,
    wrong: np.ndarray[Any, Any],
    count: int,
) -> None:
    """Name the first of the cells that cannot be used as numbers.

    Args:
        cells: The column.
        rows: Row of each cell in the file.
        where: The file and the column.
        wrong: Places of the cells.
        count: How many numbers the column has.

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
