"""Table in memory: named columns of text or of a type, as numbers on request."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self, TypeAlias, final

import numpy as np
import pyarrow as pa

from neuropil.datasets.data_errors import DataError
from neuropil.datasets.tables.frames import IN_MEMORY, frame_columns
from neuropil.datasets.tables.number_columns import column_numbers, with_points_shown
from neuropil.datasets.tables.number_text import Numbers, file_decimal
from neuropil.datasets.tables.typed_columns import Column, as_text, is_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from neuropil.datasets.tables.columns.date_text import Dates

JUDGED_ROWS = 1000
"""Number of rows used to detect the decimal mark of the file."""
MANY_ROWS = 10_000
"""Number of rows from which threads read the columns faster than one alone."""


@final
@dataclass(frozen=True)
class Table:
    """Named columns of text, numbers, timestamps or durations.

    Args:
        names: Name of each column.
        columns: Cells of each column, all of one length. A missing value is empty in text, and
            null or NaN in a column of another type.
        rows: Row of each cell in the file, numbered as in a spreadsheet.
        source: File of the table, for errors.
        header: Whether the names are in the file.
        unnamed: Generated names of columns without a name in the header.
        delimiter: Delimiter of the cells in the file.
        read: Cache of the columns as numbers.
        dates: Cache of the columns as dates.

    Example:
        >>> from neuropil.datasets import Table
        >>> table = Table.of({"age": [31, None], "name": ["Ada", "Bo"]})
        >>> table.column("age").to_pylist(), table.text("age").to_pylist(), len(table)
        ([31, None], ['31', ''], 2)
    """

    names: list[str]
    columns: list[Column]
    rows: Sequence[int]
    source: str
    header: bool = True
    unnamed: frozenset[str] = frozenset()
    delimiter: str = ","
    read: dict[tuple[str, str | None, str], Numbers | None] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    dates: dict[str, Dates | None] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @classmethod
    def of(cls, frame: Any) -> Self:
        """Return a table in memory.

        Args:
            frame: A data frame of pandas, Polars or PyArrow, or a dict that maps names to
                sequences of cells. None, null and NaN are missing; the word ``"None"`` is a
                word.

        Raises:
            DataError: If it is not a table of numbers, words, dates and truth values.
        """
        columns = frame_columns(frame)
        count = len(next(iter(columns.values()), ()))
        return cls(list(columns), list(columns.values()), range(1, 1 + count), IN_MEMORY)

    def __len__(self) -> int:
        return len(self.rows)

    def column(self, name: str) -> Column:
        """Return the cells of a column.

        Args:
            name: One of `names`.
        """
        return self.columns[self.places[name]]

    def text(self, name: str) -> pa.StringArray:
        """Return the cells of a column as text, empty where missing.

        Args:
            name: One of `names`.
        """
        return as_text(self.column(name))

    def where(self, keep: np.ndarray[Any, Any]) -> Table:
        """Return the table with only some of its rows.

        Args:
            keep: Mask of the rows to keep.
        """
        kept = pa.array(keep)
        columns = [column.filter(kept) for column in self.columns]
        rows = [self.rows[place] for place in np.flatnonzero(keep).tolist()]
        return replace(self, columns=columns, rows=rows)

    def numbers(
        self, name: str, *, decimal: str | None = None, unit: str = ""
    ) -> Numbers | None:
        """Return a column as numbers, NaN where missing; None if it is a column of words.

        Args:
            name: One of `names`.
            decimal: The decimal mark if all columns are ambiguous.
            unit: Unit after every number.

        Raises:
            DataError: If there are a few words among the numbers, or a number is infinite.
        """
        key = name, self.decimal or decimal, unit
        if key not in self.read:
            found = column_numbers(
                self.column(name),
                self.rows,
                f"{self.source}, column {name!r}",
                file_decimal=key[1],
                unit=unit,
            )
            if found is not None and key[1] is None and self.delimiter == ";":
                found = with_points_shown(found, self.column(name))
            self.read[key] = found
        return self.read[key]

    def read_ahead(self) -> None:
        """Read the columns as numbers in several threads, which `numbers` then returns."""
        if len(self) < MANY_ROWS:
            return

        def read(name: str) -> None:
            with suppress(DataError):  # raised again by `numbers`
                self.numbers(name)

        self.decimal  # noqa: B018 - all columns share it
        with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
            list(pool.map(read, self.names))

    def forget(self, name: str) -> None:
        """Free the numbers and dates that were read from a column.

        Args:
            name: One of `names`.
        """
        for key in [key for key in self.read if key[0] == name]:
            del self.read[key]
        self.dates.pop(name, None)

    @cached_property
    def places(self) -> dict[str, int]:
        """Index of each column by name."""
        return {name: place for place, name in enumerate(self.names)}

    @cached_property
    def decimal(self) -> str | None:
        """The decimal mark that all columns agree on; None if it is ambiguous."""
        texts = filter(is_text, self.columns)
        return file_decimal([column.slice(0, JUDGED_ROWS) for column in texts])


TableReader: TypeAlias = "Callable[..., Table]"
"""Reads a table like `read_table`; it may ignore the options."""
