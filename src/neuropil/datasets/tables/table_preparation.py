"""Preparation of tables."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self, final

import numpy as np
import pyarrow.compute as pc
import torch
from torch import Tensor
from typing_extensions import override

from neuropil.datasets.data_errors import DataError
from neuropil.datasets.plain_fields import flag, optional, text, text_tuple
from neuropil.datasets.preparation import Preparation, read_target
from neuropil.datasets.tables.cells import class_labels, missing_cells
from neuropil.datasets.tables.columns.column_kinds import read_columns
from neuropil.datasets.tables.files.encodings import check_encoding
from neuropil.datasets.tables.table import Table
from neuropil.text import number_of, some_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from neuropil.datasets.source import Source
    from neuropil.datasets.tables.columns.column import Column
    from neuropil.datasets.tables.table import TableReader
    from neuropil.datasets.target import Classes, Numbers, Target

CONTENTS = {"number": "numbers", "text": "words", "hashed": "hashed words", "date": "dates"}
"""What a column holds, by its kind."""


@final
@dataclass(frozen=True)
class TablePreparation(Preparation):
    """Preparation of tables: new rows are encoded like the training rows.

    Shape:
        One example is ``(features)``: a column of numbers gives one feature, a column of words
        one per category (hashed, if there are many), a column of dates the elapsed time and two
        per cycle, and a column with missing cells one more as their indicator.

    Args:
        columns: The input columns in order.
        target: The target that the network predicts; it has the names of the target columns.
        names: Name of every column of the training table, in order.
        header: Whether the training table named its columns.
        encoding: Name of the training table's encoding, if the user gave it.

    Example:
        >>> from neuropil.datasets import Classes, NumberColumn, TablePreparation, TextColumn
        >>> table = TablePreparation(
        ...     (
        ...         NumberColumn("age", 30.0, indicator=False),
        ...         TextColumn("sex", ("F", "M"), indicator=False),
        ...     ),
        ...     Classes(["no", "yes"], name="ill"),
        ...     names=("age", "sex", "ill"),
        ... )
        >>> table.feature_names
        ['age', 'sex=F', 'sex=M']
        >>> table.encode({"sex": ["M"], "age": [41]})
        tensor([[41.,  0.,  1.]])
    """

    kind: ClassVar[str] = "table"
    readers: ClassVar = {
        "target": read_target,
        "columns": read_columns,
        "names": text_tuple,
        "header": flag,
        "encoding": optional(lambda data, name: check_encoding(text(data, name))),
    }

    columns: tuple[Column, ...]
    target: Target
    names: tuple[str, ...]
    header: bool = True
    encoding: str | None = None

    @property
    def feature_names(self) -> list[str]:
        """Name of each input of the network."""
        return [feature for column in self.columns for feature in column.features]

    @property
    @override
    def input_shape(self) -> tuple[int, ...]:
        return (len(self.feature_names),)

    @override
    def describe(self, train: Source) -> str:
        counts = Counter(CONTENTS[column.kind] for column in self.columns)
        kinds = ", ".join(f"{count:,} of {kind}" for kind, count in counts.items())
        gaps = [repr(column.name) for column in self.columns if column.indicator]
        missing = f"; cells are missing in {some_of(gaps)}" if gaps else ""
        return f"{number_of(len(self.columns), 'column')}: {kinds}{missing}"

    @override
    def encode(self, raw: Any, notes: list[str] | None = None) -> Tensor:
        """Return the rows of a table as a batch.

        Args:
            raw: A `Table`, a data frame or a dict of columns; columns are found by name, and
                others are ignored.
            notes: A list that gains notes for the user.

        Raises:
            DataError: If a column is missing, or holds words where numbers should be.
        """
        table = raw if isinstance(raw, Table) else Table.of(raw)
        if lacking := [c.name for c in self.columns if c.name not in table.names]:
            raise DataError(
                f"{table.source} lacks the columns {some_of(map(repr, lacking), 8)}; it has "
                f"{some_of(map(repr, table.names), 8)}."
            )
        notes = [] if notes is None else notes
        encoded = torch.empty((len(table), *self.input_shape))
        end = 0
        for column in self.columns:
            start, end = end, end + len(column.features)
            encoded[:, start:end] = torch.from_numpy(column.encode(table, notes))
            table.forget(column.name)
        return encoded

    def read(self, path: Path, notes: list[str], reader: TableReader) -> Table:
        """Return a table from a file, read with the options of the training table.

        Without a header, columns are found by position, and the target may be left out.

        Args:
            path: The file.
            notes: Gains notes for the user.
            reader: Reads a table of the file's format.

        Raises:
            DataError: If it is not a table.
        """
        inputs = [name for name in self.names if name not in self.target.names]
        table = reader(
            path,
            notes,
            header=self.header,
            known_encoding=self.encoding,
            expected=inputs if self.header else (),
        )
        if not self.header and len(table.names) in (len(inputs), len(self.names)):
            own = inputs if len(table.names) == len(inputs) else list(self.names)
            return replace(table, names=own)
        return table

    def encode_target(self, table: Table) -> Tensor:
        """Return class numbers ``(N)``, or numbers ``(N)`` or ``(N, k)`` in double precision.

        Args:
            table: A table with the target columns, none of its cells missing.

        Raises:
            DataError: If a column is missing, or a cell is not a class or a number.
        """
        return read_labels(self.target, table)

    @classmethod
    @override
    def from_fields(cls, data: dict[str, Any]) -> Self:
        made = super().from_fields(data)
        if not made.columns or not made.target.names:
            raise DataError(
                "damaged preparation: a table needs columns and the name of its target."
            )
        return made


def read_labels(target: Target, table: Table) -> Tensor:
    """Return the target columns of a table as one tensor.

    Args:
        target: The target of the training data.
        table: A table with the target columns, none of its cells missing.

    Raises:
        DataError: If a column is missing, or a cell is not a class or a number.
    """
    check_labelled(target, table)
    columns = [READERS[target.kind](target, table, name) for name in target.names]
    return columns[0] if len(columns) == 1 else torch.stack(columns, dim=1)


def check_labelled(target: Target, table: Table) -> None:
    """Refuse a table without the target columns.

    Args:
        target: The target of the training data.
        table: The table.

    Raises:
        DataError: If one of them is missing.
    """
    lacking = [name for name in target.names if name not in table.names]
    if lacking:
        raise DataError(f"{table.source} lacks the target column {lacking[0]!r}.")


def read_classes(target: Classes, table: Table, name: str) -> Tensor:
    """Return the class number of each cell; ``1.0`` means ``1``, unless all cells are classes.

    Raises:
        DataError: If a cell is missing, or is not a class.
    """
    cells, where = table.column(name), f"{table.source}, column {name!r}"
    if pc.any(missing_cells(cells)).as_py():
        raise DataError(f"{where}: the target is missing in some rows.")
    labels = pc.dictionary_encode(table.text(name))
    if not set(target.classes).issuperset(labels.dictionary.to_pylist()):
        labels = class_labels(cells)
    numbers = target.collate(labels.dictionary.to_pylist(), where)
    return numbers[torch.from_numpy(labels.indices.to_numpy().astype(np.int64))]


def read_numbers(target: Numbers, table: Table, name: str) -> Tensor:
    """Return the number in each cell.

    Raises:
        DataError: If a cell is missing, or is not a number.
    """
    where = f"{table.source}, column {name!r}"
    found = table.numbers(name)
    if found is None:
        word = table.text(name)[0].as_py()
        raise DataError(f"{where}: needs numbers, got words such as {word!r}.")
    if np.isnan(found.values).any():
        raise DataError(f"{where}: the target is missing in some rows.")
    return target.collate(found.values.copy(), where)


# Readers of the labels in a table, by kind of target.
READERS: dict[str, Callable[[Any, Table, str], Tensor]] = {
    "classes": read_classes,
    "numbers": read_numbers,
}
