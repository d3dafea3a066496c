"""Open a table: choose target and task, split the rows, and fit the encoders."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from neuropil.datasets.data_errors import DataError, adding_notes
from neuropil.datasets.dataset import Dataset
from neuropil.datasets.open_options import TABLE
from neuropil.datasets.paths import unpacked_suffix, visible_entries
from neuropil.datasets.prediction_inputs import PredictionInputs
from neuropil.datasets.splits import Splits
from neuropil.datasets.tables.columns.date_column import DAYS, DateColumn
from neuropil.datasets.tables.duplicate_rows import note_duplicates
from neuropil.datasets.tables.files.table_parts import find_parts
from neuropil.datasets.tables.frames import IN_MEMORY
from neuropil.datasets.tables.table import Table
from neuropil.datasets.tables.table_fitting import fit_columns
from neuropil.datasets.tables.table_preparation import TablePreparation, check_labelled
from neuropil.datasets.tables.table_splits import (
    Outcome,
    check_split_column,
    note_series,
    note_shared,
    split_table,
    values_in,
)
from neuropil.datasets.tables.table_target import drop_unknown_targets, read_outcomes
from neuropil.datasets.tables.target_choice import find_targets
from neuropil.datasets.target import Classes, Numbers, Target
from neuropil.text import some_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from neuropil.datasets.arrays.array_preparation import ArrayPreparation
    from neuropil.datasets.open_options import Options
    from neuropil.datasets.tables.table import TableReader


def recognise(path: Path, *, suffixes: Sequence[str]) -> str | None:
    """Return a description of a table file, or of a folder of tables."""
    if path.is_dir():
        if train_and_test(path, suffixes):
            return "a training and a test table"
        return "a table in parts" if find_parts(path, suffixes) else None
    return "a table" if unpacked_suffix(path) in suffixes else None


def train_and_test(folder: Path, suffixes: Sequence[str]) -> tuple[Path, Path] | None:
    """Return the tables ``train`` and ``test`` of a folder without other tables, else None."""
    entries = visible_entries(folder)
    tables = [entry for entry in entries if unpacked_suffix(entry) in suffixes]
    by_name = {file.name.casefold().split(".")[0]: file for file in tables}
    if len(tables) != 2 or set(by_name) != {"train", "test"} or any(map(Path.is_dir, entries)):
        return None
    return by_name["train"], by_name["test"]


def open_table(
    path: Path, options: Options, *, reader: TableReader, suffixes: Sequence[str]
) -> Splits:
    """Read a table whose target is the last column or the given one.

    Args:
        path: The file; a folder of parts; or a folder with a training table and a test table,
            which is read when first used.
        options: Options of the caller.
        reader: Reads a table of this format.
        suffixes: Suffixes of this format.

    Raises:
        DataError: If the table, the target or a column cannot be used.
    """
    options.refuse(TABLE, "image_size", "color")
    notes: list[str] = []
    pair = train_and_test(path, suffixes) if suffixes and path.is_dir() else None
    path, test_path = pair or (path, None)
    table = reader(path, notes, header=options.header, encoding=options.encoding)
    names = find_targets(table, options.target, notes)
    if test_path and table.header:
        test = reader(test_path, [], header=True, encoding=options.encoding, names_alone=True)
        if lacking := [name for name in names if name not in test.names]:
            notes.append(
                f"{test_path.name} lacks the target column {lacking[0]!r} and cannot be used: "
                f"the test is cut from {path.name}."
            )
            test_path = None
    table = drop_unknown_targets(table, names, notes)
    table.read_ahead()
    check_split_column(table, options, names)  # before notes that do not explain its error
    with adding_notes(notes):
        outcome = read_outcomes(table, names, options.task, notes)
        test_size = 0 if test_path else options.test
        rows = split_table(table, names, outcome, options, test=test_size, notes=notes)
        target = make_target(outcome, rows.train, names)
    inputs = [name for name in table.names if name not in (*names, *rows.unused)]
    columns = fit_columns(table, inputs, rows.train.numpy(), notes)
    if options.split_by is None:
        note_series(dates_in(columns), notes)
    preparation = TablePreparation(
        columns, target, tuple(table.names), table.header, options.encoding
    )
    data = Dataset(preparation.encode(table, notes), preparation.encode_target(table))
    train, validation, test = (data[part] for part in rows[:3])
    note_duplicates(train, {"validation": validation, "test": test}, notes)
    groups = {name: values_in(table, name, rows.train) for name in rows.unused}
    read_test = test_path and partial(
        read_test_table, preparation, test_path, reader=reader, train=train, groups=groups
    )
    return Splits(
        train,
        validation if len(validation) else None,
        read_test or (test if len(test) else None),
        preparation=preparation,
        source=str(path),
        notes=notes,
    )


def dates_in(columns: Sequence[object]) -> list[str]:
    """Return the names of the columns that are dates by the day."""
    return [c.name for c in columns if isinstance(c, DateColumn) and c.unit == DAYS]


def open_frame(frame: Any, options: Options) -> Splits:
    """Open a table in memory whose target is the last column or the given one.

    Args:
        frame: A data frame or a dict of columns.
        options: Options of the caller.

    Raises:
        DataError: If the table, the target or a column cannot be used.
    """
    options.refuse(IN_MEMORY, "image_size", "color", "header", "encoding")
    table = Table.of(frame)
    if not len(table):
        raise DataError(f"{IN_MEMORY} has no rows.")
    return open_table(Path(IN_MEMORY), options, reader=lambda *_, **__: table, suffixes=())


def make_target(outcome: Outcome, train: Tensor, names: tuple[str, ...]) -> Target:
    """Return the target: the classes, or the numbers with their training mean and deviation.

    Raises:
        DataError: If there is only one class, or all numbers are the same.
    """
    name = names[0] if len(names) == 1 else None
    where = f"The target column{'s' * (name is None)} {some_of(map(repr, names), 8)}"
    if isinstance(outcome, np.ndarray):
        columns = names if name is None else ()
        known = torch.from_numpy(outcome)[train]
        return Numbers.fit(known, where, name=name, columns=columns)
    return Classes.fit(outcome.dictionary.to_pylist(), where, name=name)


def read_test_table(
    preparation: TablePreparation,
    path: Path,
    notes: list[str],
    *,
    reader: TableReader,
    train: Dataset,
    groups: Mapping[str, frozenset[str]],
) -> Dataset:
    """Return the rows of the test table, with notes about what the training rows have too.

    Args:
        preparation: Preparation of the training table.
        path: The file.
        notes: Gains notes for the user.
        reader: Reads a table of this format.
        train: The training rows.
        groups: Their values in the column that the table was split by, by its name.
    """
    table, test = read_all(preparation, path, notes, reader=reader)
    note_duplicates(train, {"test": test}, notes)
    for name, trained in groups.items():
        note_shared(table, name, trained, "test", notes)
    return test


def read_all(
    preparation: TablePreparation, path: Path, notes: list[str], *, reader: TableReader
) -> tuple[Table, Dataset]:
    """Return another table that has the target columns, and its rows as examples.

    Args:
        preparation: Preparation of the training table.
        path: The file.
        notes: Gains notes for the user.
        reader: Reads a table of this format.

    Raises:
        DataError: If the table lacks a column, or holds a class that the training rows lack.
    """
    table = preparation.read(path, notes, reader)
    check_labelled(preparation.target, table)
    table = drop_unknown_targets(table, preparation.target.names, notes)
    return table, Dataset(preparation.encode(table, notes), preparation.encode_target(table))


def read_labelled(
    preparation: TablePreparation,
    path: Path,
    notes: list[str],
    *,
    reader: TableReader,
    suffixes: Sequence[str],
) -> Dataset:
    """Return all rows of a table, or of the test table of a folder."""
    pair = train_and_test(path, suffixes) if path.is_dir() else None
    return read_all(preparation, pair[1] if pair else path, notes, reader=reader)[1]


def read_rows(
    preparation: TablePreparation, file: Path, notes: list[str], *, reader: TableReader
) -> PredictionInputs:
    """Return the rows of a table, with or without the target column."""
    table = preparation.read(file, notes, reader)
    return PredictionInputs(
        preparation.encode(table, notes), row_names(file, table), table=table
    )


def read_numbers(
    preparation: ArrayPreparation, file: Path, notes: list[str], *, reader: TableReader
) -> PredictionInputs:
    """Return the rows of a table of numbers for a network that was trained on an array.

    Raises:
        DataError: If a cell is not a number.
    """
    table = reader(file, notes)
    columns = [table.numbers(name) for name in table.names]
    known = [column.values for column in columns if column is not None]
    if len(known) < len(columns) or np.isnan(known).any():
        raise DataError(
            f"{file} must have a number in every cell: the network was trained on arrays."
        )
    batch = preparation.encode(np.stack(known, axis=1))
    return PredictionInputs(batch, row_names(file, table))


def row_names(file: Path, table: Table) -> list[str]:
    """Return a name for each row of a table."""
    return [f"{file.name}, row {row}" for row in table.rows]
