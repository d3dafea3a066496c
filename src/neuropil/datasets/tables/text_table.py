"""Open a table: choose target and task, split the rows, and fit the encoders."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from neuropil.datasets.data_errors import DataError, adding_notes
from neuropil.datasets.dataset import Dataset
from neuropil.datasets.open_options import TABLE
from neuropil.datasets.paths import unpacked_suffix, visible_entries
from neuropil.datasets.prediction_inputs import PredictionInputs
from neuropil.datasets.splits import Splits
from neuropil.datasets.splitting import split_indices
from neuropil.datasets.tables.files.table_parts import find_parts
from neuropil.datasets.tables.frames import IN_MEMORY
from neuropil.datasets.tables.table import Table
from neuropil.datasets.tables.table_fitting import fit_columns
from neuropil.datasets.tables.table_preparation import TablePreparation
from neuropil.datasets.tables.table_target import (
    drop_unknown_targets,
    find_target,
    read_outcome,
)
from neuropil.datasets.target import Classes, Numbers, Target

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    name = find_target(table, options.target, notes)
    if test_path and table.header:
        test = reader(test_path, [], header=True, encoding=options.encoding, names_alone=True)
        if name not in test.names:
            notes.append(
                f"{test_path.name} lacks the target column {name!r} and cannot be used: the "
                f"test is cut from {path.name}."
            )
            test_path = None
    table = drop_unknown_targets(table, name, notes)
    with adding_notes(notes):
        outcome = read_outcome(table, name, options.task, notes)
        words = isinstance(outcome, pa.DictionaryArray)
        train, validation, test = split_indices(
            ranks(outcome) if words else outcome,
            validation=options.validation,
            test=0 if test_path else options.test,
            seed=options.seed,
        )
        target = make_target(outcome, train, name)
    columns = fit_columns(table, name, train.numpy(), notes)
    preparation = TablePreparation(
        columns, target, tuple(table.names), table.header, options.encoding
    )
    data = Dataset(preparation.encode(table, notes), preparation.encode_target(table))
    read_test = test_path and partial(read_all, preparation, test_path, reader=reader)
    return Splits(
        data[train],
        data[validation] if len(validation) else None,
        read_test or (data[test] if len(test) else None),
        preparation=preparation,
        source=str(path),
        notes=notes,
    )


def open_frame(frame: Any, options: Options) -> Splits:
    """Open a table in memory whose target is the last column or the given one.

    Args:
        frame: A data frame or a dict of columns.
        options: Options of the caller.

    Raises:
        DataError: If the table, the target or a column cannot be used.
    """
    options.refuse(IN_MEMORY, "image_size", "color")
    table = Table.of(frame)
    if not len(table):
        raise DataError(f"{IN_MEMORY} has no rows.")
    return open_table(Path(IN_MEMORY), options, reader=lambda *_, **__: table, suffixes=())


def make_target(
    outcome: pa.DictionaryArray | np.ndarray[Any, Any], train: Tensor, name: str
) -> Target:
    """Return the target: the classes, or the numbers with their training mean and deviation.

    Raises:
        DataError: If there is only one class, or all numbers are the same.
    """
    where = f"The target column {name!r}"
    if isinstance(outcome, np.ndarray):
        return Numbers.fit(torch.from_numpy(outcome)[train], where, name=name)
    return Classes.fit(outcome.dictionary.to_pylist(), where, name=name)


def ranks(labels: pa.DictionaryArray) -> np.ndarray[Any, Any]:
    """Return for each row the rank of its label among all labels in alphabetical order."""
    names = np.array(labels.dictionary.to_pylist())
    places = np.empty(len(names), np.int64)
    places[np.argsort(names)] = np.arange(len(names))
    return places[labels.indices.to_numpy()]


def read_all(
    preparation: TablePreparation, path: Path, notes: list[str], *, reader: TableReader
) -> Dataset:
    """Return all rows of another table that has the target column.

    Args:
        preparation: Preparation of the training table.
        path: The file.
        notes: Gains notes for the user.
        reader: Reads a table of this format.

    Raises:
        DataError: If the table lacks a column, or holds a class that the training rows lack.
    """
    table = preparation.read(path, notes, reader)
    if preparation.target.name not in table.names:
        raise DataError(f"{path} lacks the target column {preparation.target.name!r}.")
    table = drop_unknown_targets(table, preparation.target.name, notes)
    return Dataset(preparation.encode(table, notes), preparation.encode_target(table))


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
    return read_all(preparation, pair[1] if pair else path, notes, reader=reader)


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
