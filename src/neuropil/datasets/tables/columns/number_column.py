"""Encoder of a column of numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np
import pyarrow.compute as pc
from typing_extensions import override

from neuropil.datasets.data_errors import DataError
from neuropil.datasets.plain_fields import field, flag, number, text
from neuropil.datasets.tables.cells import missing_cells
from neuropil.datasets.tables.columns.column import Column
from neuropil.datasets.tables.number_columns import UNITS, refuse
from neuropil.text import number_of

if TYPE_CHECKING:
    from neuropil.datasets.tables.table import Table


def is_positive(value: Any) -> bool:
    """Return whether a value is a finite number above 0."""
    return type(value) in (int, float) and 0 < value < np.inf


def is_unit(value: Any) -> bool:
    """Return whether a value is a unit or empty, since it goes into a regular expression."""
    return isinstance(value, str) and re.fullmatch(f"(?:{UNITS})?", value) is not None


@final
@dataclass(frozen=True)
class NumberColumn(Column):
    """A column of numbers, in which the training median replaces missing values.

    The network gets ``(x − offset) / scale``, computed in double precision. Offset and scale
    are 0 and 1 unless single precision cannot hold the values.

    Shape:
        ``(N, 1)``, or ``(N, 2)`` with an indicator that is 1 for missing cells.

    Args:
        name: Name of the column.
        median: Median of the training rows.
        indicator: Whether there is an indicator; True if training rows lack the value.
        offset: Number to subtract from each value.
        scale: Number above 0 to divide the difference by.
        decimal: The decimal mark of the training table, ``"."`` or ``","``.
        unit: Unit after every number of the training table, such as ``"kg"``.

    Example:
        >>> from neuropil.datasets import NumberColumn, Table
        >>> age = NumberColumn("age", median=30.0, indicator=True)
        >>> age.encode(Table.of({"age": ["31", "?"]}), [])
        array([[31.,  0.],
               [30.,  1.]], dtype=float32)
    """

    readers: ClassVar = {
        "name": text,
        "median": number,
        "indicator": flag,
        "offset": number,
        "scale": partial(field, expected="a number above 0", accept=is_positive),
        "decimal": partial(field, expected="'.' or ','", accept=(".", ",").__contains__),
        "unit": partial(field, expected="a unit of letters", accept=is_unit),
    }
    kind: ClassVar[str] = "number"

    name: str
    median: float
    indicator: bool
    offset: float = 0.0
    scale: float = 1.0
    decimal: str = "."
    unit: str = ""

    @property
    @override
    def features(self) -> list[str]:
        return [self.name, f"{self.name} missing"] if self.indicator else [self.name]

    @override
    def encode(self, table: Table, notes: list[str]) -> np.ndarray[Any, Any]:
        """Return the cells of the column as numbers.

        Args:
            table: Table with the column.
            notes: Gains a line if values are missing, but none was in the training rows.

        Raises:
            DataError: If a cell holds a word.
        """
        cells, rows = table.column(self.name), table.rows
        where = f"{table.source}, column {self.name!r}"
        decimal = None if self.decimal == "." else self.decimal
        found = table.numbers(self.name, decimal=decimal, unit=self.unit)
        if found is None:
            unknown = missing_cells(cells, numbers=True)
            place = pc.index(unknown, value=False).as_py()
            raise DataError(
                f"{where}: needs numbers, got words such as {cells[place].as_py()!r} in row "
                f"{rows[place]}."
            )
        missing = np.isnan(found.values)
        if missing.any() and not self.indicator:
            notes.append(
                f"{self.name!r} is missing in {number_of(int(missing.sum()), 'row')}, but "
                f"never in the training rows: the training median, {self.median:g}, is used."
            )
        filled = np.where(missing, self.median, found.values)
        # 1e300 overflows in single precision, and is refused below.
        with np.errstate(over="ignore"):
            ready = ((filled - self.offset) / self.scale).astype(np.float32)
        if len(wrong := np.flatnonzero(np.isinf(ready))):
            refuse(cells, rows, where, wrong, int((~missing).sum()))
        return np.stack(
            [ready, missing] if self.indicator else [ready], axis=1, dtype=np.float32
        )

    def decode(self, value: float) -> float:
        """Return the number in the units of the column.

        Args:
            value: The input of the network.
        """
        return value * self.scale + self.offset
