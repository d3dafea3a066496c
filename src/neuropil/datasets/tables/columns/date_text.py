"""Parser for dates and times of day: 2024-12-31T23:59Z, 31.12.2024, Dec 31, 2024, 11:59 pm."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from neuropil.datasets.tables.cells import missing_cells
from neuropil.datasets.tables.columns.date_patterns import (
    CLOCKS,
    FORMS,
    POINTS,
    YEAR_FIRST,
    take_apart,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

Array = np.ndarray[Any, Any]

DAY_FIRST, MONTH_FIRST = "day first", "month first"
FIRST, TRIED = 1000, 200
"""Number of first cells, and of those with a value, that show whether a column holds dates."""
NOTHING = r"^0000-00-00(?:[T ]00:00:00)?$"
"""The date that MySQL writes for a missing one."""
YEAR_AND_MONTH = 3
"""Index of the form without a day."""
FARTHEST_ZONE = 24 * 60


@final
@dataclass(frozen=True)
class Dates:
    """A column read as dates or as times of day.

    Args:
        instants: Date and time of each cell in UTC, ``datetime64[us]``; NaT if there is none.
        local: The same as written, without a conversion to UTC.
        words: Mask of the cells that are neither a date nor missing.
        clock: Whether the cells are times of day, stored as times on 1970-01-01.
        order: `DAY_FIRST` or `MONTH_FIRST` if there are dates such as 3/4/2024, else None.
        decided: Whether the column, or the caller, decides that order.
        contrary: Index of a cell with the day first and of one with the month first, if there
            are both.
    """

    instants: Array
    local: Array
    words: Array
    clock: bool = False
    order: str | None = None
    decided: bool = True
    contrary: tuple[int, int] | None = None

    @property
    def zone(self) -> str:
        """`` in UTC`` if local times are others, for messages that name instants."""
        known = ~np.isnat(self.instants)
        return " in UTC" if (self.instants != self.local)[known].any() else ""

    def spread(self, places: Array) -> Dates:
        """Return the dates of all cells.

        Args:
            places: Index of each cell among the distinct ones, which these dates are.
        """
        contrary = self.contrary
        if contrary is not None:
            first, second = (int(np.argmax(places == place)) for place in contrary)
            contrary = first, second
        instants, local = self.instants[places], self.local[places]
        words = self.words[places]
        return replace(self, instants=instants, local=local, words=words, contrary=contrary)


def read_dates(
    cells: pa.Array, *, order: str | None = None, usual: str = MONTH_FIRST
) -> Dates | None:
    """Return a column as dates or as times of day; None if most of its first cells are neither.

    Args:
        cells: Texts, or PyArrow's timestamps, dates or times. Numbers are not dates.
        order: `DAY_FIRST` or `MONTH_FIRST`; None if the column decides.
        usual: The order to use if the column does not decide.
    """
    kind = cells.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind) or pa.types.is_time(kind):
        return read_typed(cells)
    if not pa.types.is_string(kind):
        return None
    likely = likely_forms(cells)
    if not likely:
        return None
    encoded = pc.dictionary_encode(cells)
    known = as_known(encoded.dictionary)
    found = cast_iso(known) or parse(known, likely, order, usual)
    return found.spread(encoded.indices.to_numpy())


def as_known(cells: pa.StringArray) -> pa.StringArray:
    """Return cells with null where they are missing."""
    nothing = pc.or_(missing_cells(cells), pc.match_substring_regex(cells, NOTHING))
    return pc.if_else(nothing, None, cells)


def likely_forms(cells: pa.StringArray) -> list[int]:
    """Return the forms of the first cells; empty if most of them are not dates."""
    tried = as_known(cells.slice(0, FIRST)).drop_null()
    tried = (tried if len(tried) else as_known(cells).drop_null()).slice(0, TRIED)
    try:
        pc.cast(tried, pa.float64())
    except pa.ArrowInvalid:
        forms = take_apart(tried)["form"]
        return np.unique(forms[forms >= 0]).tolist() if (forms >= 0).mean() > 0.5 else []
    return []  # numbers, or nothing at all


def read_typed(cells: pa.Array) -> Dates:
    """Return PyArrow's timestamps, dates or times of day."""
    if pa.types.is_time(cells.type):
        since_midnight = pc.cast(pc.cast(cells, pa.time64("us"), safe=False), pa.int64())
        moments = as_moments(since_midnight)
        return Dates(moments, moments, np.zeros(len(cells), bool), clock=True)
    local = pc.local_timestamp(cells) if getattr(cells.type, "tz", None) else cells
    return Dates(as_moments(cells), as_moments(local), np.zeros(len(cells), bool))


