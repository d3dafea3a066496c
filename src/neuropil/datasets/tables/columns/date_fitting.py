"""Choice of the parts of a date that a network gets, from the training rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neuropil.datasets.data_errors import DataError
from neuropil.datasets.tables.columns.date_column import (
    DAYS,
    HOURS,
    MIDNIGHT,
    PERIODS,
    DateColumn,
    elapsed_time,
    in_marked_year,
    place_in_cycle,
)
from neuropil.datasets.tables.columns.date_text import DAY_FIRST, Dates
from neuropil.datasets.tables.columns.table_dates import day_of_month

if TYPE_CHECKING:
    from neuropil.datasets.tables.table import Table

Array = np.ndarray[Any, Any]


def fit_dates(
    table: Table, name: str, dates: Dates, train: Array, notes: list[str]
) -> DateColumn | str:
    """Return the encoder of a column of dates, or a note why the column is left out.

    Args:
        table: All rows.
        name: Name of the column.
        dates: The column as dates.
        train: Indices of the training rows.
        notes: Gains notes for the user.

    Raises:
        DataError: If a date looks like a mark for missing values.
    """
    check_years(table, name, dates)
    note_order(table, name, dates, notes)
    instants, local = dates.instants[train], dates.local[train]
    known = ~np.isnat(instants)
    if not known.any():
        return f"Column {name!r} left out: no training row has a value."
    instants, local = instants[known], local[known]
    if instants.min() == instants.max():
        return f"Column {name!r} left out: all training rows have the same date."
    origin = MIDNIGHT if dates.clock else str(np.datetime64(instants.min(), "s"))
    unit = HOURS if dates.clock else DAYS
    cycles = tuple(cycle for cycle in PERIODS if varies(cycle, local, clock=dates.clock))
    median = float(np.median(elapsed_time(instants, origin, unit)))
    indicator = bool(np.isnat(dates.instants[train]).any())
    column = DateColumn(name, origin, cycles, median, indicator, unit, dates.order)
    first, last = map(column.decode, elapsed_time(np.sort(instants)[[0, -1]], origin, unit))
    notes.append(
        f"Column {name!r}: {column.noun} from {first} to {last}{dates.zone} in the training "
        f"rows, used as {column.uses}."
    )
    return column


def varies(cycle: str, local: Array, *, clock: bool) -> bool:
    """Return whether a part of a date differs between the training rows."""
    if clock and cycle != "hour":
        return False
    if cycle == "weekday" and np.ptp(day_of_month(local)) == 0:
        return False  # dates of months, whose first day is on any weekday
    return bool(np.ptp(place_in_cycle(cycle, local)) > 0)


def check_years(table: Table, name: str, dates: Dates) -> None:
    """Refuse dates in the year 1 or 9999, which mean a missing value.

    Raises:
        DataError: If there are such dates among others.
    """
    if dates.clock:
        return
    years = dates.local.astype("datetime64[Y]").astype(float) + 1970
    marked = in_marked_year(dates.local)
    others = years[~marked & ~np.isnat(dates.local)]
    if marked.any() and len(others):
        place, more = int(np.argmax(marked)), int(marked.sum()) - 1
        alike = f" ({more:,} more like it)" if more else ""
        raise DataError(
            f"{table.source}, column {name!r}, row {table.rows[place]}: "
            f"{np.datetime64(dates.local[place], 's')}{alike} among "
            f"dates from the years {others.min():.0f} to {others.max():.0f} looks "
            "like a mark for a missing value: leave such cells empty."
        )


def note_order(table: Table, name: str, dates: Dates, notes: list[str]) -> None:
    """Add a note if no date of a column shows whether the day or the month comes first."""
    if dates.decided or dates.order is None:
        return
    place = int(np.argmin(np.isnat(dates.local)))
    moment = np.datetime64(dates.local[place], "D")
    other = "month" if dates.order == DAY_FIRST else "day"
    notes.append(
        f"Column {name!r}: {table.column(name)[place].as_py()!r} is read as {moment}, with the "
        f"{dates.order}; no date of the column shows whether the {other} comes first instead. "
        "Write dates as 2024-12-31 to be sure."
    )
