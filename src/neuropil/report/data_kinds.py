"""How a report names, describes and shows each kind of data."""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import torch
from typing_extensions import override

from neuropil import datasets
from neuropil.core import format_shape
from neuropil.datasets.loading import fetch_all
from neuropil.report.wording import NONE, data_number
from neuropil.text import all_of, number_of, some_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from neuropil.datasets import NumberColumn, Splits, TablePreparation
    from neuropil.datasets.source import Source
    from neuropil.datasets.tables.columns.column import Column

# Further columns are left out: a page is not a spreadsheet.
MOST_COLUMNS = 40
MOST_WORDS = 6


class ArrayData:
    """Arrays of numbers, and base class of the other kinds of data.

    Args:
        splits: The data.
    """

    noun: ClassVar[str] = "example"

    def __init__(self, splits: Splits) -> None:
        self.splits = splits
        self.preparation: Any = splits.preparation

    @property
    def size(self) -> str:
        """The size of one example."""
        return f"array of shape {format_shape(tuple(self.splits.input_shape))}"

    @property
    def takes(self) -> str:
        """A description of the input that the network takes."""
        sizes = " × ".join(map(length, self.splits.input_shape))
        return (
            f"The network takes arrays of {sizes} numbers per example, with the examples along "
            "axis 0."
        )

    @property
    def limits(self) -> tuple[float, float]:
        """The values shown as black and as white."""
        return float(self.extremes.low.min()), float(self.extremes.high.max())

    @cached_property
    def extremes(self) -> Extremes:
        """The smallest and largest training inputs and their sum, per number of an example."""
        return extremes_of(self.splits.train)

    @property
    def input_names(self) -> Sequence[str]:
        """The name of each input of the network."""
        return [f"x{k + 1}" for k in range(self.splits.input_shape[0] or 0)]

    @property
    def columns(self) -> Sequence[tuple[str, str]]:
        """The columns of a table, each with a description of its contents."""
        return []

    @property
    def cell_names(self) -> Sequence[str]:
        """The heading of each cell that `cells` returns."""
        # An example is flattened: its first axis alone would be too few names.
        sides = [MOST_COLUMNS if side is None else side for side in self.splits.input_shape]
        return [f"x{k + 1}" for k in range(min(MOST_COLUMNS, math.prod(sides)))]

    def cells(self, example: Tensor) -> Sequence[str]:
        """Return the values of one example as text."""
        return [data_number(value) for value in example.flatten().tolist()[:MOST_COLUMNS]]


class PictureData(ArrayData):
    """Pictures."""

    noun = "picture"

    @property
    def color(self) -> str:
        """``"grey"`` or ``"colour"``."""
        return "grey" if self.splits.input_shape[0] == 1 else "colour"

    @property
    @override
    def size(self) -> str:
        return f"{self.sides}, {self.color}"

    @property
    def sides(self) -> str:
        """The size of the pictures in pixels."""
        _, height, width = self.splits.input_shape
        if height is None or width is None:
            return "any number of pixels"
        return f"{width} × {height} pixels"

    @property
    @override
    def takes(self) -> str:
        resized = (
            ""
            if None in self.splits.input_shape
            else " Pictures of other sizes are resized, with a note."
        )
        return (
            f"The network takes {self.color} pictures of {self.sides}.{resized} Use pictures "
            "like those it was trained on, with the same framing and background."
        )

    @property
    @override
    def limits(self) -> tuple[float, float]:
        return self.preparation.low, self.preparation.high