def as_moments(cells: pa.Array) -> Array:
    """Return timestamps as ``datetime64[us]``, with NaT for null.

    Raises:
        ArrowInvalid: If microseconds since 1970 exceed 64 bits.
    """
    zone = getattr(cells.type, "tz", None)
    finer = getattr(cells.type, "unit", "") == "ns"  # loses digits, which is no error
    exact = pc.cast(cells, pa.timestamp("us", zone), safe=not finer)
    return pc.cast(exact, pa.timestamp("us")).to_numpy(zero_copy_only=False)


def cast_iso(known: pa.StringArray) -> Dates | None:
    """Return dates in the form of ISO 8601, which PyArrow reads fast; None if one is not."""
    # Only with a Z is the local time the same.
    zone = "UTC" if pc.all(pc.ends_with(known, "Z")).as_py() else None
    try:
        moments = as_moments(pc.cast(known, pa.timestamp("us", zone)))
    except pa.ArrowInvalid:
        return None
    return Dates(moments, moments, np.zeros(len(known), bool))


def parse(
    known: pa.StringArray,
    likely: Sequence[int] = (),
    order: str | None = None,
    usual: str = MONTH_FIRST,
) -> Dates:
    """Return distinct cells as dates, all in one order of day and month.

    Args:
        known: The cells, null where missing.
        likely: Indices of the forms to try first.
        order: `DAY_FIRST` or `MONTH_FIRST`; None if the column decides.
        usual: The order to use if the column does not decide.
    """
    found = take_apart(known, likely)
    form, first, other = found["form"], found["first"], found["other"]
    in_pairs = first >= 0
    decided, contrary = True, None
    if order is None and in_pairs.any():
        order, decided, contrary = find_order(form, first, other, usual)
    day, month = (first, other) if order == DAY_FIRST else (other, first)
    day, month = (
        np.where(in_pairs, day, found["day"]),
        np.where(in_pairs, month, found["month"]),
    )
    day = np.where(form == YEAR_AND_MONTH, 1, day)
    clocks = form >= len(FORMS) - len(CLOCKS)
    dated = (form >= 0) & ~clocks
    clock = bool(clocks.sum() > dated.sum())
    dates, sound = calendar_dates(found["year"], month, day)
    times, possible = times_of_day(found)
    usable = possible & (clocks if clock else dated & sound)
    usable &= np.abs(found["zone"]) < FARTHEST_ZONE
    local = np.where(clock, np.datetime64(0, "us"), dates) + times
    local = np.where(usable, local, np.datetime64("NaT", "us"))
    instants = local - found["zone"].astype("timedelta64[m]").astype("timedelta64[us]")
    words = ~usable & known.is_valid().to_numpy(zero_copy_only=False)
    order = order if in_pairs.any() else None
    return Dates(instants, local, words, clock, order, decided, contrary)


def find_order(
    form: Array, first: Array, other: Array, usual: str
) -> tuple[str, bool, tuple[int, int] | None]:
    """Return the order of day and month, whether the cells decide it, and a contradiction."""
    day_first = np.flatnonzero((first > 12) & (first <= 31) & (other <= 12))
    month_first = np.flatnonzero((other > 12) & (other <= 31) & (first <= 12))
    if len(day_first) and len(month_first):
        return DAY_FIRST, True, (int(day_first[0]), int(month_first[0]))
    if len(day_first) or len(month_first):
        return DAY_FIRST if len(day_first) else MONTH_FIRST, True, None
    pointed = (form >= len(YEAR_FIRST)) & (form < len(YEAR_FIRST) + len(POINTS))
    # 3.4.2024 is written where the day comes first.
    points = bool(pointed[first >= 0].all())
    return DAY_FIRST if points else usual, points, None


def calendar_dates(year: Array, month: Array, day: Array) -> tuple[Array, Array]:
    """Return dates as ``datetime64[us]``, and a mask of those that are in the calendar."""
    sound = (year >= 1) & (month >= 1) & (month <= 12) & (day >= 1)
    months = (np.where(sound, (year - 1970) * 12 + month - 1, 0)).astype("datetime64[M]")
    start = months.astype("datetime64[D]")
    length = ((months + 1).astype("datetime64[D]") - start).astype(int)
    sound &= day <= length
    dates = start + (np.where(sound, day, 1) - 1).astype("timedelta64[D]")
    return dates.astype("datetime64[us]"), sound


def times_of_day(found: dict[str, Array]) -> tuple[Array, Array]:
    """Return the time since midnight, 0 if there is none, and a mask of the possible times."""
    hour, minute, second, fraction = (
        np.maximum(found[name], 0) for name in ("hour", "minute", "second", "fraction")
    )
    half = found["half"]
    halves = half >= 0
    possible = np.where(halves, (hour >= 1) & (hour <= 12), hour <= 23)
    possible |= (hour == 24) & (minute == 0) & (second == 0) & (fraction == 0) & ~halves
    possible &= (minute <= 59) & (second <= 59)
    hour = np.where(halves, hour % 12 + half, hour)
    seconds = (hour * 60 + minute) * 60 + second
    return (seconds * 1_000_000 + fraction).astype("timedelta64[us]"), possible
