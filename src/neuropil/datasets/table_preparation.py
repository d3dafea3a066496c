"""How a table of text becomes what a network takes, and its target column what it gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self, final

import numpy as np
import torch
from torch import Tensor
from typing_extensions import override

from neuropil.datasets.cells import as_number, column_numbers, is_missing, number_label
from neuropil.datasets.errors import DataError
from neuropil.datasets.paths import listed
from neuropil.datasets.plain import flag, object_list, text_tuple
from neuropil.datasets.preparation import Preparation
from neuropil.datasets.table_columns import NumberColumn, TextColumn, column_from_json
from neuropil.datasets.table_file import Table

if TYPE_CHECKING:
    from neuropil.datasets.target import Target


@final
@dataclass(frozen=True)
class TablePreparation(Preparation):
    """How a table of text becomes what a network takes.

    Shape:
        One example is ``(features)``: each column of numbers gives one, each column of words
        one a category, and a column with missing cells one more that says where.

    Args:
        columns: The columns that the network takes, in order.
        target: What the network gives; its name is that of the target column.
        names: Name of every column of the training table, in order.
        header: Whether the training table named its columns.

    Example:
        >>> from neuropil.datasets import NumberColumn, TablePreparation, Target, TextColumn
        >>> table = TablePreparation(
        ...     (
        ...         NumberColumn("age", 30.0, indicator=False),
        ...         TextColumn("sex", ("F", "M"), indicator=False),
        ...     ),
        ...     Target.of_classes(["no", "yes"], name="ill"),
        ...     names=("age", "sex", "ill"),
        ... )
        >>> table.feature_names
        ['age', 'sex=F', 'sex=M']
        >>> table.encode({"sex": ["M"], "age": [41]})
        tensor([[41.,  0.,  1.]])
    """

    kind: ClassVar[str] = "table"

    columns: tuple[NumberColumn | TextColumn, ...]
    target: Target
    names: tuple[str, ...]
    header: bool = True

    @property
    def feature_names(self) -> list[str]:
        """Name of each number that the network takes."""
        return [feature for column in self.columns for feature in column.features]

    @property
    @override
    def input_shape(self) -> tuple[int, ...]:
        return (len(self.feature_names),)

    @override
    def encode(self, raw: Any, notes: list[str] | None = None) -> Tensor:
        """Return the rows of a table as a batch.

        Args:
            raw: A `Table`, a dict of columns or a pandas DataFrame; columns are found by name,
                others ignored.
            notes: A list that gains a line for each thing a person should know.

        Raises:
            DataError: If a column is missing, or holds words where numbers should be.
        """
        table = raw if isinstance(raw, Table) else Table.of(raw)
        if lacking := [c.name for c in self.columns if c.name not in table.names]:
            raise DataError(
                f"{table.source} lacks the columns {listed(map(repr, lacking), 8)}; it has "
                f"{listed(map(repr, table.names), 8)}."
            )
        said: list[str] = [] if notes is None else notes
        encoded = [
            column.encode(table.column(column.name), table.rows, table.source, said)
            for column in self.columns
        ]
        return torch.from_numpy(np.concatenate(encoded, axis=1))

    def encode_target(self, table: Table) -> Tensor:
        """Return the target column as class numbers or numbers.

        Args:
            table: A table with the target column, none of its cells missing.

        Raises:
            DataError: If the column is missing, or a cell is no class or number.
        """
        name = self.target.name
        if name not in table.names:
            raise DataError(f"{table.source} lacks the target column {name!r}.")
        cells = table.column(name)
        where = f"{table.source}, column {name!r}"
        if any(map(is_missing, set(cells))):
            raise DataError(f"{where}: the target is missing in some rows.")
        if self.target.classes is not None:
            return self.target.encode_classes(self.labels(cells), where)
        values = column_numbers(cells, table.rows, where)
        if values is None:
            raise DataError(f"{where}: needs numbers, got words such as {cells[0]!r}.")
        return torch.from_numpy(values.astype(np.float32))

    def labels(self, cells: list[str]) -> list[str]:
        """Return the class name in each cell; ``1.0`` is ``1``, unless all cells are classes.

        Args:
            cells: Cells of the target column.
        """
        known = set(self.target.classes or ())
        return cells if known.issuperset(cells) else number_labels(cells)

    @override
    def fields(self) -> dict[str, Any]:
        return {
            "columns": [column.to_json() for column in self.columns],
            "names": list(self.names),
            "header": self.header,
        }

    @classmethod
    @override
    def from_fields(cls, data: dict[str, Any], target: Target) -> Self:
        columns = tuple(map(column_from_json, object_list(data, "columns")))
        if not columns or target.name is None:
            raise DataError(
                "damaged preparation: a table needs columns and the name of its target."
            )
        return cls(columns, target, text_tuple(data, "names"), flag(data, "header"))


def number_labels(cells: list[str]) -> list[str]:
    """Return the shortest way to write the number in each cell; words as they are."""
    values = {cell: as_number(cell) for cell in set(cells)}
    short = {c: number_label(v) if np.isfinite(v) else c for c, v in values.items()}
    return [short[cell] for cell in cells]
