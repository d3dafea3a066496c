"""Patterns of dates and times in texts, and the numbers that they contain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Iterable

Array = np.ndarray[Any, Any]

PIVOT = 69
"""Years of two digits below this belong to the 21st century, as in POSIX."""
MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july", "august"),
    *("september", "october", "november", "december"),
)
NAMES = "|".join((*MONTHS, "sept", *(month[:3] for month in MONTHS)))
NAMED_MONTH = f"(?P<month>(?i:{NAMES}))"
WEEKDAY = r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*\.?,?\s+)?"
ORDINAL = r"(?:st|nd|rd|th|\.)?"
CLOCK = (
    r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"(?:\s*(?P<half>[AaPp])\.?[Mm]\.?)?"
)
ZONE = r"(?:\s*(?P<zone>Z|UTC|GMT|[+-]\d{2}:?(?:\d{2})?))?"
TIME = rf"(?:(?:T|,?\s+|:){CLOCK}{ZONE})?"
YEAR, ANY_YEAR = r"(?P<year>\d{4})", r"(?P<year>\d{4}|\d{2})"
MONTH, DAY = r"(?P<month>\d{1,2})", r"(?P<day>\d{1,2})"
FIRST, OTHER = r"(?P<first>\d{1,2})", r"(?P<other>\d{1,2})"
BASIC_DATE = r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})"
BASIC_TIME = rf"(?:T(?P<hour>\d{{2}})(?P<minute>\d{{2}})(?P<second>\d{{2}})?{ZONE})?"
YEAR_FIRST = (
    *(rf"{YEAR}[{mark}]{MONTH}[{mark}]{DAY}{TIME}" for mark in ("-", "/", ".")),
    rf"{YEAR}[-/]{MONTH}",
    BASIC_DATE + BASIC_TIME,
)
# Version numbers such as 1.2.10 are not dates: short years need days and months of two digits.
POINTS = (
    rf"{FIRST}\.\s?{OTHER}\.\s?{YEAR}{TIME}",
    rf"(?P<first>\d{{2}})\.(?P<other>\d{{2}})\.(?P<year>\d{{2}}){TIME}",
)
IN_EITHER_ORDER = (rf"{FIRST}/{OTHER}/{ANY_YEAR}{TIME}", rf"{FIRST}-{OTHER}-{YEAR}{TIME}")
NAMED = (
    rf"{WEEKDAY}{DAY}{ORDINAL}[-\s/]+{NAMED_MONTH}\.?,?[-\s/]+{ANY_YEAR}{TIME}",
    rf"{WEEKDAY}{NAMED_MONTH}\.?\s+{DAY}{ORDINAL},?\s+{YEAR}{TIME}",
)
CLOCKS = (rf"{CLOCK}{ZONE}",)
FORMS = (*YEAR_FIRST, *POINTS, *IN_EITHER_ORDER, *NAMED, *CLOCKS)
"""Patterns of whole cells; ``first`` and ``other`` are day and month in an unknown order."""
GROUPS = (
    *("form", "year", "month", "day", "first", "other"),
    *("hour", "minute", "second", "fraction", "half"),
)


def take_apart(cells: pa.StringArray, likely: Iterable[int] = ()) -> dict[str, Array]:
    """Return the numbers in each cell by the name of the group.

    Args:
        cells: Texts; null is not a date.
        likely: Indices of the patterns to try first, since each takes time.

    Returns:
        -1 for a number that is absent; ``form`` is the index of the pattern in `FORMS`,
        ``half`` is 0 for a.m. and 12 for p.m., and ``zone`` is in minutes, 0 if absent.
    """
    numbers = {name: np.full(len(cells), -1) for name in GROUPS}
    numbers["zone"] = np.zeros(len(cells), int)
    rest = np.flatnonzero(cells.is_valid().to_numpy(zero_copy_only=False))
    texts = cells.drop_null()
    for form in dict.fromkeys([*likely, *range(len(FORMS))]):
        if not len(texts):
            break
        found = pc.extract_regex(texts, f"^{FORMS[form]}$")
        matched = found.is_valid()
        mask = matched.to_numpy(zero_copy_only=False)
        if not mask.any():
            continue
        places, parts = rest[mask], found.filter(matched)
        numbers["form"][places] = form
        for group in found.type:
            read = READERS.get(group.name, digits)
            numbers[group.name][places] = read(pc.struct_field(parts, group.name))
        rest, texts = rest[~mask], texts.filter(pc.invert(matched))
    return numbers


def digits(texts: pa.StringArray) -> Array:
    """Return texts of digits as numbers, -1 if empty."""
    filled = pc.if_else(pc.equal(texts, ""), "-1", texts)
    return pc.cast(filled, pa.int64()).to_numpy(zero_copy_only=False)


def full_year(texts: pa.StringArray) -> Array:
    """Return years; those of two digits are between 1969 and 2068."""
    years = digits(texts)
    short = pc.equal(pc.binary_length(texts), 2).to_numpy(zero_copy_only=False)
    return np.where(short, years + np.where(years < PIVOT, 2000, 1900), years)


def month_number(texts: pa.StringArray) -> Array:
    """Return the number of each month, given in digits or by name."""
    if pc.all(pc.match_substring_regex(texts, r"^\d*$")).as_py():
        return digits(texts)
    short = pa.array([month[:3] for month in MONTHS])
    stems = pc.utf8_slice_codeunits(pc.utf8_lower(texts), 0, 3)
    return pc.index_in(stems, short).to_numpy(zero_copy_only=False) + 1


def microseconds(texts: pa.StringArray) -> Array:
    """Return the digits after the point of a second as microseconds, truncated."""
    return digits(pc.utf8_slice_codeunits(pc.utf8_rpad(texts, 6, "0"), 0, 6))


def half_of_day(texts: pa.StringArray) -> Array:
    """Return 0 for a.m., 12 for p.m. and -1 for neither."""
    found = pc.index_in(pc.utf8_lower(texts), pa.array(["a", "p"]))
    return pc.fill_null(pc.multiply(found, 12), -1).to_numpy(zero_copy_only=False)


def zone_minutes(texts: pa.StringArray) -> Array:
    """Return the minutes by which a local time is ahead of UTC."""
    signed = pc.match_substring_regex(texts, r"^[+-]")
    amount = digits(
        pc.if_else(
            signed,
            pc.utf8_rpad(pc.replace_substring_regex(texts, r"\D", ""), 4, "0"),
            "0",
        )
    )
    sign = np.where(pc.starts_with(texts, "-").to_numpy(zero_copy_only=False), -1, 1)
    return sign * (amount // 100 * 60 + amount % 100)


READERS = {
    "year": full_year,
    "month": month_number,
    "fraction": microseconds,
    "half": half_of_day,
    "zone": zone_minutes,
}
"""Readers of the groups that are not plain numbers."""