class TableData(ArrayData):
    """Rows of a table, shown in their own units and words, not as encoded for the network."""

    noun = "row"
    preparation: TablePreparation

    @property
    @override
    def size(self) -> str:
        return number_of(len(self.input_names), "number")

    @property
    @override
    def takes(self) -> str:
        names = self.preparation.target.names
        return (
            "The network takes tables with the same column names as the training table, in "
            f"any order; the column{'s' * (len(names) > 1)} "
            f"{all_of(f'“{name}”' for name in names)} may be missing."
        )

    @property
    @override
    def input_names(self) -> Sequence[str]:
        return self.preparation.feature_names

    @property
    @override
    def columns(self) -> Sequence[tuple[str, str]]:
        parts = zip(*(self.parts(values) for values in self.extremes), strict=True)
        return [
            (column.name, column_words(column, low, high, total))
            for (column, low), (_, high), (_, total) in parts
        ]

    @property
    @override
    def cell_names(self) -> Sequence[str]:
        return [column.name for column in self.preparation.columns[:MOST_COLUMNS]]

    @override
    def cells(self, example: Tensor) -> Sequence[str]:
        parts = self.parts(example.flatten())[:MOST_COLUMNS]
        return [cell(column, values.tolist()) for column, values in parts]

    def parts(self, values: Tensor) -> list[tuple[Column, Tensor]]:
        """Return each column with its part of the encoded values."""
        columns = self.preparation.columns
        sizes = [len(column.features) for column in columns]
        return list(zip(columns, values.split(sizes, dim=-1), strict=True))


DATA_KINDS: dict[str, type[ArrayData]] = {
    "arrays": ArrayData,
    "pictures": PictureData,
    "table": TableData,
}
"""The kinds of data, by the name in `Preparation.kind`."""


class Extremes(NamedTuple):
    """The range of some inputs.

    Attributes:
        low: The smallest value of each number of an example.
        high: The largest.
        total: The sum.
    """

    low: Tensor
    high: Tensor
    total: Tensor


def extremes_of(source: Source) -> Extremes:
    """Return the range of the inputs of a source; of all numbers together if sizes vary."""
    found: Extremes | None = None
    for _, batch in fetch_all(source):
        inputs = batch.inputs if None not in source.input_shape else batch.inputs.reshape(-1, 1)
        low, high, total = inputs.amin(0), inputs.amax(0), inputs.double().sum(0)
        if found is not None:
            low, high = low.minimum(found.low), high.maximum(found.high)
            total = total + found.total
        found = Extremes(low, high, total)
    return found or Extremes(*torch.zeros(3, 1))


def length(axis: int | None) -> str:
    """Return the length of an axis as text."""
    return "any" if axis is None else str(axis)


def cell(column: Column, values: Sequence[float]) -> str:
    """Return the text of a cell, decoded from its numbers.

    A dash means that the cell was missing, or held a word absent from the training data.
    """
    text = "a word"  # hashed words cannot be decoded
    match column:
        case datasets.NumberColumn():
            text = in_units(column, values[0])
        case datasets.DateColumn():
            text = column.decode(values[0])
        case datasets.TextColumn():
            words = [word for word, one in zip(column.categories, values, strict=False) if one]
            text = words[0] if words else NONE
    return NONE if column.indicator and values[-1] else text


def in_units(column: NumberColumn, value: float) -> str:
    """Return an encoded number in the units of its column, as text."""
    if column.offset == 0:
        return data_number(column.decode(value))
    # In columns far from zero only the last digits differ, so keep them.
    return f"{column.decode(value):.13g}".replace("-", "−")


def column_words(column: Column, low: Tensor, high: Tensor, total: Tensor) -> str:
    """Return a description of a column from the extremes and the sums of its numbers."""
    missing = ""
    if column.indicator:
        count = int(total[-1])
        missing = f"; {number_of(count, 'missing cell')} in training"
    match column:
        case datasets.NumberColumn():
            least, most = (in_units(column, ends[0].item()) for ends in (low, high))
            middle = in_units(column, (column.median - column.offset) / column.scale)
            contents = f"numbers from {least} to {most}, median {middle}"
        case datasets.DateColumn():
            first, last = (column.decode(ends[0].item()) for ends in (low, high))
            contents = f"{column.noun} from {first} to {last}, used as {column.uses}"
        case datasets.TextColumn():
            contents = f"words: {some_of(column.categories, MOST_WORDS)}"
        case _:
            contents = f"words, hashed into {number_of(len(low), 'feature')}"
    return contents + missing
