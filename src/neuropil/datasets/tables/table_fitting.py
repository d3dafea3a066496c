"""Choice of an encoder for each column of a table, from the training rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from neuropil.datasets.data_errors import DataError
from neuropil.datasets.paths import natural_key
from neuropil.datasets.tables.cells import EXACT, missing_cells
from neuropil.datasets.tables.columns.date_column import DateColumn
from neuropil.datasets.tables.columns.date_fitting import fit_dates
from neuropil.datasets.tables.columns.hashed_column import HashedColumn
from neuropil.datasets.tables.columns.number_column import NumberColumn
from neuropil.datasets.tables.columns.number_fitting import (
    ROUNDING,
    check_marks,
    is_inexact,
    precise_scale,
)
from neuropil.datasets.tables.columns.table_dates import table_dates
from neuropil.datasets.tables.columns.text_column import TextColumn
from neuropil.datasets.tables.number_columns import MULTIPLES, check_decided, common_unit
from neuropil.datasets.tables.number_text import Numbers, read_numbers
from neuropil.datasets.tables.row_identifiers import (
    counts_rows,
    is_identifier_name,
    tells_rows_apart,
)
from neuropil.text import cut, number_of, some_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from neuropil.datasets.tables.columns.column import Column
    from neuropil.datasets.tables.table import Table

MAX_CATEGORIES = 256
"""Largest number of distinct words in a column that is encoded one-hot."""
HASHED = 256
"""Number of features that a column with more words is hashed into."""

FIRST = 100
"""Number of cells that tell most columns from one with a single value."""


def fit_columns(
    table: Table, names: Iterable[str], train: np.ndarray[Any, Any], notes: list[str]
) -> tuple[Column, ...]:
    """Return the encoder of each input column, fitted to the training rows.

    Args:
        table: All rows.
        names: Names of the columns that may be inputs.
        train: Indices of the training rows.
        notes: Gains notes for the user.

    Raises:
        DataError: If no column remains, or a cell cannot be read.
    """
    columns: list[Column] = []
    left_out: list[str] = []
    fitting = ColumnFitting(table, train, notes)
    for name in names:
        column = fitting.fit(name)
        if isinstance(column, str):
            left_out.append(column)
        else:
            columns.append(column)
    note_written(fitting.written, notes)
    notes += left_out
    note_missing(table, columns, notes)
    if not columns:
        raise DataError(f"{table.source} has no usable input column. {' '.join(left_out)}")
    return tuple(columns)


def note_written(written: dict[str, tuple[str, float]], notes: list[str]) -> None:
    """Add a note about numbers in another notation than that of programs."""
    if written:
        each = (
            f"{name!r} ({cell!r} is {value:.12g})" for name, (cell, value) in written.items()
        )
        notes.append(f"Read as numbers: {some_of(each)}.")


def note_missing(table: Table, columns: list[Column], notes: list[str]) -> None:
    """Add a note about missing values and their replacement."""
    counts = {
        column.name: count_missing(table, column) for column in columns if column.indicator
    }
    if counts:
        each = some_of((f"{name!r} in {number_of(n, 'row')}" for name, n in counts.items()), 5)
        notes.append(
            f"Missing values: {each}; numbers and dates are replaced by the training median, "
            "and an indicator marks them."
        )


def count_missing(table: Table, column: Column) -> int:
    """Return the number of rows in which the value of a column is missing."""
    dates = table_dates(table, column.name) if isinstance(column, DateColumn) else None
    if dates is not None:
        return int(np.isnat(dates.instants).sum())
    numbers = isinstance(column, NumberColumn)
    return pc.sum(missing_cells(table.column(column.name), numbers=numbers)).as_py()


@final
@dataclass(frozen=True)
class ColumnFitting:
    """Choice of an encoder for each column.

    Args:
        table: All rows.
        train: Indices of the training rows.
        notes: Gains notes for the user.
        written: Gains the first number in another notation than that of programs, by column.
    """

    table: Table
    train: np.ndarray[Any, Any]
    notes: list[str]
    written: dict[str, tuple[str, float]] = field(default_factory=dict)

    def fit(self, name: str) -> Column | str:
        """Return the encoder of one column, or a note why the column is left out."""
        dates = table_dates(self.table, name)
        if dates is not None:
            return fit_dates(self.table, name, dates, self.train, self.notes)
        if (value := self.only_value(name)) is not None:
            return f"Column {name!r} left out: all training rows have the value {value}."
        found = self.table.numbers(name)
        if found is None:
            return self.fit_words_or_units(name)
        return self.fit_numbers_or_codes(name, found)

    def only_value(self, name: str) -> str | None:
        """Return the value that all training rows have in a column; None if they differ."""
        cells = self.table.column(name)
        for rows in (self.train[:FIRST], self.train):
            if pc.count_distinct(cells.take(pa.array(rows)), mode="all").as_py() > 1:
                return None
        first = cells.slice(int(self.train[0]), 1)
        missing = missing_cells(first, numbers=True)[0].as_py()
        return None if missing else repr(cut(self.table.text(name)[int(self.train[0])].as_py()))

    def fit_numbers_or_codes(self, name: str, found: Numbers) -> Column | str:
        """Return the encoder of a column of numbers, some of which may be long codes."""
        table, cells = self.table, self.table.column(name)
        if is_inexact(found.values, cells):
            words = self.fit_words(name)
            if not isinstance(words, str):
                self.notes.append(
                    f"Column {name!r} has integers that are too long: read as categories."
                )
            if not isinstance(words, str) or is_identifier_name(self.own_name(name)):
                return words
        if found.written is not None:
            if table.delimiter != "," and table.decimal is None:
                check_decided(cells, table.rows, f"{table.source}, column {name!r}")
            self.written[name] = found.written
        return self.fit_numbers(name, found)

    def fit_words_or_units(self, name: str) -> Column | str:
        """Return the encoder of a column of words, which may also be numbers with a unit."""
        table, cells = self.table, self.table.text(name)
        words = self.fit_words(name)
        where = f"{table.source}, column {name!r}"
        unit = None if isinstance(words, TextColumn) else find_unit(cells, table, where)
        if unit is None:
            if isinstance(words, HashedColumn):
                gigabytes = 4e-9 * words.width * len(table)
                size = f", which take {gigabytes:.1f} GB of memory" if gigabytes > 0.1 else ""
                self.notes.append(
                    f"Column {name!r}: {pc.count_distinct(cells).as_py():,} distinct words are "
                    f"hashed into {words.width} features{size}."
                )
            return words
        self.notes.append(f"Column {name!r}: numbers in {unit!r}.")
        found = read_numbers(cells, file_decimal=table.decimal, unit=unit)
        return self.fit_numbers(name, found, unit=unit)

    def fit_numbers(self, name: str, found: Numbers, *, unit: str = "") -> NumberColumn | str:
        """Return the encoder of a column of numbers, or a note why the column is left out.

        Raises:
            DataError: If a number looks like a mark for missing values.
        """
        table, own, values = self.table, self.own_name(name), found.values
        known = values[self.train][~np.isnan(values[self.train])]
        if not len(known):
            return f"Column {name!r} left out: no training row has a value."
        present = values[~np.isnan(values)]
        whole = bool((present == np.round(present)).all())
        if whole and tells_rows_apart(own, len(np.unique(present)), len(present)):
            return identifier_note(name, own)
        if whole and own == "X" and counts_rows(values, table.rows):
            return f"Column {name!r} left out: it only counts the rows, as in files of R."
        check_marks(name, values, table)
        if whole and name == table.names[0] and counts_rows(values, table.rows):
            self.notes.append(
                f"Column {name!r} counts the rows but is used as an input: remove it if it "
                "only identifies them."
            )
        median = float(np.median(known))
        offset, scale = precise_scale(known, median)
        step = float(np.spacing(np.abs(known).max()))
        exact = whole and np.abs(known).max() < EXACT
        coarse = not exact and step > ROUNDING * np.std(known / scale) * scale > 0
        if coarse or is_inexact(values, table.column(name)):
            self.notes.append(
                f"Column {name!r}: its values differ by little more than the rounding of "
                f"numbers of their size (about {step:.1g}), or by less."
            )
        incomplete = len(known) < len(self.train)
        return NumberColumn(name, median, incomplete, offset, scale, found.decimal, unit)

    def fit_words(self, name: str) -> Column | str:
        """Return the encoder of a column of words, or a note why the column is left out."""
        own, rows = self.own_name(name), pc.take(self.table.text(name), pa.array(self.train))
        rows = rows.filter(pc.invert(missing_cells(rows)))
        words, known = pc.unique(rows).to_pylist(), len(rows)
        if known and tells_rows_apart(own, len(words), known):
            return identifier_note(name, own)
        # Names do not generalise; up to ten words may be categories of few rows.
        if len(words) > max(10, known / 2) or not words:
            why = "no training row has a value"
            if words:
                share = f"{len(words):,} distinct words in {known:,} training rows"
                why = f"{share} are too many to be categories, such as {cut(words[0])!r}"
            return f"Column {name!r} left out: {why}."
        if len(words) > MAX_CATEGORIES:
            return HashedColumn(name, HASHED, known < len(self.train))
        return TextColumn(name, tuple(sorted(words, key=natural_key)), known < len(self.train))

    def own_name(self, name: str) -> str:
        """Return the name that a column has in the file, which may be empty."""
        return "" if name in self.table.unnamed else name


def find_unit(cells: pa.StringArray, table: Table, where: str) -> str | None:
    """Return the unit of a column if all of its cells are numbers with that unit, else None.

    Raises:
        DataError: If the numbers end in different multiples, such as K and M.
    """
    known = cells.filter(pc.invert(missing_cells(cells)))
    unit = common_unit(known)
    if isinstance(unit, list) and set(unit) <= set(MULTIPLES):
        place = pc.index(pc.invert(missing_cells(cells)), value=True).as_py()
        raise DataError(
            f"{where}, row {table.rows[place]}: {cells[place].as_py()!r} in a column of "
            f"numbers that end in {some_of(map(repr, unit))}: write the numbers in full."
        )
    if not isinstance(unit, str):
        return None
    found = read_numbers(cells, file_decimal=table.decimal, unit=unit)
    return None if found.words.any() else unit


def identifier_note(name: str, own: str) -> str:
    """Return the note about an identifier column that is left out."""
    nameless = "" if own else ", which has no name in the file,"
    return f"Column {name!r}{nameless} left out: it only identifies the rows."
