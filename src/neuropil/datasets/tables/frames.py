"""Tables in memory: data frames of any library, and dicts of columns."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pyarrow as pa

from neuropil.checks import shown
from neuropil.datasets.data_errors import DataError
from neuropil.datasets.tables.typed_columns import as_column
from neuropil.text import some_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Reader: TypeAlias = "Callable[[], pa.Array | pa.ChunkedArray]"
IN_MEMORY = "the table"
"""Name of a table in memory, in errors and in the report."""


def frame_columns(frame: Any) -> dict[str, pa.Array]:
    """Return the columns of a table in memory by name.

    Args:
        frame: A dict of columns, a PyArrow table, or a data frame that narwhals knows, such as
            those of pandas and Polars.

    Raises:
        DataError: If it is not a table, has two columns of one name, or cells that are not
            numbers, words, dates or truth values.
    """
    readers = dict_readers(frame) if isinstance(frame, dict) else frame_readers(frame)
    names = [str(name) for name in readers]
    if len(set(names)) < len(names):
        raise DataError(f"{IN_MEMORY} has several columns of one name: {some_of(names)}.")
    columns = {
        str(name): as_column(read(), str(name), IN_MEMORY) for name, read in readers.items()
    }
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise DataError(f"{IN_MEMORY} has columns of different lengths: {lengths}.")
    return columns


def dict_readers(frame: Mapping[Any, Any]) -> Mapping[Any, Reader]:
    """Return what reads each column of a dict."""
    return {name: partial(dict_column, cells, str(name)) for name, cells in frame.items()}


def frame_readers(frame: Any) -> Mapping[Any, Reader]:
    """Return what reads each column of a data frame.

    Raises:
        DataError: If narwhals does not know the frame, or cannot read it.
    """
    import narwhals

    try:
        known = narwhals.from_native(frame, eager_only=True)
        return {name: partial(frame_column, known[name], str(name)) for name in known.columns}
    except Exception as error:  # narwhals raises errors of its own and of the library
        why = " ".join(str(error).split())
        raise DataError(
            f"a {type(frame).__name__} cannot be read as a table ({why:.150}): give a data "
            "frame of pandas, Polars or PyArrow, or a dict of columns."
        ) from None


def frame_column(series: Any, name: str) -> pa.Array | pa.ChunkedArray:
    """Return a column of a narwhals frame as an array, as text if the types of cells differ."""
    try:
        found = series.to_arrow()
    except (pa.ArrowException, TypeError, ValueError):
        return as_texts(series.to_list(), name)
    # Periods and intervals are stored as numbers that mean something only to pandas.
    is_own = isinstance(found.type, pa.BaseExtensionType)
    return as_texts(series.to_list(), name) if is_own else found


def dict_column(cells: Any, name: str) -> pa.Array | pa.ChunkedArray:
    """Return a sequence of cells as an array, as text if their types differ."""
    if not hasattr(cells, "__len__"):
        cells = list(cells)
    try:
        return pa.array(cells, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        pass
    array = np.asarray(cells, None if hasattr(cells, "__array__") else object)
    if array.ndim == 1 and array.dtype.kind in "biuf":
        return pa.array(array, from_pandas=True)
    return as_texts(list(cells), name)


def as_texts(cells: list[Any], name: str) -> pa.StringArray:
    """Return cells as text, empty where missing.

    Raises:
        DataError: If a cell is an array, a record or a complex number.
    """
    for row, cell in enumerate(cells, 1):
        if isinstance(cell, dict | list | tuple | np.ndarray | complex):
            raise DataError(
                f"{IN_MEMORY}, column {name!r}, row {row}: a cell must be a number, a word, a "
                f"date or a truth value, got {shown(cell)}."
            )
    return pa.array(map(cell_text, cells), pa.string())


def cell_text(cell: Any) -> str:
    """Return a value in memory as text; empty for None, NaN and pandas' missing values."""
    if cell is None or type(cell).__name__ in ("NAType", "NaTType"):
        return ""
    return "" if isinstance(cell, float) and math.isnan(cell) else str(cell).strip()
