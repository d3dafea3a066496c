"""The columns of a table that a network takes: numbers, and words made numbers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self, final

import numpy as np

from neuropil.datasets.cells import column_numbers, is_missing
from neuropil.datasets.errors import DataError
from neuropil.datasets.paths import counted, listed
from neuropil.datasets.plain import field, flag, number, text, text_tuple

if TYPE_CHECKING:
    from collections.abc import Sequence


@final
@dataclass(frozen=True)
class NumberColumn:
    """A column of numbers; a missing one becomes the training median.

    Shape:
        ``(N, 1)``, or ``(N, 2)`` with an indicator that is 1 where the cell is missing.

    Args:
        name: Name of the column.
        median: Median of the training rows.
        indicator: Whether training rows lack the value, so that there is an indicator.

    Example:
        >>> from neuropil.datasets import NumberColumn
        >>> age = NumberColumn("age", median=30.0, indicator=True)
        >>> age.encode(["31", "?"], range(2, 4), "people.csv", [])
        array([[31.,  0.],
               [30.,  1.]], dtype=float32)
    """

    kind: ClassVar[str] = "number"

    name: str
    median: float
    indicator: bool

    @property
    def features(self) -> list[str]:
        """Name of each number that the network gets."""
        return [self.name, f"{self.name} missing"] if self.indicator else [self.name]

    def encode(
        self, cells: Sequence[str], rows: Sequence[int], source: str, notes: list[str]
    ) -> np.ndarray[Any, Any]:
        """Return the cells as numbers.

        Args:
            cells: The column.
            rows: Row of each cell in the file.
            source: Where the cells come from, for errors.
            notes: Gains a line if values are missing that no training row lacked.

        Raises:
            DataError: If a cell holds a word.
        """
        where = f"{source}, column {self.name!r}"
        values = column_numbers(cells, rows, where)
        if values is None:
            place = next(i for i, cell in enumerate(cells) if not is_missing(cell))
            raise DataError(
                f"{where}: needs numbers, got words such as {cells[place]!r} in row "
                f"{rows[place]}."
            )
        missing = np.isnan(values)
        if missing.any() and not self.indicator:
            notes.append(
                f"{self.name!r} is missing in {counted(int(missing.sum()), 'row')}, though "
                f"never in the training rows: the training median, {self.median:g}, stands in."
            )
        filled = np.where(missing, self.median, values)
        columns = [filled, missing] if self.indicator else [filled]
        return np.stack(columns, axis=1).astype(np.float32)

    def to_json(self) -> dict[str, Any]:
        """Return this as plain data."""
        return {
            "kind": self.kind,
            "name": self.name,
            "median": self.median,
            "indicator": self.indicator,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Return the column that `to_json` described.

        Args:
            data: What `to_json` gave.
        """
        return cls(text(data, "name"), number(data, "median"), flag(data, "indicator"))


@final
@dataclass(frozen=True)
class TextColumn:
    """A column of words, one-hot: a 1 in the place of its category.

    Shape:
        ``(N, categories)``, and one more with an indicator that is 1 where the cell is missing.

    Args:
        name: Name of the column.
        categories: The words of the training rows; another word gives zeros.
        indicator: Whether training rows lack the value, so that there is an indicator.

    Example:
        >>> from neuropil.datasets import TextColumn
        >>> TextColumn("sex", ("F", "M"), indicator=False).encode(
        ...     ["M", "F"], range(2, 4), "people.csv", []
        ... )
        array([[0., 1.],
               [1., 0.]], dtype=float32)
    """

    kind: ClassVar[str] = "text"

    name: str
    categories: tuple[str, ...]
    indicator: bool

    @property
    def features(self) -> list[str]:
        """Name of each number that the network gets."""
        names = [f"{self.name}={category}" for category in self.categories]
        return [*names, f"{self.name} missing"] if self.indicator else names

    def encode(
        self, cells: Sequence[str], rows: Sequence[int], source: str, notes: list[str]
    ) -> np.ndarray[Any, Any]:
        """Return the cells one-hot.

        Args:
            cells: The column.
            rows: Row of each cell in the file.
            source: Where the cells come from, for the notes.
            notes: Gains a line if there are words that no training row had.
        """
        width = len(self.features)
        place = {category: number for number, category in enumerate(self.categories)}
        # Column `width` collects what is not encoded, and is cut off.
        missing = len(self.categories) if self.indicator else width
        at = [place.get(cell, missing if is_missing(cell) else width) for cell in cells]
        encoded = np.zeros((len(cells), width + 1), np.float32)
        encoded[np.arange(len(cells)), at] = 1
        unknown = Counter(cell for cell in cells if cell not in place and not is_missing(cell))
        if unknown:
            where = next(row for row, cell in zip(rows, cells, strict=True) if cell in unknown)
            notes.append(
                f"{source}, column {self.name!r}: {listed(map(repr, unknown))} (first in row "
                f"{where}) not among the training rows' categories: encoded as none of them in "
                f"{counted(unknown.total(), 'row')}."
            )
        return encoded[:, :width]

    def to_json(self) -> dict[str, Any]:
        """Return this as plain data."""
        categories = list(self.categories)
        return {
            "kind": self.kind,
            "name": self.name,
            "categories": categories,
            "indicator": self.indicator,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Return the column that `to_json` described.

        Args:
            data: What `to_json` gave.
        """
        return cls(text(data, "name"), text_tuple(data, "categories"), flag(data, "indicator"))


def column_from_json(data: dict[str, Any]) -> NumberColumn | TextColumn:
    """Return the column that plain data describe."""
    kind = field(data, "kind", "'number' or 'text'", lambda value: value in ("number", "text"))
    return NumberColumn.from_json(data) if kind == "number" else TextColumn.from_json(data)
