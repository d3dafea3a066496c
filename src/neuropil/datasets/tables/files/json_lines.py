"""Reader of JSON lines: one object per line, whose fields are the columns."""

from __future__ import annotations

import codecs
import json
import re
from contextlib import suppress
from json import JSONDecodeError
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.json as arrow_json

from neuropil.checks import shown
from neuropil.datasets.data_errors import DataError
from neuropil.datasets.tables.files.named_columns import table_of_arrow
from neuropil.datasets.tables.frames import dict_column
from neuropil.datasets.unpacking import read_unpacked

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from neuropil.datasets.tables.table import Table

LONGEST_LINE = 2**24
"""Largest size of a line in bytes."""

LONG_INTEGER = re.compile(rb":\s*-?\d{19,}\s*[,}]")


def read_json_lines(
    path: Path, notes: list[str], *, names_alone: bool = False, **_unused: Any
) -> Table:
    """Read a file of one JSON object per line; a field that an object lacks is missing.

    Args:
        path: The file, compressed or not.
        notes: Gains notes for the user.
        names_alone: Whether only the names are needed.

    Raises:
        DataError: If a line is not an object of numbers, words and truth values.
    """
    raw = in_utf8(read_unpacked(path), path)
    if not raw.strip():
        raise DataError(f"{path} is empty.")
    found = arrow_table(raw)
    if found is None:
        columns = columns_of_lines(raw, path)
        found = pa.table({name: dict_column(cells, name) for name, cells in columns.items()})
    rows = line_numbers(raw, found.num_rows)
    names, arrays = found.column_names, found.columns
    del found
    return table_of_arrow(names, arrays, path, notes, names_alone=names_alone, rows=rows)


def in_utf8(raw: bytes, path: Path) -> bytes:
    """Return the bytes of a file in UTF-8, which JSON needs, without a byte order mark.

    Raises:
        DataError: If the file is in another encoding of Unicode.
    """
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in raw[:2]:
        raise DataError(
            f"{path} is in UTF-16 or UTF-32, but JSON lines must be in UTF-8: save the file "
            "as UTF-8."
        )
    return raw.removeprefix(codecs.BOM_UTF8)


def arrow_table(raw: bytes) -> pa.Table | None:
    """Return the table that PyArrow reads; None if cells are nested or differ in type.

    Neither does it read integers of more than 64 bits, which would be rounded.
    """
    if LONG_INTEGER.search(raw):
        return None
    try:
        # PyArrow's threads together with torch's can abort the process at exit.
        options = arrow_json.ReadOptions(use_threads=False, block_size=LONGEST_LINE)
        found = arrow_json.read_json(pa.BufferReader(raw), options)
    except (pa.ArrowException, UnicodeDecodeError):
        return None
    return None if any(map(pa.types.is_nested, found.schema.types)) else found


def line_numbers(raw: bytes, count: int) -> Sequence[int]:
    """Return the line of each object."""
    if raw.strip().count(b"\n") == count - 1 and not raw[:1].isspace():
        return range(1, 1 + count)
    lines = [number for number, line in enumerate(raw.split(b"\n"), 1) if line.strip()]
    return lines if len(lines) == count else range(1, 1 + count)


def columns_of_lines(raw: bytes, path: Path) -> dict[str, list[Any]]:
    """Return the cells of each column, None where an object lacks the field.

    Raises:
        DataError: If a line is not a JSON object, or a cell is an object or a list.
    """
    columns: dict[str, list[Any]] = {}
    count = 0
    for row, line in enumerate(raw.split(b"\n"), 1):
        if not line.strip():
            continue
        for name, cell in read_object(line, f"{path}, row {row}").items():
            if isinstance(cell, dict | list):
                kind = "an object" if isinstance(cell, dict) else "a list"
                raise DataError(
                    f"{path}, row {row}, column {name!r}: {shown(cell)} is {kind}, but a cell "
                    "must be a number, a word or a truth value: give each part a column of its "
                    "own."
                )
            column = columns.setdefault(name, [])
            column += [None] * (count - len(column))
            column.append(cell)
        count += 1
    for column in columns.values():
        column += [None] * (count - len(column))
    return columns


def read_object(line: bytes, where: str) -> dict[str, Any]:
    """Return the object on one line.

    Raises:
        DataError: If there is none, or it has a field twice.
    """

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            raise DataError(f"{where}: {shown(line.decode())} has a field twice.")
        return found

    found = None
    with suppress(JSONDecodeError, UnicodeDecodeError, RecursionError):
        found = json.loads(line, object_pairs_hook=unique)
    if not isinstance(found, dict):
        text = line.decode(errors="replace")
        raise DataError(
            f"{where}: {shown(text)} is not a JSON object; each line must hold one, such as "
            '{"width": 1.5, "kind": "a"}.'
        )
    return found
