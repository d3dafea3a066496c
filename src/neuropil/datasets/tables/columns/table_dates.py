"""Columns of a table as dates: mistakes, and dates that are ambiguous."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from neuropil.datasets.data_errors import DataError
from neuropil.datasets.tables.columns.date_text import (
    DAY_FIRST,
    FIRST,
    MONTH_FIRST,
    Dates,
    as_known,
    parse,
    read_dates,
)
from neuropil.datasets.tables.number_columns import FEW_WORDS
from neuropil.datasets.tables.typed_columns import is_text

if TYPE_CHECKING:
    from neuropil.datasets.tables.table import Table

EARLIEST, LATEST = 19000101, 21001231
"""Numbers outside this range are not dates such as 20241231."""
LEAST_DISTINCT = 3
"""Smallest number of such numbers that are dates rather than codes."""

MONTH_NAME = re.compile(r"date|month|yyyymm|period", re.IGNORECASE)
"""A name of a column in which 202412 is a month."""
WEEK = r"^\d{4}-?W\d{2}(-?[1-7])?$"
"""A week of ISO 8601, and its day."""


def table_dates(table: Table, name: str, *, order: str | None = None) -> Dates | None:
    """Return a column as dates or times of day; None if it holds neither.

    Args:
        table: The table.
        name: Name of the column.
        order: `DAY_FIRST` or `MONTH_FIRST`; None if the column decides.

    Raises:
        DataError: If a few cells are not dates, or some have the day first and others the
            month.
    """
    if name not in table.dates:
        table.dates[name] = read_column(table, name, None)
    found = table.dates[name]
    if order is None or (found is not None and found.order in (None, order)):
        return found
    return read_column(table, name, order)


def read_column(table: Table, name: str, order: str | None) -> Dates | None:
    """Return a column like `table_dates`.

    Raises:
        DataError: If a few cells are not dates, some have the day first and others the month,
            or a date is too far away.
    """
    cells = table.column(name)
    # Files with semicolons and decimal commas come from where the day is written first.
    continental = table.delimiter == ";" or table.decimal == ","
    usual = DAY_FIRST if continental else MONTH_FIRST
    where = f"{table.source}, column {name!r}"
    try:
        found = week_dates(cells) or read_dates(cells, order=order, usual=usual)
    except pa.ArrowInvalid:
        raise DataError(
            f"{where} holds a date beyond the years -290308 to 294246: leave such cells empty."
        ) from None
    if found is None:
        return compact_dates(table, name)
    if found.contrary is not None:
        first, second = ((cells[at].as_py(), table.rows[at]) for at in found.contrary)
        raise DataError(
            f"{where}: {first[0]!r} in row {first[1]} has the day first, {second[0]!r} in row "
            f"{second[1]} the month first: write all dates in one order, such as 2024-12-31."
        )
    known = int((~np.isnat(found.instants)).sum())
    wrong = np.flatnonzero(found.words)
    if not len(wrong):
        return found if known else None
    # 2011-12 may be a season as well as a month.
    days = known and bool((day_of_month(found.local) > 1).any())
    if order is None and (not days or len(wrong) > FEW_WORDS * (known + len(wrong))):
        return None
    refuse_word(table, name, found, wrong)
    return None


def week_dates(cells: pa.Array) -> Dates | None:
    """Return weeks such as 2024-W05 as their Mondays; None unless all cells are weeks."""
    if not is_text(cells) or not first_match(cells.slice(0, FIRST), WEEK):
        return None
    distinct = pc.dictionary_encode(cells)
    days: list[str | None] = []
    for text in as_known(distinct.dictionary).to_pylist():
        plain = (text or "").replace("-", "")
        year, week, weekday = plain[:4], plain[5:7], plain[7:] or "1"
        try:
            days.append(text and str(date.fromisocalendar(int(year), int(week), int(weekday))))
        except ValueError:
            return None
    return parse(pa.array(days, pa.string())).spread(distinct.indices.to_numpy())


def first_match(cells: pa.StringArray, pattern: str) -> bool:
    """Return whether a cell matches a pattern."""
    return bool(pc.any(pc.match_substring_regex(cells, pattern)).as_py())


def refuse_word(table: Table, name: str, found: Dates, wrong: np.ndarray[Any, Any]) -> None:
    """Raise an error about cells of a column of dates that are not dates.

    Raises:
        DataError: Always.
    """
    place, others = int(wrong[0]), len(wrong) - 1
    more = f" ({others:,} more like it)" if others else ""
    what = "time of day" if found.clock else "date"
    read = f" with the {found.order}" if found.order else ""
    raise DataError(
        f"{table.source}, column {name!r}, row {table.rows[place]}: "
        f"{table.column(name)[place].as_py()!r:.80}{more} is not a {what}{read}, as the others "
        "of the column are. Correct the cell, or leave it empty if the value is unknown."
    )


def compact_dates(table: Table, name: str) -> Dates | None:
    """Return numbers such as 20241231 as dates; None unless all of them are in the calendar.

    Numbers such as 202412 are months if the name of the column says that it holds dates.
    """
    numbers = table.numbers(name)
    if numbers is None:
        return None
    distinct, places = np.unique(numbers.values, return_inverse=True)
    present = distinct[~np.isnan(distinct)]
    if len(present) < LEAST_DISTINCT or (present != np.round(present)).any():
        return None
    months = bool(MONTH_NAME.search(name)) and present.max() <= LATEST // 100
    first, last = (bound // 100 if months else bound for bound in (EARLIEST, LATEST))
    if present.min() < first or present.max() > last:
        return None
    texts = ["" if np.isnan(value) else f"{value:.0f}" for value in distinct]
    if months:
        texts = [text and f"{text[:4]}-{text[4:]}" for text in texts]
    found = parse(pa.array([text or None for text in texts], pa.string()))
    return None if found.words.any() else found.spread(places)


def day_of_month(moments: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the day of the month of each moment that is not NaT."""
    days = moments[~np.isnat(moments)].astype("datetime64[D]")
    return (days - days.astype("datetime64[M]").astype("datetime64[D]")).astype(int) + 1
