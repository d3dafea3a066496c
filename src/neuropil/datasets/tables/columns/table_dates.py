"""Columns of a table as dates: mistakes, and dates that are ambiguous."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from neuropil.datasets.data_errors import DataError
from neuropil.datasets.tables.columns.date_text import (
    DAY_FIRST,
    MONTH_FIRST,
    Dates,
    parse,
    read_dates,
)
from neuropil.datasets.tables.number_columns import FEW_WORDS

if TYPE_CHECKING:
    from neuropil.datasets.tables.table import Table

EARLIEST, LATEST = 19000101, 21001231
"""Numbers outside this range are not dates such as 20241231."""
LEAST_DISTINCT = 3
"""Smallest number of such numbers that are dates rather than codes."""


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
        found = read_dates(cells, order=order, usual=usual)
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
    """Return numbers such as 20241231 as dates; None unless all of them are in the calendar."""
    numbers = table.numbers(name)
    if numbers is None:
        return None
    values = numbers.values
    known = values[~np.isnan(values)]
    if not len(known) or not (known.min() >= EARLIEST and known.max() <= LATEST):
        return None
    distinct, places = np.unique(values, return_inverse=True)
    present = ~np.isnan(distinct)
    if present.sum() < LEAST_DISTINCT or (distinct != np.round(distinct))[present].any():
        return None
    texts = [None if np.isnan(value) else f"{value:.0f}" for value in distinct]
    found = parse(pa.array(texts, pa.string()))
    return None if found.words.any() else found.spread(places)


def day_of_month(moments: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the day of the month of each moment that is not NaT."""
    days = moments[~np.isnat(moments)].astype("datetime64[D]")
    return (days - days.astype("datetime64[M]").astype("datetime64[D]")).astype(int) + 1
