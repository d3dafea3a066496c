"""Cells of a text table; PyArrow reads them as text, without conversion."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from functools import partial
from typing import IO, TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv

from neuropil.datasets.data_errors import DataError
from neuropil.datasets.tables.files.text_blocks import Block, read_blocks
from neuropil.datasets.tables.files.text_records import numbered_rows
from neuropil.datasets.tables.memory_pool import table_pool

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from neuropil.datasets.tables.files.dialect import Layout

LONGEST_ROW = 2**24
"""Largest size of a row in bytes."""


def read_regular(
    head: bytes, rest: IO[bytes], layout: Layout
) -> tuple[list[pa.StringArray], Sequence[int]] | None:
    """Return the stripped cells of each column, and the number of each row.

    Args:
        head: The first bytes of the cells, in UTF-8.
        rest: The file after them.
        layout: Layout of the table.

    Returns:
        None if a row is blank or has another number of cells, a cell holds a line break, spaces
        stand beside quotes, or the text is not UTF-8.
    """
    found = read_blocks(head, rest, partial(read_block, layout=layout))
    if found is None:
        return None
    rows = range(layout.row, layout.row + len(found.cells))
    pieces, strip, protected = found.cells.columns, found.strip, found.protected
    del found
    return text_columns(pieces, strip=strip, protected=protected), rows


def read_block(lines: bytes, layout: Layout) -> Block | None:
    """Return the cells of some lines, None if there are other rows than lines."""
    quote = layout.quote.encode()
    spaces = [space.encode() for space in spaces_beside(layout) if space.encode() in lines]
    if b"\0" in lines or (quote in lines and any(space + quote in lines for space in spaces)):
        return None
    cells = arrow_cells(lines, layout)
    ends = max(lines.count(b"\n"), lines.count(b"\r"))
    if cells is None or len(cells) != ends + (lines[-1:] not in b"\r\n"):
        return None
    # If the block ends within quotes, its last cell holds the end of its last line.
    last = cells.slice(len(cells) - 1).to_pylist()[0].values()
    if quote in lines and any("\n" in cell or "\r" in cell for cell in last):
        return None
    return Block(cells, bool(spaces) or not lines.isascii(), b'="' in lines)


def read_cells(
    text: str, layout: Layout, path: Path
) -> tuple[list[pa.StringArray], Sequence[int]]:
    """Return the stripped cells of each column, and the number of each row.

    Raises:
        DataError: If rows have different numbers of cells, or quotes do not match.
    """
    body = text[layout.start :].rstrip("\r\n")
    if body and not is_loose(body, layout):
        found = read_regular(body.encode(), io.BytesIO(), layout)
        if found is not None:
            return found
    body, rows = rewrite_loose(body, layout, path)
    if not rows:
        return [pa.array([], pa.string())] * len(layout.names), rows
    strict = replace(layout, delimiter=",", escape=False, quote='"')
    cells = arrow_cells(body.encode(), strict)
    if cells is None:
        raise DataError(f"{path} has a row of more than {LONGEST_ROW / 2**20:g} MiB.")
    return text_columns(cells.columns, strip=True, protected='="' in body), rows


def text_columns(
    pieces: list[pa.ChunkedArray], *, strip: bool, protected: bool
) -> list[pa.StringArray]:
    """Return the columns that PyArrow read, each in one piece.

    Args:
        pieces: The columns; the list is emptied, so that their memory is freed in turn.
        strip: Whether cells may begin or end with spaces; stripping takes as long as reading.
        protected: Whether cells may be written as ``="007"``, which keeps Excel from
            converting them to numbers.
    """
    columns = []
    while pieces:
        cells = pa.concat_arrays(pieces.pop(0).chunks, memory_pool=table_pool())
        cells = pc.utf8_trim_whitespace(cells) if strip else cells
        if protected:
            cells = pc.replace_substring_regex(cells, '^="([^"]*)"$', r"\1")
        columns.append(cells)
    return columns


def arrow_cells(body: bytes, layout: Layout) -> pa.Table | None:
    """Return the cells of a table as text, read by PyArrow; None if it cannot read them."""
    names = [str(number) for number in range(len(layout.names))]
    try:
        return arrow_csv.read_csv(
            pa.BufferReader(body),
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
            memory_pool=table_pool(),
        )
    except pa.ArrowInvalid:
        return None


def is_loose(body: str, layout: Layout) -> bool:
    """Return whether there are spaces beside quotes, or spaces as the delimiter."""
    spaces = spaces_beside(layout)
    beside = layout.quote in body and any(space + layout.quote in body for space in spaces)
    return layout.delimiter == " " or beside


def spaces_beside(layout: Layout) -> str:
    """Return the spaces that are not delimiters."""
    return " " if layout.delimiter == "\t" else " \t"


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
