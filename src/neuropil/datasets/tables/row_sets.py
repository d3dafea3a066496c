"""Tables in memory that are not data frames: rows by name, and sets that give their columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from neuropil.checks import shown
from neuropil.datasets.data_errors import DataError
from neuropil.text import some_of


def as_frame(data: Any) -> Any:
    """Return a set of rows as a dict of columns or a PyArrow table; frames are unchanged.

    What an object offers decides: a PyArrow data set its table, a Hugging Face data set its
    columns, a list or another iterable of dicts its rows.

    Args:
        data: The data, which fit in memory.

    Raises:
        DataError: If rows have different names, or a list does not hold dicts.

    Example:
        >>> as_frame([{"age": 41, "ill": "no"}, {"age": 52, "ill": "yes"}])
        {'age': [41, 52], 'ill': ['no', 'yes']}
    """
    if hasattr(data, "get_fragments") and hasattr(data, "to_table"):
        return data.to_table()
    if hasattr(data, "column_names") and hasattr(data, "__getitems__"):
        return {name: list(data[name]) for name in data.column_names}
    rows = isinstance(data, Iterable) and not isinstance(data, Mapping | str)
    if not rows or hasattr(data, "columns"):  # those of a data frame
        return data
    found = iter(data)
    first = next(found, None)
    if isinstance(data, list | tuple) and not isinstance(first, Mapping):
        refuse_rows(first)
    return columns_of(first, found) if isinstance(first, Mapping) else data


def refuse_rows(first: Any) -> None:
    """Refuse a list without dicts, of which `first` is the first row.

    Raises:
        DataError: Always.
    """
    got = "an empty list" if first is None else f"a list of rows such as {shown(first)}"
    raise DataError(
        f"{got} cannot be read as a table: give rows as dicts, such as "
        '{"age": 41, "ill": "no"}, a dict of columns, or a data frame.'
    )


def columns_of(first: Mapping[Any, Any], others: Iterator[Any]) -> dict[Any, list[Any]]:
    """Return the columns of rows.

    Args:
        first: The first row.
        others: The further ones.

    Raises:
        DataError: If a row has other names than the first.
    """
    columns = {name: [value] for name, value in first.items()}
    for number, row in enumerate(others, start=1):
        names = list(row) if isinstance(row, Mapping) else []
        if set(names) != set(columns):
            raise DataError(
                f"row {number:,} has the names {some_of(names) or 'of no column'}, row 0 has "
                f"{some_of(columns)}: all rows must have the same."
            )
        for name, column in columns.items():
            column.append(row[name])
    return columns
