"""The target columns of a table: whether they hold classes or numbers."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from neuropil.datasets.data_errors import DataError
from neuropil.datasets.tables.cells import (
    EXACT,
    MAX_CLASSES,
    class_label,
    class_labels,
    missing_cells,
)
from neuropil.datasets.tables.columns.table_dates import table_dates
from neuropil.datasets.tables.number_columns import check_decided
from neuropil.datasets.tables.table_fitting import note_written
from neuropil.datasets.tables.typed_columns import is_text
from neuropil.text import number_of, some_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from neuropil.datasets.tables.number_text import Numbers
    from neuropil.datasets.tables.table import Table
    from neuropil.datasets.tables.typed_columns import Column

PADDED = r"^[+-]?0\d"
EXPONENT = re.compile(r"\d[eE][+-]?\d")


def drop_unknown_targets(table: Table, names: Iterable[str], notes: list[str]) -> Table:
    """Return the rows whose targets are not missing, with a note about the others.

    Args:
        table: The table.
        names: Names of the target columns.
        notes: Gains a line for each column because of which rows are set aside.

    Raises:
        DataError: If all targets are missing.
    """
    for name in names:
        table = drop_unknown_target(table, name, notes)
    return table


def drop_unknown_target(table: Table, name: str, notes: list[str]) -> Table:
    """Return the rows whose cell in the target column is not missing.

    Raises:
        DataError: If all are missing.
    """
    cells = table.column(name)
    missing = missing_cells(cells, numbers=True)
    if not pc.any(missing).as_py():
        return table
    numeric = not is_text(cells) or are_numbers(cells.filter(pc.invert(missing)))
    known = ~(missing if numeric else missing_cells(cells)).to_numpy(zero_copy_only=False)
    if known.all():
        return table
    if not known.any():
        raise DataError(f"{table.source}: the target column {name!r} is empty.")
    first = table.rows[int(np.flatnonzero(~known)[0])]
    words = pc.unique(table.text(name).filter(pa.array(~known))).to_pylist()
    words = [word for word in words if word]
    lost = number_of(int((~known).sum()), "row")
    line = f"{lost} without a target set aside (first row {first})"
    if words and not numeric:
        shown = some_of(map(repr, words))
        line += (
            f": {shown} means a missing value; if it is a class, write another word for it, "
            f"such as {f'({words[0]})'!r}"
        )
    notes.append(f"{line}.")
    return table.where(known)


def are_numbers(cells: pa.StringArray) -> bool:
    """Return whether there are cells and all of them are plain numbers."""
    try:
        return len(pc.cast(cells, pa.float64())) > 0
    except pa.ArrowInvalid:
        return False


def read_outcomes(
    table: Table, names: tuple[str, ...], task: str | None, notes: list[str]
) -> pa.DictionaryArray | np.ndarray[Any, Any]:
    """Return one target column like `read_outcome`, or several as numbers ``(N, k)``.

    Args:
        table: The rows whose targets are known.
        names: Names of the target columns.
        task: The task that the user asked for, or None.
        notes: Gains lines.

    Raises:
        DataError: If several columns are not all numbers, or a column does not suit the task.
    """
    if len(names) == 1:
        return read_outcome(table, names[0], task, notes)
    every = some_of(map(repr, names), 8)
    found = [table.numbers(name) for name in names]
    words = [name for name, numbers in zip(names, found, strict=True) if numbers is None]
    judged = [judge(table.column(name), table.numbers(name))[2] for name in names]
    if task == "classification" or words or (task is None and all(judged)):
        which = words or names
        raise DataError(
            f"Several targets must be numbers, but {some_of(map(repr, which), 8)} "
            f"hold{'s' * (len(which) == 1)} classes, and a network predicts one column of "
            f"classes: name a single target{'' if words else ', or set task= to regression'}."
        )
    notes.append(f"Targets {every}: regression of {len(names)} numbers.")
    columns = [read_outcome(table, name, "regression", notes) for name in names]
    for name, values in zip(names, columns, strict=True):
        if np.ptp(values) == 0:
            notes.append(
                f"Target {name!r} has the same value, {values[0]:g}, in all rows: there is "
                "nothing to learn from it, and its R² counts as 0."
            )
    return np.stack(columns, axis=1)


def read_outcome(
    table: Table, name: str, task: str | None, notes: list[str]
) -> pa.DictionaryArray | np.ndarray[Any, Any]:
    """Return the target column as class names or as numbers, with a note about the reason.

    Args:
        table: The rows whose target is known.
        name: Name of the target column.
        task: The task that the user asked for, or None.
        notes: Gains a line.

    Raises:
        DataError: If the column does not suit the task.
    """
    cells, where = table.column(name), f"{table.source}, column {name!r}"
    numbers = table.numbers(name)
    if numbers is None and task is None and table_dates(table, name) is not None:
        raise DataError(
            f"{where} holds dates or times, such as {table.text(name)[0].as_py()!r}, which "
            "cannot be predicted: name the target column with target=."
        )
    kind, distinct, few = judge(cells, numbers)
    chosen = task or ("classification" if few else "regression")
    if task is None:
        notes.append(
            f"Target {name!r} holds {distinct:,} distinct {kind}: {chosen}; set task= to "
            "override."
        )
    if chosen == "regression":
        if numbers is None:
            raise DataError(
                f"{where} holds words such as {cells[0].as_py()!r}, which need classification."
            )
        if numbers.written is not None:
            if table.delimiter != "," and table.decimal is None:
                check_decided(cells, table.rows, where)
            note_written({name: numbers.written}, notes)
        return numbers.values.copy()
    if distinct > max(MAX_CLASSES, len(cells) / 2):
        raise DataError(
            f"{where} has {distinct:,} distinct values in {len(cells):,} rows, too many for "
            "classes: name the target column with target=."
        )
    labels = class_labels(cells)
    note_lookalikes(labels, notes)
    note_merged(table.text(name), notes)
    return labels


def judge(cells: Column, numbers: Numbers | None) -> tuple[str, int, bool]:
    """Return the kind of values, the number of distinct ones, and whether they are classes."""
    if numbers is None:
        return "words", pc.count_distinct(cells).as_py(), True
    values = numbers.values
    distinct = len(np.unique(values))
    if not bool((values == np.round(values)).all()):
        return "numbers", distinct, False
    padded = is_text(cells) and pc.any(pc.match_substring_regex(cells, PADDED)).as_py()
    long = bool(np.abs(values).max() >= EXACT)
    if padded or long:
        distinct = len(class_labels(cells).dictionary)
    # Numbers with leading zeros, and long numbers that repeat, are codes, not quantities.
    codes = (padded or long) and distinct <= len(cells) / 2
    return "integers", distinct, distinct <= MAX_CLASSES or codes


def note_merged(cells: pa.StringArray, notes: list[str]) -> None:
    """Add a note about a class that is written with an exponent in some rows, as 1e5."""
    written = pc.unique(cells).to_pylist()
    forms: dict[str, list[str]] = {}
    for cell in written:
        forms.setdefault(class_label(cell), []).append(cell)
    merged = [
        f"{some_of(map(repr, own))} are {label!r}"
        for label, own in forms.items()
        if len(own) > 1 and any(map(EXPONENT.search, own))
    ]
    if merged:
        notes.append(
            f"Classes that are the same number: {some_of(merged)}. If they are codes, begin "
            "each with a letter."
        )


def note_lookalikes(labels: pa.DictionaryArray, notes: list[str]) -> None:
    """Add a note about classes that look the same but differ in Unicode form."""
    names = labels.dictionary.to_pylist()
    forms: dict[str, list[str]] = {}
    for name in names:
        forms.setdefault(unicodedata.normalize("NFC", name), []).append(name)
    alike = [form for form, own in forms.items() if len(own) > 1]
    if alike:
        notes.append(
            f"Classes that look the same but differ in Unicode form (composed and decomposed "
            f"accents): {some_of(map(repr, alike))}."
        )
