"""Header of a table: whether there is one, and the titles above it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neuropil.checks import shown
from neuropil.datasets.data_errors import DataError
from neuropil.datasets.tables.cells import as_number, is_missing, is_number
from neuropil.datasets.tables.files.text_records import split_lines

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from neuropil.datasets.tables.files.text_records import Record

SAMPLE = 1000
JUDGED = 200
"""Number of rows that a header of numbers is compared with."""
RARE = 0.05
"""Largest share of rows that may rise or fall like a header of numbers."""


def has_header(records: Sequence[Sequence[str]]) -> bool:
    """Return whether the first row names the columns.

    A word at the top of a column of numbers indicates a header; a number there does not, unless
    the numbers are a scale: 0, 1, 2 as pandas names columns, or wavelengths. If all columns are
    words, a first word that occurs again below shows that it is not a header.

    Args:
        records: The first rows.
    """
    first, below = records[0], records[1 : 1 + SAMPLE]
    if is_scale(first, below):
        return True
    pairs = list(zip(first, zip(*below, strict=False), strict=False))
    tops = [cell for cell, column in pairs if mostly_numbers(column) and not is_missing(cell)]
    if tops:
        return 2 * sum(map(is_number, tops)) <= len(tops)
    return not any(cell in column or is_number(cell) for cell, column in pairs)


def mostly_numbers(cells: Sequence[str]) -> bool:
    """Return whether more than half of the cells that are not missing are numbers."""
    known = [cell for cell in cells[:JUDGED] if not is_missing(cell)]
    return sum(map(is_number, known)) > len(known) / 2


def is_scale(first: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """Return whether the first row consists of numbers that name columns.

    They count from 0 or 1, or rise or fall unlike the rows below. There may be words that do
    not occur below, such as the name of the target.
    """
    places = [place for place, cell in enumerate(first) if is_number(cell)]
    words = [place for place, cell in enumerate(first) if not is_number(cell) and cell]
    rows = [row for row in below[:JUDGED] if len(row) == len(first)]
    if not rows or len(places) < max(2, 2 * len(words)):
        return False
    scale = np.array([as_number(first[place]) for place in places])
    steps = np.diff(scale)
    again = any(first[place] in {row[place] for row in rows} for place in words)
    if again or not ((steps > 0).all() or (steps < 0).all()):
        return False
    numbers = np.array([[as_number(row[place]) for place in places] for row in rows])
    return names_columns(scale, numbers, alone=not words)


def names_columns(scale: np.ndarray, numbers: np.ndarray, *, alone: bool) -> bool:
    """Return whether a rising or falling row of numbers names the columns below.

    Args:
        scale: The row.
        numbers: The rows below, NaN for cells that are not numbers.
        alone: Whether the row has only numbers.
    """
    steps = np.diff(scale)
    counts = scale[0] in (0, 1) and (steps == 1).all()
    if len(scale) == 2 and alone:
        # A row of 0 and 1 may be data if the columns hold integers.
        fractions = np.isfinite(numbers) & (numbers != np.round(numbers))
        return bool(counts and (fractions.mean(axis=0) > 0.5).any())
    if counts:
        return bool((np.diff(numbers, axis=1) == 1).all(axis=1).mean() <= RARE)
    even = np.ptp(steps) <= 1e-6 * np.abs(steps).max()
    alike = (np.diff(numbers, axis=1) * np.sign(steps[0]) > 0).all(axis=1).mean()
    known = numbers[np.isfinite(numbers)]
    away = np.abs(numbers - scale)[np.isfinite(numbers)]
    apart = len(known) and away.min() > np.ptp(known)
    return bool((alike <= RARE and (even or len(scale) >= 6)) or (apart and even))


def fitted_names(
    first: Sequence[str], below: Sequence[Sequence[str]], width: int
) -> list[str] | None:
    """Return the names in a header with one cell fewer or more than the rows; else None.

    R omits the name of the first column, which has the names of the rows. A delimiter at the
    end of each row, or only of the header, makes a column without a name and values.

    Args:
        first: The header.
        below: The rows below it.
        width: Number of cells in these rows.
    """
    if len(first) == width + 1 and not first[-1]:
        return list(first[:-1])
    rows = [row for row in below if len(row) == width]
    names = None
    if len(first) == width - 1 and rows:
        column = [row[0] for row in rows]
        numbered = column == [str(number) for number in range(1, len(column) + 1)]
        if not any(row[-1] for row in rows):
            names = [*first, ""]
        elif len(set(column)) == len(column) and (numbered or not any(map(is_number, column))):
            names = ["", *first]
    return names


def find_names(
    records: Sequence[Record],
    width: int,
    comments: Sequence[str],
    delimiter: str,
    header: bool | None,  # noqa: FBT001 - an option that is passed on
    path: Path,
    notes: list[str],
) -> tuple[list[str] | None, int]:
    """Return the names of the columns, and the number of rows used by names and titles.

    Raises:
        DataError: If the first row has another number of cells than the others.
    """
    below = [record.cells for record in records]
    if comments:
        names = split_lines([comments[-1].lstrip("# ")], delimiter)
        if names and len(names[0]) == width > 1 and header is None and not has_header(below):
            notes.append(f"{path.name}: its names are in the comment {comments[-1]!r:.80}.")
            return names[0], 0
        title = "comment" if len(comments) == 1 else f"{len(comments):,} comments"
        notes.append(f"{path.name}: {title} skipped: {shown(comments[0], 80)}.")
    if header is False:
        return None, 0
    used = 0
    while len(below[used]) == 1 < width and is_title(below[used:], width):
        row = records[used].row
        notes.append(f"{path.name}, row {row}: title skipped: {below[used][0]!r:.80}.")
        used += 1
    first = below[used]
    if len(first) != width:
        names = fitted_names(first, below[used + 1 :], width)
        if names is None:
            raise DataError(
                f"{path}, row {records[used].row}: {len(first)} cells, but most rows have "
                f"{width}; it looks like {'a title' if len(first) < width else 'a stray line'}."
            )
        return names, used + 1
    named = header or (has_header(below[used:]) if header is None else False)
    return (first, used + 1) if named else (None, used)


def is_title(below: Sequence[Sequence[str]], width: int) -> bool:
    """Return whether the first row is a title above a table, not the name of a column."""
    following = below[1:]
    if not following:
        return False
    return width > 2 or len(following[0]) == 1 or has_header(following)
