"""Read a text table: any delimiter, quoted cells, with or without a header."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, final

from neuropil.datasets.cells import is_missing, is_number
from neuropil.datasets.errors import DataError
from neuropil.datasets.paths import listed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

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
        >>> from neuropil.datasets import Table
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
            columns: Maps names to sequences of cells; a dict or a pandas DataFrame. None and
                NaN are missing.
        """
        cells = [[as_text(cell) for cell in columns[name]] for name in columns]
        return cls(
            [str(name) for name in columns],
            cells,
            range(1, 1 + len(cells[0]) if cells else 1),
            "the table",
        )

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
        columns = [
            [c for c, k in zip(column, keep, strict=True) if k] for column in self.columns
        ]
        rows = [row for row, k in zip(self.rows, keep, strict=True) if k]
        return Table(self.names, columns, rows, self.source, self.header)


def as_text(cell: object) -> str:
    """Return a cell in memory as its text; None and what pandas has for it are empty."""
    text = str(cell).strip()
    return "" if text in {"None", "nan", "<NA>", "NaT"} else text


def read_table(path: Path, notes: list[str], *, header: bool | None = None) -> Table:
    """Read a text table.

    Args:
        path: The file; ``.tsv`` is tab-separated, otherwise the delimiter is seen from the
            rows.
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
                f"{path.name} has no header line: its columns are called column1 to "
                f"column{len(records[0])}."
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
    return Table(names, transposed(records), rows, str(path), header)


def transposed(records: Sequence[Sequence[str]]) -> list[list[str]]:
    """Return the columns of equal rows; in pieces, which stay in the processor's cache."""
    columns: list[list[str]] = [[] for _ in records[0]]
    for start in range(0, len(records), SAMPLE):
        piece = zip(*records[start : start + SAMPLE], strict=True)
        for column, cells in zip(columns, piece, strict=True):
            column += cells
    return columns


def read_names(path: Path) -> list[str]:
    """Return the cells of the first line alone, where a table may name its columns.

    Raises:
        DataError: If it cannot be read.
    """
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            line = file.readline()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from None
    records, _ = parse(line, find_delimiter(line, prefer=","), path)
    return records[0] if records else []


def read_records(path: Path, notes: list[str]) -> tuple[list[list[str]], list[int]]:
    """Return the stripped cells of every row that is not blank, and the rows' numbers.

    Raises:
        DataError: If there is none.
    """
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
    """Return the file as text: UTF-8, UTF-16 by its mark, otherwise Windows-1252.

    Raises:
        DataError: If it cannot be read, or is no text.
    """
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
    """Return the stripped cells of every row that is not blank, and the rows' numbers.

    Raises:
        DataError: If quotes do not match.
    """
    reader = csv.reader(
        io.StringIO(content, newline=""),
        delimiter=delimiter,
        skipinitialspace=True,
        strict=True,
    )
    # Looked for once, as stripping millions of cells takes longer than reading them.
    spaces = any(space in content for space in (" ", "\xa0", "\t"))
    records, rows = [], []
    try:
        for row, record in enumerate(reader, start=1):
            cells = [cell.strip() for cell in record] if spaces else record
            if any(cells):
                records.append(cells)
                rows.append(row)
    except csv.Error as error:
        raise DataError(f"{path}, line {reader.line_num}: {error}.") from None
    return records, rows


def find_delimiter(content: str, prefer: str) -> str:
    """Return what parts the cells: what gives equal rows, many numbers, many columns."""
    # A few megabytes show enough; the last line may be cut.
    lines = content[: 2**22].splitlines(keepends=True)[:SAMPLE]

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

    A word at the top of a column of numbers speaks for it, a number there against it. Where all
    columns are words, a first word that comes again below speaks against it.
    """
    first, below = records[0], records[1 : 1 + SAMPLE]
    pairs = list(zip(first, zip(*below, strict=False), strict=False))
    tops = [cell for cell, column in pairs if mostly_numbers(column) and not is_missing(cell)]
    if tops:
        return 2 * sum(map(is_number, tops)) <= len(tops)
    return not any(cell in column or is_number(cell) for cell, column in pairs)


def mostly_numbers(cells: Sequence[str]) -> bool:
    """Tell whether more than half of the cells that are not missing are numbers."""
    known = [cell for cell in cells if not is_missing(cell)]
    return sum(map(is_number, known)) > len(known) / 2


def writes_decimal_commas(records: Sequence[Sequence[str]]) -> bool:
    """Tell whether numbers have commas where others have points."""
    cells = [cell for record in records[:SAMPLE] for cell in record]
    commas = sum(DECIMAL_COMMA.fullmatch(cell) is not None for cell in cells)
    return commas > 0 and not any("." in cell and is_number(cell) for cell in cells)


def decimal_point(cell: str) -> str:
    """Return a number with its decimal comma made a point; any other cell as it is."""
    return cell.replace(",", ".") if DECIMAL_COMMA.fullmatch(cell) else cell
