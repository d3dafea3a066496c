"""Encoder of a column of dates or times of day."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np
from typing_extensions import override

from neuropil.datasets.data_errors import DataError
from neuropil.datasets.plain_fields import field, flag, number, optional, text
from neuropil.datasets.tables.cells import missing_cells
from neuropil.datasets.tables.columns.column import Column
from neuropil.datasets.tables.columns.date_text import DAY_FIRST, MONTH_FIRST, Dates
from neuropil.datasets.tables.columns.table_dates import table_dates
from neuropil.text import all_of, number_of

if TYPE_CHECKING:
    from neuropil.datasets.tables.table import Table

Array = np.ndarray[Any, Any]

MIDNIGHT = "1970-01-01T00:00:00"
"""The moment from which times of day are counted."""
DAYS, HOURS = "days", "hours"
UNITS = {DAYS: np.timedelta64(1, "D"), HOURS: np.timedelta64(1, "h")}
MINUTE = np.timedelta64(1, "m")
PERIODS = {"month": 12, "weekday": 7, "hour": 24}
"""Length of the cycle of each part of a date."""
MARKED_YEARS = (1, 9999)
"""Years that databases write for a missing date."""
WAVES = {"sine": np.sin, "cosine": np.cos}


def is_moment(value: Any) -> bool:
    """Return whether a value is a date and time in the form of ISO 8601."""
    try:
        return isinstance(value, str) and not np.isnat(np.datetime64(value, "us"))
    except ValueError:
        return False


def are_cycles(value: Any) -> bool:
    """Return whether a value is a list of parts of dates, each once and in order."""
    return isinstance(value, list) and value == [cycle for cycle in PERIODS if cycle in value]


@final
@dataclass(frozen=True)
class DateColumn(Column):
    """A column of dates or times of day, as elapsed time and as places in cycles.

    The elapsed time is the number of days since the first training date, with fractions; for
    times of day, the number of hours since midnight. Month, weekday and hour repeat: each is
    a place ``p`` on a circle, ``(sin 2πp/n, cos 2πp/n)`` with n = 12, 7 and 24, so that
    December is next to January. Elapsed time is that in UTC, cycles follow the local time.

    Shape:
        ``(N, 1 + 2·cycles)``, and one more with an indicator that is 1 for missing cells.

    Args:
        name: Name of the column.
        origin: First training date in UTC, such as ``2024-12-31T23:59:59``; the first moment of
            1970 for times of day.
        cycles: The parts of a date that vary in the training rows: ``"month"``, ``"weekday"``
            and ``"hour"``.
        median: Median of the elapsed time in the training rows, which replaces missing values;
            their cycles are 0.
        indicator: Whether there is an indicator; True if training rows lack the value.
        unit: ``"days"``, or ``"hours"`` for times of day.
        order: ``"day first"`` or ``"month first"``: the order in dates such as 3/4/2024, or
            None if the training rows have no such dates.

    Reference:
        Bloomfield, "Fourier Analysis of Time Series", 2000: cycles as sine and cosine.

    Example:
        >>> from neuropil.datasets import DateColumn, Table
        >>> day = DateColumn("day", "2024-01-01T00:00:00", ("month",), 0.0, indicator=False)
        >>> day.features
        ['day (days)', 'day (month, sine)', 'day (month, cosine)']
        >>> day.encode(Table.of({"day": ["2024-01-02", "4 April 2024"]}), []).round(3)
        array([[ 1.,  0.,  1.],
               [94.,  1.,  0.]], dtype=float32)
    """

    kind: ClassVar[str] = "date"
    readers: ClassVar = {
        "name": text,
        "origin": partial(field, expected="a date", accept=is_moment),
        "cycles": lambda data, name: tuple(
            field(data, name, f"a list of {', '.join(PERIODS)}", are_cycles)
        ),
        "median": number,
        "indicator": flag,
        "unit": partial(field, expected="'days' or 'hours'", accept=UNITS.__contains__),
        "order": optional(
            partial(
                field,
                expected="'day first' or 'month first'",
                accept=(DAY_FIRST, MONTH_FIRST).__contains__,
            )
        ),
    }

    name: str
    origin: str
    cycles: tuple[str, ...]
    median: float
    indicator: bool
    unit: str = DAYS
    order: str | None = None

    @property
    @override
    def features(self) -> list[str]:
        waves = [f"{self.name} ({cycle}, {wave})" for cycle in self.cycles for wave in WAVES]
        names = [f"{self.name} ({self.unit})", *waves]
        return [*names, f"{self.name} missing"] if self.indicator else names

    @property
    def noun(self) -> str:
        """``"dates"`` or ``"times of day"``."""
        return "times of day" if self.unit == HOURS else "dates"

    @property
    def uses(self) -> str:
        """Description of the features."""
        if self.unit == HOURS:
            return "hours since midnight" + " and place in the day" * bool(self.cycles)
        return all_of([f"days since {self.decode(0)}", *self.cycles])

    @override
    def encode(self, table: Table, notes: list[str]) -> Array:
        """Return the cells of the column as numbers.

        Args:
            table: Table with the column.
            notes: Gains a line if values are missing, but none was in the training rows.

        Raises:
            DataError: If a cell is not a date, is in the year 1 or 9999, which mean a missing
                value, or has day and month in another order than the training rows.
        """
        dates = self.read(table)
        marked = in_marked_year(dates.local)
        if marked.any() and not in_marked_year(np.array([self.origin], "M8[us]")).any():
            place = int(np.argmax(marked))
            raise DataError(
                f"{table.source}, column {self.name!r}, row {table.rows[place]}: "
                f"{np.datetime64(dates.local[place], 's')} looks like a mark for a missing "
                "value: leave such cells empty."
            )
        missing = np.isnat(dates.instants)
        if missing.any() and not self.indicator:
            notes.append(
                f"{self.name!r} is missing in {number_of(int(missing.sum()), 'row')}, but "
                f"never in the training rows: the training median, {self.decode(self.median)}, "
                "is used."
            )
        encoded = np.zeros((len(table), len(self.features)), np.float32)
        elapsed = elapsed_time(dates.instants, self.origin, self.unit)
        encoded[:, 0] = np.where(missing, self.median, elapsed)
        for at, cycle in enumerate(self.cycles):
            angle = 2 * np.pi * place_in_cycle(cycle, dates.local) / PERIODS[cycle]
            for wave, function in enumerate(WAVES.values(), 1 + 2 * at):
                encoded[:, wave] = np.where(missing, 0, function(angle))
        if self.indicator:
            encoded[:, -1] = missing
        return encoded

    def read(self, table: Table) -> Dates:
        """Return the cells of the column as dates.

        Args:
            table: Table with the column.

        Raises:
            DataError: If a cell is neither a date nor missing.
        """
        clock = self.unit == HOURS
        found = table_dates(table, self.name, order=self.order)
        if found is not None and found.clock == clock:
            return found
        cells = table.column(self.name)
        missing = missing_cells(cells).to_numpy(zero_copy_only=False).astype(bool)
        if found is None and missing.all():
            nothing = np.full(len(table), np.datetime64("NaT", "us"))
            return Dates(nothing, nothing, np.zeros(len(table), bool), clock)
        place = int(np.argmin(missing))
        raise DataError(
            f"{table.source}, column {self.name!r}: needs {self.noun}, as in the training "
            f"rows, got {cells[place].as_py()!r:.80} in row {table.rows[place]}."
        )

    def decode(self, elapsed: float) -> str:
        """Return an elapsed time as a date or time of day.

        Args:
            elapsed: The input of the network.
        """
        minutes = np.timedelta64(round(elapsed * (UNITS[self.unit] / MINUTE)), "m")
        moment = str(np.datetime64(self.origin, "m") + minutes).replace("T", " ")
        if self.unit == HOURS:
            return moment[11:]
        return moment if "hour" in self.cycles else moment[:10]


def elapsed_time(instants: Array, origin: str, unit: str) -> Array:
    """Return the time from the origin to each instant in days or hours, NaN for NaT."""
    return (instants - np.datetime64(origin, "us")) / UNITS[unit]


def place_in_cycle(cycle: str, local: Array) -> Array:
    """Return the place of each moment in a cycle, from 0 to below its length; NaN for NaT.

    Args:
        cycle: ``"month"``, ``"weekday"`` (Monday is 0) or ``"hour"``, with its fraction.
        local: Moments in local time.
    """
    days = local.astype("datetime64[D]")
    if cycle == "month":
        months = local.astype("datetime64[M]")
        place = (months - months.astype("datetime64[Y]")).astype(float)
    elif cycle == "weekday":
        # 1970-01-01 was a Thursday.
        place = (days.astype(float) + 3) % 7
    else:
        place = (local - days) / UNITS[HOURS]
    return np.where(np.isnat(local), np.nan, place)


def in_marked_year(moments: Array) -> np.ndarray[Any, Any]:
    """Return a mask of the moments in a year that databases write for a missing date."""
    return np.isin(moments.astype("datetime64[Y]").astype(float) + 1970, MARKED_YEARS)
