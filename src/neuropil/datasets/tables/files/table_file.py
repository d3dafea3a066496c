"""Reader for text tables; PyArrow reads the cells as text, without conversion."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv

from neuropil.datasets.data_errors import DataError
from neuropil.datasets.tables.files.dialect import Layout, find_layout, numbered_rows
from neuropil.datasets.tables.files.encodings import decode
from neuropil.datasets.tables.files.named_columns import column_names, table_of_columns
from neuropil.datasets.tables.table import Table
from neuropil.datasets.unpacking import read_unpacked

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

LONGEST_ROW = 2**24
"""Largest size of a row in bytes."""


def read_table(
    path: Path,
    notes: list[str],
    *,
    header: bool | None = None,
    encoding: str | None = None,
    known_encoding: str | None = None,
    expected: Iterable[str] = (),
    names_alone: bool = False,
) -> Table:
    """Read a text table, compressed or not.

    Args:
        path: The file; ``.tsv`` suggests tabs, otherwise the delimiter is detected.
        notes: Gains notes for the user.
        header: Whether the first row holds the names; None to detect it.
        encoding: Name of the encoding; None to detect it.
        known_encoding: An encoding to try if the file is not in Unicode.
        expected: Expected names of the columns, if known.
        names_alone: Whether only the names are needed.

    Raises:
        DataError: If it is not a table: ragged rows, duplicate names, no rows.
    """
    raw = read_unpacked(path)
    text = decode(raw, path, notes, asked=encoding, known=known_encoding)
    layout = find_layout(text, path, notes, header=header, expected=expected)
    if names_alone:
        return Table(column_names(layout.names, str(path)), [], [], str(path))
    columns, rows = read_cells(text, layout, path)
    return table_of_columns(
        layout.names,
        columns,
        rows,
        str(path),
        notes,
        header=layout.header,
        delimiter=layout.delimiter,
    )


def read_cells(
    text: str, layout: Layout, path: Path
) -> tuple[list[pa.StringArray], Sequence[int]]:
    """Return the stripped cells of each column, and the number of each row.

    Raises:
        DataError: If rows have different numbers of cells, or quotes do not match.
    """
    body = text[layout.start :].rstrip("\r\n")
    nothing = [pa.array([], pa.string())] * len(layout.names), range(0)
    if not body:
        return nothing
    rows: Sequence[int] | None = None
    found = None if is_loose(body, layout) else arrow_cells(body, layout)
    if found is None or len(found) <= max(body.count("\n"), body.count("\r")):
        # There are blank lines, line breaks within cells, or errors.
        body, rows = rewrite_loose(body, layout, path)
        if not rows:
            return nothing
        found = arrow_cells(body, replace(layout, delimiter=",", escape=False, quote='"'))
        if found is None:
            raise DataError(f"{path} has a row of more than {LONGEST_ROW / 2**20:g} MiB.")
    columns = [column.combine_chunks() for column in found.columns]
    # Checked first, since stripping millions of cells takes as long as reading them.
    if rows is not None or " " in body or "\t" in body or not body.isascii():
        columns = [pc.utf8_trim_whitespace(column) for column in columns]
    if '="' in body:  # ="007" keeps Excel from converting it to a number
        columns = [pc.replace_substring_regex(c, '^="([^"]*)"$', r"\1") for c in columns]
    return columns, rows if rows is not None else range(layout.row, layout.row + len(found))


def arrow_cells(body: str, layout: Layout) -> pa.Table | None:
    """Return the cells of a table as text, read by PyArrow; None if it cannot read them."""
    names = [str(number) for number in range(len(layout.names))]
    try:
        return arrow_csv.read_csv(
            io.BytesIO(body.encode()),
            # PyArrow's threads together with torch's can abort the process at exit.
            read_options=arrow_csv.ReadOptions(
                column_names=names, block_size=LONGEST_ROW, use_threads=False
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=layout.delimiter,
                quote_char=layout.quote,
                newlines_in_values=True,
                escape_char="\\" if layout.escape else False,
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid:
        return None


def is_loose(body: str, layout: Layout) -> bool:
    """Return whether there are spaces beside quotes, or spaces as the delimiter."""
    spaces = " " if layout.delimiter == "\t" else " \t"
    beside = layout.quote in body and any(space + layout.quote in body for space in spaces)
    return layout.delimiter == " " or beside


def rewrite_loose(body: str, layout: Layout, path: Path) -> tuple[str, list[int]]:
    """Return the rows of a loose table in a strict format, and the number of each row.

    Raises:
        DataError: If quotes do not match, or rows have different numbers of cells.
    """
    lines: Iterable[str] = io.StringIO(body, newline="")
    if layout.delimiter == " ":
        lines = (f"{line.strip()}\n" for line in lines)
    records = numbered_rows(
        lines,
        layout.delimiter,
        path,
        layout.row,
        escape=layout.escape,
        strict=True,
        quote=layout.quote,
    )
    width = len(layout.names)
    text, rows = io.StringIO(newline=""), []
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
    for row, record in records:
        if not record or (width > 1 and len(record) == 1 and not record[0].strip()):
            continue
        if len(record) != width:
            refuse_ragged(path, row, record, layout)
        writer.writerow(record)
        rows.append(row)
    return text.getvalue(), rows


def refuse_ragged(path: Path, row: int, record: Sequence[str], layout: Layout) -> None:
    """Raise an error about a row whose number of cells differs from that of the first.

    Raises:
        DataError: Always.
    """
    first = "the header has" if layout.header else "the first row has"
    looks = "; it looks like a comment" if record[0].lstrip().startswith("#") else ""
    raise DataError(
        f"{path}, row {row}: {len(record)} cells, but {first} {len(layout.names)}{looks}."
    )
