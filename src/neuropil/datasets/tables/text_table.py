"""Open a text table: choose the target and the task, split, and learn how to encode it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from neuropil.datasets.dataset import Dataset
from neuropil.datasets.errors import DataError, recalling
from neuropil.datasets.open_options import TABLE
from neuropil.datasets.splits import Splits
from neuropil.datasets.splitting import split_indices
from neuropil.datasets.tables.table_file import read_names, read_table
from neuropil.datasets.tables.table_fitting import fit_columns
from neuropil.datasets.tables.table_preparation import TablePreparation
from neuropil.datasets.tables.table_target import (
    drop_unknown_targets,
    find_target,
    read_outcome,
)
from neuropil.datasets.target import Classes, Numbers, Target

if TYPE_CHECKING:
    from pathlib import Path

    from neuropil.datasets.open_options import Options


def open_table(path: Path, options: Options, test_path: Path | None = None) -> Splits:
    """Read a table whose target is the last column or the one named.

    Args:
        path: The file.
        options: What the caller asked for.
        test_path: A table with the test rows, read at the first use of the test; None to cut
            them from `path`.

    Raises:
        DataError: If the table, the target or a column cannot be used.
    """
    options.refuse(TABLE, "image_size", "color")
    notes: list[str] = []
    table = read_table(path, notes, header=options.header, encoding=options.encoding)
    name = find_target(table, options.target, notes)
    if test_path and table.header:
        test_path = usable_test(test_path, name, path, options.encoding, notes)
    table = drop_unknown_targets(table, name, notes)
    with recalling(notes):
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
    read_test = test_path and partial(read_labelled, preparation, test_path)
    return Splits(
        data[train],
        data[validation] if len(validation) else None,
        read_test or (data[test] if len(test) else None),
        preparation=preparation,
        source=str(path),
        notes=notes,
    )


def usable_test(
    path: Path, target: str, train: Path, encoding: str | None, notes: list[str]
) -> Path | None:
    """Return the table with the test rows if it knows the target; say so if it does not."""
    if target in read_names(path, encoding=encoding):
        return path
    notes.append(
        f"{path.name} lacks the target column {target!r} and measures nothing: the test is cut "
        f"from {train.name}."
    )
    return None


def make_target(
    outcome: pa.DictionaryArray | np.ndarray[Any, Any], train: Tensor, name: str
) -> Target:
    """Return what the network gives: classes in order, or numbers with their training mean.

    Raises:
        DataError: If there is one class only, or every number is the same.
    """
    where = f"The target column {name!r}"
    if isinstance(outcome, np.ndarray):
        return Numbers.fit(torch.from_numpy(outcome)[train], where, name=name)
    return Classes.fit(outcome.dictionary.to_pylist(), where, name=name)


def ranks(labels: pa.DictionaryArray) -> np.ndarray[Any, Any]:
    """Return for each row the place of its label among all labels in alphabetical order."""
    names = np.array(labels.dictionary.to_pylist())
    places = np.empty(len(names), np.int64)
    places[np.argsort(names)] = np.arange(len(names))
    return places[labels.indices.to_numpy()]


def read_labelled(preparation: TablePreparation, path: Path, notes: list[str]) -> Dataset:
    """Return all rows of another table that knows the target.

    Args:
        preparation: How the training table was read.
        path: The file.
        notes: Gains a line for each thing a person should know.

    Raises:
        DataError: If the table lacks a column, or holds a class that the training rows lack.
    """
    table = preparation.read(path, notes)
    if preparation.target.name not in table.names:
        raise DataError(f"{path} lacks the target column {preparation.target.name!r}.")
    table = drop_unknown_targets(table, preparation.target.name, notes)
    return Dataset(preparation.encode(table, notes), preparation.encode_target(table))
