"""Rows of a table as a person knows them, from the numbers that the network takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.datasets import NumberColumn, TablePreparation, TextColumn
from neuropil.report.wording import NONE, given

if TYPE_CHECKING:
    from torch import Tensor

    from neuropil.datasets import Splits

# More columns than this are for a spreadsheet.
MOST_COLUMNS = 40


def feature_names(splits: Splits) -> list[str]:
    """Return the columns that `row_values` gives."""
    preparation = splits.preparation
    if isinstance(preparation, TablePreparation):
        return [column.name for column in preparation.columns][:MOST_COLUMNS]
    return input_names(splits)[:MOST_COLUMNS]


def row_values(splits: Splits, example: Tensor) -> list[str]:
    """Return an example's values column by column: words in place of their ones and zeros."""
    values = example.flatten().tolist()
    preparation = splits.preparation
    if not isinstance(preparation, TablePreparation):
        return [given(value) for value in values[:MOST_COLUMNS]]
    texts: list[str] = []
    for column in preparation.columns:
        width = len(column.features)
        texts.append(cell(column, values[:width]))
        values = values[width:]
    return texts[:MOST_COLUMNS]


def cell(column: NumberColumn | TextColumn, values: list[float]) -> str:
    """Return what stood in a cell; a dash where it was missing or a word never seen."""
    if column.indicator and values[-1]:
        return NONE
    if isinstance(column, NumberColumn):
        return in_units(column, values[0])
    found = [word for word, one in zip(column.categories, values, strict=False) if one]
    return found[0] if found else NONE


def in_units(column: NumberColumn, value: float) -> str:
    """Return a number of a column in its own units, from what the network gets."""
    if column.offset == 0:
        return given(column.decode(value))
    # Far from zero, the last digits are those that differ.
    return f"{column.decode(value):.13g}".replace("-", "−")


def input_names(splits: Splits) -> list[str]:
    """Return the name of each number that the network takes."""
    if isinstance(splits.preparation, TablePreparation):
        return splits.preparation.feature_names
    return [f"x{k + 1}" for k in range(splits.input_shape[0])]
