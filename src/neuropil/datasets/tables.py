"""Open a text table: choose the target and the task, split, and learn how to encode it."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from neuropil.datasets.cells import MAX_CLASSES, column_numbers, is_missing
from neuropil.datasets.dataset import Dataset
from neuropil.datasets.errors import DataError
from neuropil.datasets.paths import counted, did_you_mean, listed, natural_key
from neuropil.datasets.splits import Splits
from neuropil.datasets.splitting import split_indices
from neuropil.datasets.table_columns import NumberColumn, TextColumn
from neuropil.datasets.table_file import Table, read_names, read_table
from neuropil.datasets.table_preparation import TablePreparation, number_labels
from neuropil.datasets.target import Target

if TYPE_CHECKING:
    from pathlib import Path

    from neuropil.datasets.options import Options

MAX_CATEGORIES = 256
"""A column with more distinct words than this would make more inputs than it is worth."""
COUNTERS = frozenset(["", "id", "index", "row", "rowid", "no", "no.", "nr", "#", "unnamed: 0"])
"""Names under which a column that counts the rows is no property of them."""


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
    options.refuse("a table", "image_size", "color")
    notes: list[str] = []
    table = read_table(path, notes)
    name = find_target(table, options.target)
    if test_path and table.header and name not in read_names(test_path):
        notes.append(
            f"{test_path.name} lacks the target column {name!r} and measures nothing: the test "
            f"is cut from {path.name}."
        )
        test_path = None
    table = drop_unknown_targets(table, name, notes)
    outcome = read_outcome(table, name, options.task, notes)
    train, validation, test = split_indices(
        outcome if isinstance(outcome, Tensor) else np.array(outcome),
        validation=options.validation,
        test=0 if test_path else options.test,
        seed=options.seed,
    )
    target = make_target(outcome, train, name)
    columns = fit_columns(table, name, train.tolist(), notes)
    preparation = TablePreparation(columns, target, tuple(table.names), table.header)
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


def read_labelled(preparation: TablePreparation, path: Path, notes: list[str]) -> Dataset:
    """Return all rows of another table that knows the target.

    Args:
        preparation: How the training table was read.
        path: The file.
        notes: Gains a line for each thing a person should know.

    Raises:
        DataError: If the table lacks a column, or holds a class that the training rows lack.
    """
    table = read_table(path, notes, header=preparation.header)
    if preparation.target.name not in table.names:
        raise DataError(f"{path} lacks the target column {preparation.target.name!r}.")
    table = drop_unknown_targets(table, preparation.target.name, notes)
    return Dataset(preparation.encode(table, notes), preparation.encode_target(table))


def find_target(table: Table, wanted: str | None) -> str:
    """Return the name of the target column.

    Raises:
        DataError: If there is no such column, or no other.
    """
    if len(table.names) < 2:
        raise DataError(
            f"{table.source} has one column only, {table.names[0]!r}: it needs a target and at "
            "least one other column."
        )
    if wanted is not None and wanted not in table.names:
        raise DataError(
            f"{table.source} has no column {wanted!r}{did_you_mean(wanted, table.names)}"
        )
    return wanted or table.names[-1]


def drop_unknown_targets(table: Table, name: str, notes: list[str]) -> Table:
    """Return the rows whose target is known, and count the others.

    Raises:
        DataError: If there are none.
    """
    cells = table.column(name)
    missing = set(filter(is_missing, set(cells)))
    known = [cell not in missing for cell in cells]
    if all(known):
        return table
    lost = len(known) - sum(known)
    if lost == len(known):
        raise DataError(f"{table.source}: the target column {name!r} is empty.")
    first = table.rows[known.index(False)]
    notes.append(f"{counted(lost, 'row')} without a target set aside (first row {first}).")
    return table.where(known)


def read_outcome(
    table: Table, name: str, task: str | None, notes: list[str]
) -> list[str] | Tensor:
    """Return the target column as class names or as numbers, and say which and why.

    Raises:
        DataError: If the column does not suit the task.
    """
    cells = table.column(name)
    where = f"{table.source}, column {name!r}"
    values = column_numbers(cells, table.rows, where)
    distinct = len(set(cells) if values is None else np.unique(values))
    kind = "words" if values is None else "integers" if whole(values) else "numbers"
    few = kind == "words" or (kind == "integers" and distinct <= MAX_CLASSES)
    chosen = task or ("classification" if few else "regression")
    if task is None:
        notes.append(
            f"Target {name!r} holds {distinct:,} distinct {kind}: {chosen}; task= overrides."
        )
    if chosen == "regression":
        if values is None:
            raise DataError(
                f"{where} holds words such as {cells[0]!r}: that is classification."
            )
        return torch.from_numpy(values.astype(np.float32))
    if distinct > max(MAX_CLASSES, len(cells) / 2):
        raise DataError(
            f"{where} has {distinct:,} distinct values in {len(cells):,} rows, which are no "
            "classes: name the target column by target=."
        )
    return cells if values is None else number_labels(cells)


def whole(values: np.ndarray[Any, Any]) -> bool:
    """Tell whether all numbers are integers."""
    return bool((values == np.round(values)).all())


def make_target(outcome: list[str] | Tensor, train: Tensor, name: str) -> Target:
    """Return what the network gives: classes in order, or numbers with their training mean.

    Raises:
        DataError: If there is one class only, or every number is the same.
    """
    if isinstance(outcome, Tensor):
        return Target.of_numbers(outcome[train], name=name)
    return Target.of_labels(outcome, f"The target column {name!r}", name=name)


def fit_columns(
    table: Table, target: str, train: list[int], notes: list[str]
) -> tuple[NumberColumn | TextColumn, ...]:
    """Return how each column is encoded, learnt from the training rows alone.

    Raises:
        DataError: If no column is left.
    """
    columns, left_out = [], []
    for name, cells in zip(table.names, table.columns, strict=True):
        if name != target:
            column = fit_column(name, cells, train, table)
            (left_out if isinstance(column, str) else columns).append(column)
    notes += left_out
    incomplete = [column.name for column in columns if column.indicator]
    if incomplete:
        missing = {name: sum(map(is_missing, table.column(name))) for name in incomplete}
        each = listed(
            (f"{name!r} in {counted(rows, 'row')}" for name, rows in missing.items()), 5
        )
        notes.append(
            f"Missing: {each}; numbers become the training median, an indicator says where."
        )
    if not columns:
        raise DataError(f"{table.source} has no column to learn from. {' '.join(left_out)}")
    return tuple(columns)


def fit_column(
    name: str, cells: list[str], train: list[int], table: Table
) -> NumberColumn | TextColumn | str:
    """Return how one column is encoded, or why it is left out."""
    values = column_numbers(cells, table.rows, f"{table.source}, column {name!r}")
    if values is None:
        return fit_words(name, [cells[row] for row in train])
    known = values[train][~np.isnan(values[train])]
    if not len(known):
        return f"Column {name!r} left out: no training row has a value."
    if name.casefold() in COUNTERS and (np.diff(values) == 1).all():
        return f"Column {name!r} left out: it only counts the rows."
    return NumberColumn(name, float(np.median(known)), len(known) < len(train))


def fit_words(name: str, cells: list[str]) -> TextColumn | str:
    """Return how a column of words is encoded, or why it is left out."""
    counts = Counter(cells)
    words = [word for word in counts if not is_missing(word)]
    known = sum(counts[word] for word in words)
    # Names and dates say nothing about rows to come; ten words may be categories of few rows.
    if len(words) > min(MAX_CATEGORIES, max(10, known / 2)) or not words:
        share = f"{len(words):,} distinct words in {known:,} training rows"
        return f"Column {name!r} left out: {share} are no categories."
    return TextColumn(name, tuple(sorted(words, key=natural_key)), known < len(cells))
