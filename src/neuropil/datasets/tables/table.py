"""Table in memory: named columns of text, converted to numbers on request."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self, TypeAlias, final

import numpy as np
import pyarrow as pa

from neuropil.datasets.tables.cells import as_text
from neuropil.datasets.tables.number_columns import column_numbers
from neuropil.datasets.tables.number_text import Numbers, file_decimal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

JUDGED_ROWS = 1000
"""Number of rows used to detect the decimal mark of the file."""


@final
@dataclass(frozen=True)
class Table:
    """Named columns of text cells.

    Args:
        names: Name of each column.
        columns: Cells of each column, all of one length, without nulls.
        rows: Row of each cell in the file, numbered as in a spreadsheet.
        source: File of the table, for errors.
        header: Whether the names are in the file.
        unnamed: Generated names of columns without a name in the header.
        delimiter: Delimiter of the cells in the file.
        read: Cache of the columns as numbers.

    Example:
        >>> from neuropil.datasets import Table
        >>> table = Table.of({"age": [31, None], "name": ["Ada", "Bo"]})
        >>> table.column("age").to_pylist(), len(table)
        (['31', ''], 2)
    """

    names: list[str]
    columns: list[pa.StringArray]
    rows: Sequence[int]
    source: str
    header: bool = True
    unnamed: frozenset[str] = frozenset()
    delimiter: str = ","
    read: dict[tuple[str, str | None, str], Numbers | None] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @classmethod
    def of(cls, columns: Any) -> Self:
        """Return a table of columns in memory.

        Args:
            columns: Maps names to sequences of cells; a dict or a pandas DataFrame. None and
                NaN are missing; the word ``"None"`` is a word.
        """
        cells = [pa.array(map(as_text, columns[name]), pa.string()) for name in columns]
        return cls(
            [str(name) for name in columns],
            cells,
            range(1, 1 + len(cells[0]) if cells else 1),
            "the table",
        )

    def __len__(self) -> int:
        return len(self.rows)

    def column(self, name: str) -> pa.StringArray:
        """Return the cells of a column.

        Args:
            name: One of `names`.
        """
        return self.columns[self.places[name]]

    def where(self, keep: np.ndarray[Any, Any]) -> Table:
        """Return the table with only some of its rows.

        Args:
            keep: Mask of the rows to keep.
        """
        kept = pa.array(keep)
        columns = [column.filter(kept) for column in self.columns]
        return replace(self, columns=columns, rows=np.asarray(self.rows)[keep].tolist())

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
            self.read[key] = column_numbers(
                self.column(name),
                self.rows,
                f"{self.source}, column {name!r}",
                file_decimal=key[1],
                unit=unit,
            )
        return self.read[key]

    @cached_property
    def places(self) -> dict[str, int]:
        """Index of each column by name."""
        return {name: place for place, name in enumerate(self.names)}

    @cached_property
    def decimal(self) -> str | None:
        """The decimal mark that all columns agree on; None if it is ambiguous."""
        return file_decimal([column.slice(0, JUDGED_ROWS) for column in self.columns])


TableReader: TypeAlias = "Callable[..., Table]"
"""Reads a table like `read_table`; it may ignore the options."""
