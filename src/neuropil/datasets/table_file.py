"""Read a text table: any delimiter, quoted cells, with or without a header."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from typing_extensions import Self

from neuropil.datasets.cells import is_missing, is_number
from neuropil.datasets.errors import DataError
from neuropil.datasets.paths import listed

DELIMITERS = (",", ";", "\t", "|")
SAMPLE = 1000
"""Rows that the delimiter and the header are judged by."""
DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+([eE][+-]?\d+)?")


@final
@dataclass(frozen=True)
class Table:
    """Named columns of text cells.

    Args:
        names: Name of each column.
        columns: Cells of each column, all of one length.
        rows: Row of each cell in the file, counted as a spreadsheet does.
        source: Where the table comes from, for errors.
        header: Whether the names stand in the file.

    Example:
        >>> table = Table.of({"age": [31, None], "name": ["Ada", "Bo"]})
        >>> table.column("age"), len(table)
        (['31', ''], 2)
    """

    names: list[str]
    columns: list[list[str]]
    rows: Sequence[int]
    source: str
    header: bool = True

    @classmethod
    def of(cls, columns: Any) -> Self:
        """Return a table of columns in memory.

        Args:
            columns: Maps names to sequences of cells; a dict or a pandas DataFrame. None and NaN are missing.
        """
        cells = [[as_text(cell) for cell in columns[name]] for name in columns]
        return cls([str(name) for name in columns], cells, range(1, 1 + len(cells[0]) if cells else 1), "the table")

    def __len__(self) -> int:
        return len(self.rows)

    def column(self, name: str) -> list[str]:
        """Return the cells of a column.

        Args:
            name: One of `names`.
        """
        return self.columns[self.names.index(name)]

    def where(self, keep: Sequence[bool]) -> Table:
        """Return the rows that are to be kept.

        Args:
            keep: True or false for each row.
        """
        columns = [[c for c, k in zip(column, keep, strict=True) if k] for column in self.columns]
        rows = [row for row, k in zip(self.rows, keep, strict=True) if k]
        return Table(self.names, columns, rows, self.source, self.header)


def as_text(cell: object) -> str:
    """Return a cell in memory as its text; None and NaN are missing."""
    return "" if cell is None or cell != cell else str(cell).strip()  # noqa: PLR0124 - NaN alone differs from itself


def read_table(path: Path, notes: list[str], *, header: bool | None = None) -> Table:
    """Read a text table.

    Args:
        path: The file; ``.tsv`` is tab-separated, otherwise the delimiter is seen from the rows.
        notes: Gains a line for each thing a person should know.
        header: Whether the first row holds the names; None to see from the rows.

    Raises:
        DataError: If it is no table: ragged rows, names that stand twice, no rows.
    """
    records, rows = read_records(path, notes)
    if header is None:
        header = has_header(records)
        if not header:
            notes.append(
                f"{path.name} has no header line: its columns are called column1 to column{len(records[0])}."
            )
    width = len(records[0])
    for record, row in zip(records, rows, strict=True):
        if len(record) != width:
            first = "the header has" if header else "the first row has"
            raise DataError(f"{path}, row {row}: {len(record)} cells, but {first} {width}.")
    names = [f"column{number}" for number in range(1, width + 1)]
    if header:
        names = [cell or name for cell, name in zip(records[0], names, strict=True)]
        records, rows = records[1:], rows[1:]
    if twice := [name for name, times in Counter(names).items() if times > 1]:
        raise DataError(f"{path} has more than one column called {listed(map(repr, twice))}.")
    if not records:
        raise DataError(f"{path} has a header but no rows below it.")
    return Table(names, [list(c) for c in zip(*records, strict=True)], rows, str(path), header)


def read_records(path: Path, notes: list[str]) -> tuple[list[list[str]], list[int]]:
    """Return the stripped cells of every row that is not blank, and the rows' numbers."""
    content = read_text(path, notes)
    dialect = find_delimiter(content, prefer="\t" if path.suffix.casefold() == ".tsv" else ",")
    records, rows = parse(content, dialect, path)
    if not records:
        raise DataError(f"{path} is empty.")
    if dialect != "," and writes_decimal_commas(records):
        records = [[decimal_point(cell) for cell in record] for record in records]
        notes.append(f"{path.name} writes numbers with a decimal comma: 3,14 is read as 3.14.")
    return records, rows


def read_text(path: Path, notes: list[str]) -> str:
    """Return the file as text: UTF-8, UTF-16 by its mark, otherwise Windows-1252."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from None
    marked = raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        content = raw.decode("utf-16" if marked else "utf-8-sig")
    except UnicodeDecodeError:
        content = raw.decode("cp1252", errors="replace")
        notes.append(f"{path.name} is not UTF-8: read as Windows-1252.")
    if "\0" in content:
        raise DataError(f"{path} is no text table: it holds zero bytes.")
    return content


def parse(content: str, delimiter: str, path: Path) -> tuple[list[list[str]], list[int]]:
    """Return the stripped cells of every row that is not blank, and the rows' numbers."""
    reader = csv.reader(
        io.StringIO(content, newline=""), delimiter=delimiter, skipinitialspace=True, strict=True
    )
    records, rows = [], []
    try:
        for row, record in enumerate(reader, start=1):
            if any(cell.strip() for cell in record):
                records.append([cell.strip() for cell in record])
                rows.append(row)
    except csv.Error as error:
        raise DataError(f"{path}, line {reader.line_num}: {error}.") from None
    return records, rows


def find_delimiter(content: str, prefer: str) -> str:
    """Return what parts the cells: the delimiter that gives equal rows, numbers, many columns."""
    lines = content.splitlines(keepends=True)[:SAMPLE]

    def merit(delimiter: str) -> tuple[bool, float, float, int, bool]:
        try:
            reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True)
            records = [record for record in reader if record]
        except csv.Error:
            records = []
        if not records:
            return False, 0.0, 0.0, 0, False
        width, times = Counter(map(len, records)).most_common(1)[0]
        cells = [cell.strip() for record in records for cell in record]
        known = sum(is_number(decimal_point(cell)) for cell in cells) / len(cells)
        return width > 1, times / len(records), known, width, delimiter == prefer

    return max(DELIMITERS, key=merit)


def has_header(records: Sequence[Sequence[str]]) -> bool:
    """Tell whether the first row names the columns.

    A number at the top of a column of numbers speaks against it, a word there for it. Where all columns are words,
    a first word that comes again below speaks against it.
    """
    first, below = records[0], records[1 : 1 + SAMPLE]
    votes = 0
    for place, cell in enumerate(first):
        column = [record[place] for record in below if place < len(record)]
        known = [c for c in column if not is_missing(c)]
        if known and sum(map(is_number, known)) > len(known) / 2:
            votes += -1 if is_number(cell) else 0 if is_missing(cell) else 1
    if votes:
        return votes > 0
    columns = list(zip(*below, strict=False))
    repeated = any(cell in column for cell, column in zip(first, columns, strict=False))
    return not repeated and not any(map(is_number, first))


def writes_decimal_commas(records: Sequence[Sequence[str]]) -> bool:
    """Tell whether numbers have commas where others have points."""
    cells = [cell for record in records[:SAMPLE] for cell in record]
    commas = sum(DECIMAL_COMMA.fullmatch(cell) is not None for cell in cells)
    return commas > 0 and not any("." in cell and is_number(cell) for cell in cells)


def decimal_point(cell: str) -> str:
    """Return a number with its decimal comma made a point; any other cell as it is."""
    return cell.replace(",", ".") if DECIMAL_COMMA.fullmatch(cell) else cell
