"""Encoder of a column of words, one-hot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from typing_extensions import override

from neuropil.datasets.plain_fields import flag, text, text_tuple
from neuropil.datasets.tables.cells import missing_cells
from neuropil.datasets.tables.columns.column import Column
from neuropil.text import number_of, some_of

if TYPE_CHECKING:
    from neuropil.datasets.tables.table import Table


@final
@dataclass(frozen=True)
class TextColumn(Column):
    """A column of words in one-hot encoding.

    Shape:
        ``(N, categories)``, and one more with an indicator that is 1 for missing cells.

    Args:
        name: Name of the column.
        categories: The words of the training rows; other words are encoded as zeros.
        indicator: Whether there is an indicator; True if training rows lack the value.

    Example:
        >>> from neuropil.datasets import Table, TextColumn
        >>> sex = TextColumn("sex", ("F", "M"), indicator=False)
        >>> sex.encode(Table.of({"sex": ["M", "F"]}), [])
        array([[0., 1.],
               [1., 0.]], dtype=float32)
    """

    kind: ClassVar[str] = "text"
    readers: ClassVar = {"name": text, "categories": text_tuple, "indicator": flag}

    name: str
    categories: tuple[str, ...]
    indicator: bool

    @property
    @override
    def features(self) -> list[str]:
        names = [f"{self.name}={category}" for category in self.categories]
        return [*names, f"{self.name} missing"] if self.indicator else names

    @override
    def encode(self, table: Table, notes: list[str]) -> np.ndarray[Any, Any]:
        """Return the cells of the column in one-hot encoding.

        Args:
            table: Table with the column.
            notes: Gains a line about words that are not among the categories.
        """
        cells, width = table.text(self.name), len(self.features)
        known = pa.array(self.categories, pa.string())
        found = pc.fill_null(pc.index_in(cells, value_set=known), width)
        at = found.to_numpy(zero_copy_only=False).copy()
        missing = missing_cells(cells).to_numpy(zero_copy_only=False).astype(bool)
        unknown = (at == width) & ~missing
        if self.indicator:
            at[(at == width) & missing] = len(self.categories)
        elif missing.any():
            notes.append(
                f"{self.name!r} is missing in {number_of(int(missing.sum()), 'row')}, but "
                "never in the training rows: encoded as zeros."
            )
        # The extra column `width` collects cells without a category, and is cut off.
        encoded = np.zeros((len(cells), width + 1), np.float32)
        encoded[np.arange(len(cells)), at] = 1
        if unknown.any():
            words = pc.unique(cells.filter(pa.array(unknown))).to_pylist()
            first = table.rows[int(np.flatnonzero(unknown)[0])]
            notes.append(
                f"{table.source}, column {self.name!r}: {some_of(map(repr, words))} (first in "
                f"row {first}) not among the categories of the training rows: encoded as zeros "
                f"in {number_of(int(unknown.sum()), 'row')}."
            )
        return encoded[:, :width]
