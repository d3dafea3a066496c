"""Rows of a text table, each with its number and its cells."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from neuropil.datasets.data_errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path


@final
@dataclass(frozen=True)
class Record:
    """One row of cells, its number as in a spreadsheet, and its end position in the text."""

    cells: list[str]
    row: int
    end: int


@final
@dataclass(frozen=True)
class Preamble:
    """The lines before a table: a line that names the delimiter, comments, blank lines."""

    delimiter: str | None
    comments: list[str]
    end: int
    rows: int


def split_lines(
    lines: Sequence[str], delimiter: str, escape: str | None = None
) -> list[list[str]]:
    """Return the stripped cells of all non-blank rows; an empty list if quotes do not match."""
    if delimiter == " ":
        lines = [line.strip(" ") for line in lines]
    reader = csv.reader(lines, delimiter=delimiter, escapechar=escape, skipinitialspace=True)
    try:
        return [[cell.strip() for cell in record] for record in reader if record]
    except csv.Error:
        return []


def needs_escape(lines: Sequence[str], delimiter: str) -> bool:
    """Return whether a backslash escapes quotes, as in files of MySQL."""
    if not any('\\"' in line for line in lines):
        return False
    plain, escaped = (set(map(len, split_lines(lines, delimiter, e))) for e in (None, "\\"))
    return len(escaped) == 1 < len(plain)


def read_records(
    lines: Iterable[str], delimiter: str, path: Path, before: Preamble, *, escape: bool
) -> list[Record]:
    """Return the non-blank rows, with stripped cells."""
    ends = [before.end]

    def lines_with_ends() -> Iterable[str]:
        for line in lines:
            ends.append(ends[-1] + len(line))
            yield line.strip(" ") if delimiter == " " else line

    rows = numbered_rows(lines_with_ends(), delimiter, path, before.rows + 1, escape=escape)
    records = []
    for row, record in rows:
        cells = [cell.strip() for cell in record]
        if len(cells) > 1 or any(cells):
            records.append(Record(cells, row, ends[-1]))
    return records


def numbered_rows(
    lines: Iterable[str],
    delimiter: str,
    path: Path,
    first: int,
    *,
    escape: bool,
    strict: bool = False,
    quote: str = '"',
) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the cells of each row, including blank ones.

    Args:
        lines: Lines of the table.
        delimiter: One character.
        path: The file, for errors.
        first: Number of the first row.
        escape: Whether a backslash escapes a quote.
        strict: Whether quotes must match.
        quote: The character around cells that hold a delimiter.

    Raises:
        DataError: If quotes do not match, or a cell is too long for the csv module.
    """
    reader = csv.reader(
        lines,
        delimiter=delimiter,
        skipinitialspace=True,
        strict=strict,
        quotechar=quote,
        escapechar="\\" if escape else None,
    )
    try:
        yield from enumerate(reader, start=first)
    except csv.Error as error:
        line = first - 1 + reader.line_num
        raise DataError(f"{path}, line {line}: {error}.") from None
