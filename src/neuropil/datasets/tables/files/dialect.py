"""Layout of a text table: its delimiter, the lines before it, the names of its columns."""

from __future__ import annotations

import io
import re
from collections import Counter
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING, final

from neuropil.datasets.data_errors import DataError
from neuropil.datasets.tables.cells import is_number
from neuropil.datasets.tables.files.header import find_names
from neuropil.datasets.tables.files.text_records import (
    Preamble,
    needs_escape,
    read_records,
    split_lines,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

DELIMITERS = (",", ";", "\t", "|")
RARE_DELIMITERS = (" ", ":", "^", "~", "\x01", "\x1f")
"""Tried if no other delimiter gives columns; all rows must have the same number of cells."""
SAMPLE_ROWS, SAMPLE_TEXT, SAMPLE_CELLS = 1000, 2**22, 2_000
"""Largest numbers of rows, characters and cells used to detect the layout."""
DELIMITED_ROWS = 250
"""Number of rows that the delimiters are compared on."""
MAX_COLUMNS = 100_000
SEPARATOR = re.compile(r'"?sep=([^\w"\r\n\x80-\U0010ffff])"?', re.IGNORECASE)
DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+([eE][+-]?\d+)?")


@final
@dataclass(frozen=True)
class Layout:
    """Layout of a table: its delimiter, its columns, and the position of its cells.

    Args:
        delimiter: One character; a space means any number of spaces.
        escape: Whether a backslash escapes a quote.
        names: Name of each column, empty if the file has none.
        header: Whether the file has names.
        start: Position in the text of the first row of cells.
        row: Number of that row, as in a spreadsheet.
        quote: The character around cells that hold a delimiter.
    """

    delimiter: str
    escape: bool
    names: list[str]
    header: bool
    start: int
    row: int
    quote: str = '"'


def find_layout(
    text: str,
    path: Path,
    notes: list[str],
    *,
    header: bool | None = None,
    expected: Iterable[str] = (),
    whole: bool = True,
) -> Layout:
    """Return the layout of a text table.

    Args:
        text: Text of the file.
        path: The file, for errors; ``.tsv`` suggests tabs.
        notes: Gains notes for the user.
        header: Whether the first row holds the names; None to detect it.
        expected: Expected names of the columns, if known.
        whole: Whether the text is the whole file, and not only its start.

    Raises:
        DataError: If the table is empty, or the first row has another number of cells.
    """
    before = read_preamble(text)
    sample = io.StringIO(text[before.end : before.end + SAMPLE_TEXT], newline="")
    lines = list(islice(sample, SAMPLE_ROWS))
    prefer = "\t" if ".tsv" in path.name.casefold() else ","
    delimiter = before.delimiter or find_delimiter(lines, prefer, set(expected))
    escape = needs_escape(lines, delimiter)
    records = read_records(lines, delimiter, path, before, escape=escape)
    if records and not (whole and records[-1].end == len(text)) and len(records) > 2:
        records.pop()  # it may have been cut
    if not records:
        raise DataError(f"{path} is empty.")
    width = Counter(len(record.cells) for record in records).most_common(1)[0][0]
    if width > MAX_COLUMNS:
        raise DataError(f"{path} has {width:,} columns; the limit is {MAX_COLUMNS:,}.")
    names, used = find_names(records, width, before.comments, delimiter, header, path, notes)
    if names is None:
        notes.append(
            f"{path.name} has no header line: its columns are named column1 to "
            f"column{width}; set header= to override."
        )
    return Layout(
        delimiter,
        escape,
        [""] * width if names is None else names,
        names is not None,
        records[used - 1].end if used else before.end,
        records[used - 1].row + 1 if used else before.rows + 1,
    )


def read_preamble(text: str) -> Preamble:
    """Return the lines before the table."""
    delimiter, comments = None, list[str]()
    end = rows = 0
    for line in io.StringIO(text[:SAMPLE_TEXT], newline=""):
        bare = line.strip(" \r\n")
        if delimiter is None and not comments and (found := SEPARATOR.fullmatch(bare)):
            delimiter = found[1]
        elif bare.startswith("#"):
            comments.append(bare)
        elif bare:
            return Preamble(delimiter, comments, end, rows)
        end, rows = end + len(line), rows + 1
    # Only lines that look like comments: they are the table.
    return Preamble(delimiter, [], 0, 0) if comments else Preamble(delimiter, [], end, rows)


def find_delimiter(lines: Sequence[str], prefer: str, expected: set[str]) -> str:
    """Return the delimiter that gives the expected names, equal rows, numbers, many columns."""

    def merit(delimiter: str) -> tuple[int, bool, float, float, int, bool]:
        records = split_lines(lines, delimiter)
        if not records:
            return 0, False, 0.0, 0.0, 0, False
        width, times = Counter(map(len, records)).most_common(1)[0]
        cells = list(islice(chain.from_iterable(records), SAMPLE_CELLS))
        known = sum(is_number(decimal_point(cell)) for cell in cells) / len(cells)
        found = len(expected.intersection(records[0]))
        return found, width > 1, times / len(records), known, width, delimiter == prefer

    lines = lines[:DELIMITED_ROWS]
    if is_one_column(lines, expected):
        return ";"
    merits = {delimiter: merit(delimiter) for delimiter in DELIMITERS}
    best = max(DELIMITERS, key=merits.__getitem__)
    if any(merits[best][:2]):
        return best
    for delimiter in RARE_DELIMITERS:
        first, *others = split_lines(lines, delimiter) or [[]]
        widths = set(map(len, others or [first]))
        # R writes no name for the column of row names.
        if len(widths) == 1 and min(widths) > 1 and min(widths) - len(first) in (0, 1):
            return delimiter
    return prefer


def is_one_column(lines: Sequence[str], expected: set[str]) -> bool:
    """Return whether a file is one expected column of numbers with decimal commas.

    R's files with an unnamed column of row numbers look the same: ``x``, ``1,5``, ``2,5``.
    """
    first, *below = [line.strip() for line in lines if line.strip()] or [""]
    fit = all(map(DECIMAL_COMMA.fullmatch, below))
    return first.strip('"') in expected and bool(below) and fit


def decimal_point(cell: str) -> str:
    """Return a cell with a decimal comma replaced by a point."""
    return cell.replace(",", ".") if DECIMAL_COMMA.fullmatch(cell) else cell
