"""Division of the rows of a table: at random, by the values of a column, or by time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from neuropil.datasets.data_errors import DataError
from neuropil.datasets.group_splitting import split_groups, split_in_time
from neuropil.datasets.splitting import split_indices
from neuropil.datasets.tables.cells import class_labels, missing_cells
from neuropil.datasets.tables.columns.table_dates import table_dates
from neuropil.text import all_of, nearest_or_some, number_of, some_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from neuropil.datasets.open_options import Options
    from neuropil.datasets.tables.columns.date_text import Dates
    from neuropil.datasets.tables.table import Table

Array = np.ndarray[Any, Any]
Outcome = pa.DictionaryArray | Array

PARTS = ("training", "validation", "test")


class Parts(NamedTuple):
    """Indices of the rows of each part.

    Attributes:
        train: The training rows.
        validation: The rows to monitor the training.
        test: The rows of the final test.
        unused: Names of the columns that are not inputs because the split is by them.
    """

    train: Tensor
    validation: Tensor
    test: Tensor
    unused: tuple[str, ...] = ()


def split_table(
    table: Table,
    targets: tuple[str, ...],
    outcome: Outcome,
    options: Options,
    *,
    test: float,
    notes: list[str],
) -> Parts:
    """Return the rows of each part of a table.

    Args:
        table: The rows whose targets are known.
        targets: Names of the target columns.
        outcome: The targets: classes or numbers.
        options: Options of the caller.
        test: Fraction or number of rows for the test; 0 for none.
        notes: Gains notes for the user.

    Raises:
        DataError: If there are too few rows, or the column to split by cannot be used.
    """
    classes = ranks(outcome) if isinstance(outcome, pa.DictionaryArray) else None
    sizes = {"validation": options.validation, "test": test}
    if options.split_by is None:
        known = outcome if classes is None else classes
        random = split_indices(
            known, validation=options.validation, test=test, seed=options.seed
        )
        return Parts(*random)
    name = find_split_column(table, options.split_by, targets)
    dates, where = table_dates(table, name), f"{table.source}, column {name!r}"
    if dates is not None and not dates.clock:
        parts = Parts(*split_in_time(known_moments(dates), **sizes, where=where))
        note_time(name, dates, parts, notes)
    else:
        groups = groups_of(table, name)
        found = split_groups(groups, classes, **sizes, seed=options.seed, where=where)
        parts = Parts(*found, (name,))
        note_groups(name, groups, parts, notes)
    if isinstance(outcome, pa.DictionaryArray):
        check_classes(outcome, parts.train, where, notes)
    return parts


def check_split_column(table: Table, options: Options, targets: tuple[str, ...]) -> None:
    """Refuse a column to split by that the table does not have.

    Args:
        table: The table.
        options: Options of the caller.
        targets: Names of the targets.
    """
    if options.split_by is not None:
        find_split_column(table, options.split_by, targets)


def ranks(labels: pa.DictionaryArray) -> Array:
    """Return for each row the rank of its label among all labels in alphabetical order."""
    names = np.array(labels.dictionary.to_pylist())
    places = np.empty(len(names), np.int64)
    places[np.argsort(names)] = np.arange(len(names))
    return places[labels.indices.to_numpy()]


def known_moments(dates: Dates) -> Array:
    """Return the moment of each row; rows without a date count as the earliest."""
    known = dates.instants[~np.isnat(dates.instants)]
    return np.where(np.isnat(dates.instants), known.min(), dates.instants)


def groups_of(table: Table, name: str) -> Array:
    """Return a number for the value of each row, -1 for all rows without one."""
    cells = table.column(name)
    missing = missing_cells(cells).to_numpy(zero_copy_only=False).astype(bool)
    return np.where(missing, -1, class_labels(cells).indices.to_numpy())


def find_split_column(table: Table, wanted: str, targets: tuple[str, ...]) -> str:
    """Return the column to split by.

    Raises:
        DataError: If it does not exist, or is a target.
    """
    if wanted not in table.names:
        raise DataError(
            f"{table.source} has no column {wanted!r} to split by."
            f"{nearest_or_some(wanted, table.names)}"
        )
    if wanted in targets:
        raise DataError(
            f"{table.source}, column {wanted!r}: the rows cannot be split by the target."
        )
    return wanted


def note_time(name: str, dates: Dates, parts: Parts, notes: list[str]) -> None:
    """Add a note about the dates of each part."""
    each = []
    for part, rows in zip(PARTS, parts[:3], strict=True):
        moments = dates.instants[rows.numpy()]
        known = moments[~np.isnat(moments)]
        if len(known):
            first, last = (written(moment) for moment in (known.min(), known.max()))
            each.append(f"{part} from {first} to {last}")
    missing = int(np.isnat(dates.instants).sum())
    undated = f"; training has {number_of(missing, 'row')} without a date" if missing else ""
    notes.append(f"Split by time, {name!r}: {', '.join(each)}{dates.zone}{undated}.")


def written(moment: Any) -> str:
    """Return a moment to the minute, or as a date if it is midnight."""
    return str(np.datetime64(moment, "m")).replace("T", " ").removesuffix(" 00:00")


def note_groups(name: str, groups: Array, parts: Parts, notes: list[str]) -> None:
    """Add a note about the number of values in each part."""
    each = [
        f"{len(np.unique(groups[rows.numpy()])):,} in {part}"
        for part, rows in zip(PARTS, parts[:3], strict=True)
        if len(rows)
    ]
    missing = int((groups == -1).sum())
    lacking = f" {number_of(missing, 'row')} without a value stay together." if missing else ""
    notes.append(
        f"Split by {name!r}: no value is in two parts ({all_of(each)}), and the column is not "
        f"an input.{lacking}"
    )


def check_classes(
    labels: pa.DictionaryArray, train: Tensor, where: str, notes: list[str]
) -> None:
    """Add a note about classes that no training row has.

    Raises:
        DataError: If the training rows have one class only.
    """
    trained = labels.take(pa.array(train.numpy()))
    known = pc.unique(trained.indices)
    names = labels.dictionary.take(known).to_pylist()
    if len(names) < 2:
        raise DataError(
            f"{where}: split by this column, all training rows have the class {names[0]!r}: "
            "there is nothing to learn."
        )
    lacking = sorted(set(labels.dictionary.to_pylist()) - set(names))
    if lacking:
        notes.append(
            f"No training row has the class {some_of(map(repr, lacking))}: a network cannot "
            "learn it."
        )


def note_shared(
    table: Table, name: str, trained: frozenset[str], part: str, notes: list[str]
) -> None:
    """Add a note about rows of another table whose value the training rows have too.

    Args:
        table: The other table.
        name: Name of the column that the training table was split by.
        trained: Its values in the training rows.
        part: Name of the part that the table is.
        notes: Gains a line if there are such rows.
    """
    if name not in table.names:
        return
    labels = class_labels(table.column(name))
    shared = pc.is_in(labels.dictionary, value_set=pa.array(sorted(trained), pa.string()))
    known = pc.and_not(shared, missing_cells(labels.dictionary))
    count = pc.sum(known.take(labels.indices)).as_py()
    if count:
        notes.append(
            f"{count:,} of {number_of(len(table), f'{part} row')} have a value of {name!r} "
            "that training rows have too, which makes the figures too optimistic."
        )


def values_in(table: Table, name: str, rows: Tensor) -> frozenset[str]:
    """Return the values of a column in some rows."""
    labels = class_labels(table.column(name))
    return frozenset(
        labels.dictionary.take(labels.indices.take(pa.array(rows.numpy())).unique()).to_pylist()
    )


def note_series(dated: Sequence[str], notes: list[str]) -> None:
    """Add a note if the rows of a table with dates were split at random.

    Args:
        dated: Names of the columns of dates.
        notes: Gains a line if there are any.
    """
    if dated:
        notes.append(
            "The rows are split at random. If they form a series in time, this makes the "
            "figures too optimistic, since a test row is predicted from rows just before and "
            "after it: set "
            f"split_by= to {dated[0]!r} to train on the earliest rows and test on the latest."
        )


def holds_dates(table: Table, name: str) -> bool:
    """Return whether a column holds dates, and not only times of a day."""
    dates = table_dates(table, name)
    return dates is not None and not dates.clock
