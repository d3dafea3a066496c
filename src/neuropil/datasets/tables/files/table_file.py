"""Reader for text tables, compressed or not, in any encoding."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from neuropil.datasets.tables.files.dialect import find_layout
from neuropil.datasets.tables.files.encodings import decode
from neuropil.datasets.tables.files.named_columns import column_names, table_of_columns
from neuropil.datasets.tables.files.text_blocks import utf8_head
from neuropil.datasets.tables.files.text_cells import is_loose, read_cells, read_regular
from neuropil.datasets.tables.table import Table
from neuropil.datasets.unpacking import open_unpacked, read_unpacked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    import pyarrow as pa

    from neuropil.datasets.tables.files.dialect import Layout


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
    find = partial(find_layout, path=path, header=header, expected=tuple(expected))
    found = read_utf8(path, notes, find, encoding, names_alone=names_alone)
    if found is None:
        text = decode(read_unpacked(path), path, notes, asked=encoding, known=known_encoding)
        layout = find(text, notes=notes)
        found = layout, *(([], []) if names_alone else read_cells(text, layout, path))
    layout, columns, rows = found
    if names_alone:
        return Table(column_names(layout.names, str(path)), [], [], str(path))
    return table_of_columns(
        layout.names,
        columns,
        rows,
        str(path),
        notes,
        header=layout.header,
        delimiter=layout.delimiter,
    )


def read_utf8(
    path: Path,
    notes: list[str],
    find: Callable[..., Layout],
    encoding: str | None,
    *,
    names_alone: bool,
) -> tuple[Layout, list[pa.StringArray], Sequence[int]] | None:
    """Return the layout, the columns and the rows of a regular file in UTF-8.

    It is read block by block, so that its text is in memory once, as columns.

    Args:
        path: The file, compressed or not.
        notes: Gains notes for the user.
        find: Finds the layout, as `find_layout`.
        encoding: Name of the encoding that the user gave, or None.
        names_alone: Whether only the names are needed.

    Returns:
        None if the file is in another encoding, or PyArrow alone cannot read it.
    """
    own: list[str] = []
    with open_unpacked(path) as file:
        start = utf8_head(file, encoding)
        if start is None:
            return None
        head, text, whole = start
        layout = find(text, notes=own, whole=whole)
        found = ([], []) if names_alone else None
        body = text[layout.start :]
        if found is None and body.strip("\r\n") and not is_loose(body, layout):
            found = read_regular(head[len(text[: layout.start].encode()) :], file, layout)
    if found is None:
        return None
    notes += own
    columns, rows = found
    return layout, columns, rows
