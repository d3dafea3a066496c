"""Readers of Parquet, Feather and Arrow files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from neuropil.datasets.data_errors import DataError
from neuropil.datasets.paths import PACKED
from neuropil.datasets.tables.files.named_columns import table_of_arrow
from neuropil.datasets.unpacking import check_unpacked, read_unpacked

if TYPE_CHECKING:
    from pathlib import Path

    from neuropil.datasets.tables.table import Table


def read_parquet(
    path: Path, notes: list[str], *, names_alone: bool = False, **_unused: Any
) -> Table:
    """Read a Parquet file, whose columns have types.

    Args:
        path: The file, compressed as a whole or not.
        notes: Gains notes for the user.
        names_alone: Whether only the names are needed.

    Raises:
        DataError: If it is damaged, or a cell is a list or a record.
    """
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(arrow_source(path))
        groups = (file.metadata.row_group(n) for n in range(file.metadata.num_row_groups))
        check_unpacked(path, sum(group.total_byte_size for group in groups))
        # PyArrow's threads together with torch's can abort the process at exit.
        found = file.schema_arrow.empty_table() if names_alone else file.read(use_threads=False)
        names, arrays = found.column_names, found.columns
        del found
    except (pa.ArrowException, OSError) as error:
        raise DataError(damage(path, "a Parquet file", error)) from None
    return table_of_arrow(names, arrays, path, notes, names_alone=names_alone)


def read_feather(
    path: Path, notes: list[str], *, names_alone: bool = False, **_unused: Any
) -> Table:
    """Read a Feather or Arrow file, of either of Arrow's two layouts, whose columns have types.

    Args:
        path: The file, compressed as a whole or not.
        notes: Gains notes for the user.
        names_alone: Whether only the names are needed.

    Raises:
        DataError: If it is damaged, or a cell is a list or a record.
    """
    from pyarrow import feather

    source = arrow_source(path)
    try:
        try:
            found = feather.read_table(source, use_threads=False, memory_map=False)
        except pa.ArrowInvalid:
            found = pa.ipc.open_stream(source).read_all()
        found.validate(full=True)  # offsets of a damaged file point outside of its memory
        names, arrays = found.column_names, found.columns
        del found
    except (pa.ArrowException, OSError) as error:
        raise DataError(damage(path, "an Arrow file", error)) from None
    return table_of_arrow(names, arrays, path, notes, names_alone=names_alone)


def arrow_source(path: Path) -> Any:
    """Return a file that PyArrow reads by position: its bytes if it is compressed."""
    if path.suffix.casefold() in PACKED:
        return pa.BufferReader(read_unpacked(path))
    return str(path)


def damage(path: Path, kind: str, error: Exception) -> str:
    """Return the message about a file that PyArrow cannot read."""
    why = " ".join(str(error).split())
    return f"{path} is empty, damaged, or not {kind} ({why:.120})."
