"""Tables from named columns: names are checked, and empty columns are left out."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pyarrow.compute as pc

from neuropil.datasets.data_errors import DataError
from neuropil.datasets.tables.cells import missing_cells
from neuropil.datasets.tables.table import Table
from neuropil.datasets.tables.typed_columns import as_column, is_text
from neuropil.text import some_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pyarrow as pa

    from neuropil.datasets.tables.typed_columns import Column

INDEX = "__index_level_"
"""Start of the names under which pandas stores an index without a name."""


def column_names(names: Sequence[str], source: str) -> list[str]:
    """Return the names of columns, ``column3`` for the third if it has none.

    Args:
        names: Names in the file, some of which may be empty.
        source: File of the table, for the error.

    Raises:
        DataError: If two columns have the same name.
    """
    full = [name or f"column{n}" for n, name in enumerate(names, 1)]
    if twice := [name for name, times in Counter(full).items() if times > 1]:
        raise DataError(f"{source} has more than one column named {some_of(map(repr, twice))}.")
    return full


def table_of_columns(
    names: Sequence[str],
    columns: Sequence[Column],
    rows: Sequence[int],
    source: str,
    notes: list[str],
    *,
    header: bool = True,
    delimiter: str = ",",
) -> Table:
    """Return a table without the columns that have neither a name nor a value.

    A delimiter at the end of every row creates such a column.

    Args:
        names: Names in the file, some of which may be empty.
        columns: Cells of each column.
        rows: Row of each cell in the file.
        source: File of the table, for errors.
        notes: Gains a line about columns that are left out.
        header: Whether the names are in the file.
        delimiter: Delimiter of the cells in the file.

    Raises:
        DataError: If there are no rows, or two columns have the same name.
    """
    full = column_names(names, source)
    if not rows:
        raise DataError(f"{source} has a header but no rows below it.")
    useless = [
        place
        for place, column in enumerate(columns)
        if (not names[place] if header else place == len(full) - 1) and is_empty(column)
    ]
    if len(useless) == len(full):
        useless = []
    if useless:
        notes.append(
            f"{source.rpartition('/')[2]}: column {some_of([n + 1 for n in useless])} left "
            "out: it has neither a name nor a value."
        )
    kept = [place for place in range(len(full)) if place not in useless]
    return Table(
        [full[place] for place in kept],
        [columns[place] for place in kept],
        rows,
        source,
        header,
        frozenset(full[place] for place in kept if header and not names[place]),
        delimiter,
    )


def is_empty(column: Column) -> bool:
    """Return whether no cell of a column has any text."""
    if is_text(column):
        return pc.max(pc.binary_length(column)).as_py() == 0
    return pc.all(missing_cells(column)).as_py()


def table_of_arrow(
    names: list[str],
    arrays: list[pa.ChunkedArray],
    path: Path,
    notes: list[str],
    *,
    names_alone: bool,
    rows: Sequence[int] | None = None,
) -> Table:
    """Return the table in a file that PyArrow has read.

    Args:
        names: Name of each column.
        arrays: Each column; the list is emptied, so that a column is freed when it has been
            converted.
        path: The file, for errors.
        notes: Gains notes for the user.
        names_alone: Whether only the names are needed.
        rows: Row of each cell in the file, if they do not count from 1.

    Raises:
        DataError: If there are no rows or columns, two columns have the same name, or a cell is
            a list or a record.
    """
    source = str(path)
    if not names:
        raise DataError(f"{source} has no columns.")
    is_index = [name.startswith(INDEX) for name in names]
    if any(is_index) and not all(is_index):
        notes.append(f"{path.name}: the index of pandas, which has no name, is left out.")
    else:
        is_index = [False] * len(names)
    own = [name for name, index in zip(names, is_index, strict=True) if not index]
    if names_alone:
        return Table(column_names(own, source), [], [], source)
    rows = rows or range(1, 1 + len(arrays[0]))
    columns = []
    for name, index in zip(names, is_index, strict=True):
        array = arrays.pop(0)
        if not index:
            columns.append(as_column(array, name, source))
    return table_of_columns(own, columns, rows, source, notes)
