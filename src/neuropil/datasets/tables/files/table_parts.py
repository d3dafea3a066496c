"""Tables in a folder of parts, which are files of one format with the same columns."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any, final
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.compute as pc
from typing_extensions import override

from neuropil.core.free_memory import require_memory
from neuropil.datasets.data_errors import DataError
from neuropil.datasets.paths import unpacked_suffix, visible_entries
from neuropil.datasets.tables.files.table_suffixes import TABLE_SUFFIXES
from neuropil.datasets.tables.table import Table
from neuropil.datasets.tables.typed_columns import as_numbers, as_text, is_text
from neuropil.text import some_of

if TYPE_CHECKING:
    from neuropil.datasets.tables.table import TableReader
    from neuropil.datasets.tables.typed_columns import Column


HINT = (
    "A table is read as a whole; one that is larger than memory is trained on in Python, by "
    "Trainer.fit(pyarrow.dataset.dataset(…))."
)
NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
"""Name of the folder of the rows without a value."""


def find_parts(folder: Path, suffixes: Sequence[str]) -> list[Path]:
    """Return the parts of a table in a folder.

    There are none if there is one file, a folder, or a table of another format. Names that
    begin with an underscore, such as ``_SUCCESS``, are not data. Folders called ``name=value``
    are those of Hive and Spark: they hold the parts with that value.

    Args:
        folder: The folder.
        suffixes: Suffixes of the format.
    """
    found = parts_by_value(folder, suffixes)
    return found or parts_in(folder, suffixes)


def parts_by_value(folder: Path, suffixes: Sequence[str]) -> list[Path]:
    """Return the parts below folders called ``name=value``, which there must be."""
    entries = [entry for entry in visible_entries(folder) if not entry.name.startswith("_")]
    if not entries or not all(entry.is_dir() and "=" in entry.name for entry in entries):
        return []
    found: list[Path] = []
    for entry in entries:
        below = [file for file in visible_entries(entry) if not file.name.startswith("_")]
        parts = parts_by_value(entry, suffixes) or below
        if not all(part.is_file() and unpacked_suffix(part) in suffixes for part in parts):
            return []
        found += parts
    return found


def parts_in(folder: Path, suffixes: Sequence[str]) -> list[Path]:
    """Return the parts of a table that are directly in a folder."""
    entries = [entry for entry in visible_entries(folder) if not entry.name.startswith("_")]
    tables = [entry for entry in entries if unpacked_suffix(entry) in TABLE_SUFFIXES]
    same = all(unpacked_suffix(entry) in suffixes for entry in tables)
    return tables if len(tables) > 1 and same and not any(map(Path.is_dir, entries)) else []


def read_parts(
    path: Path,
    notes: list[str],
    *,
    reader: TableReader,
    suffixes: Sequence[str],
    takes: Sequence[str] = (),
    **options: Any,
) -> Table:
    """Read a table from a file, or from a folder of parts.

    Args:
        path: The file or folder.
        notes: Gains notes for the user.
        reader: Reads one file of the format.
        suffixes: Suffixes of the format.
        takes: The options ``header`` and ``encoding`` that the format has.
        **options: Options of the reader.

    Raises:
        DataError: If a file cannot be read, a part has other columns than the first, or an
            option does not apply to the format.
        MemoryError: If the table does not fit in memory.
    """
    given = {"header": options.get("header") is False, "encoding": options.get("encoding")}
    for name, value in given.items():
        if value and name not in takes:
            raise DataError(f"`{name}` does not apply to {suffixes[0]} files: leave it out.")
    try:
        if path.is_dir():
            return read_folder(path, find_parts(path, suffixes), notes, reader, options)
        table = reader(path, notes, **options)
    except MemoryError as error:
        raise MemoryError(f"{error} {HINT}") from None
    pa.default_memory_pool().release_unused()
    return table


def read_folder(
    folder: Path,
    parts: Sequence[Path],
    notes: list[str],
    reader: TableReader,
    options: dict[str, Any],
) -> Table:
    """Return the rows of all parts in a folder as one table.

    Raises:
        MemoryError: If the parts, as large in memory as the first, do not fit there.
    """
    own: list[str] = []
    tables = [with_values(reader(parts[0], own, **options), parts[0], folder)]
    in_memory = sum(column.nbytes for column in tables[0].columns)
    on_disk = sum(part.stat().st_size for part in parts) / parts[0].stat().st_size
    require_memory(in_memory * on_disk, "the whole table")
    options["header"] = tables[0].header
    for part in parts[1:]:
        table = with_values(reader(part, [], **options), part, folder)
        tables.append(aligned(table, tables[0], part, parts[0]))
        if options.get("names_alone"):
            break
    notes += own
    if keys := values_of(parts[0], folder):
        notes.append(f"Columns from the names of folders: {some_of(map(repr, keys), 5)}.")
    return tables[0] if options.get("names_alone") else concatenate(tables, parts, folder)


def values_of(part: Path, folder: Path) -> dict[str, str]:
    """Return the values in the names of the folders around a part, empty where missing."""
    pairs = (name.partition("=") for name in part.relative_to(folder).parts[:-1])
    return {unquote(key): unquote(value).replace(NO_VALUE, "") for key, _, value in pairs}


def with_values(table: Table, part: Path, folder: Path) -> Table:
    """Return a part with the values in the names of its folders as first columns."""
    values = values_of(part, folder)
    names = [name for name in values if name not in table.names]
    columns = [pa.array([values[name]] * len(table), pa.string()) for name in names]
    return replace(
        table,
        names=[*names, *table.names],
        columns=[*columns, *table.columns] if table.columns else [],
    )


def aligned(table: Table, first: Table, part: Path, first_part: Path) -> Table:
    """Return a part with its columns in the order of the first part.

    Raises:
        DataError: If it has other columns.
    """
    ours, known = set(table.names), set(first.names)
    if ours != known:
        lacking, further = sorted(known - ours), sorted(ours - known)
        what = [f"lacks {some_of(map(repr, lacking))}"] * bool(lacking)
        what += [f"has {some_of(map(repr, further))} as well"] * bool(further)
        raise DataError(
            f"{part} has other columns than {first_part.name}: it {' and '.join(what)}. The "
            "parts of a table must have the same columns; to read one file alone, open it "
            "instead of the folder."
        )
    columns = [table.column(name) for name in first.names] if table.columns else []
    return Table(first.names, columns, table.rows, table.source, table.header)


def concatenate(tables: Sequence[Table], parts: Sequence[Path], folder: Path) -> Table:
    """Return the rows of all parts as one table."""
    first = tables[0]
    columns = []
    for name in first.names:
        pieces = alike([table.column(name) for table in tables])
        columns.append(pa.concat_arrays(pieces))
    rows = PartRows(
        [table.rows for table in tables], [str(part.relative_to(folder)) for part in parts]
    )
    return Table(
        first.names, columns, rows, str(folder), first.header, first.unnamed, first.delimiter
    )


def alike(pieces: Sequence[Column]) -> list[Column]:
    """Return the columns of all parts with one type: numbers, timestamps or text."""
    kinds = {piece.type for piece in pieces}
    filled = {piece.type for piece in pieces if not (is_text(piece) and is_blank(piece))}
    if len(kinds) == 1:
        return list(pieces)
    if len(filled) == 1:
        kind = next(iter(filled))
        return [piece if piece.type == kind else pa.nulls(len(piece), kind) for piece in pieces]
    if all(map(is_numeric, filled)):
        return [pa.array(as_numbers(piece), from_pandas=True) for piece in pieces]
    return [as_text(piece) for piece in pieces]


def is_blank(column: Column) -> bool:
    """Return whether no cell of a column of text has a value."""
    return pc.all(pc.equal(column, "")).as_py()


def is_numeric(kind: pa.DataType) -> bool:
    """Return whether a type holds numbers."""
    return pa.types.is_integer(kind) or pa.types.is_floating(kind)


@final
class PartRow(int):
    """Number of a row in one part of a table, as text with the name of the part."""

    part: str

    @override
    def __str__(self) -> str:
        return f"{int(self)} of {self.part}"

    @override
    def __format__(self, _specification: str) -> str:
        return str(self)


@final
class PartRows(Sequence[int]):
    """The number of each row of a table in parts.

    Args:
        rows: Numbers of the rows of each part.
        parts: Names of the parts.
    """

    def __init__(self, rows: Sequence[Sequence[int]], parts: Sequence[str]) -> None:
        self.rows, self.parts = rows, parts
        self.ends = list(accumulate(map(len, rows)))

    @override
    def __len__(self) -> int:
        return self.ends[-1]

    @override
    def __getitem__(self, place: Any) -> Any:
        part = bisect(self.ends, place)
        row = PartRow(self.rows[part][place - self.ends[part]])
        row.part = self.parts[part]
        return row
