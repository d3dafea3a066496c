"""Targets in arrays: classes or numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from neuropil.datasets.arrays.array_preparation import check_finite
from neuropil.datasets.data_errors import DataError
from neuropil.datasets.paths import compose_accents
from neuropil.datasets.tables.cells import MAX_CLASSES

Values = np.ndarray[Any, Any]


def choose_task(
    values: Values, names: list[str] | None, task: str | None, notes: list[str]
) -> str:
    """Return ``"classification"`` or ``"regression"``, and add a note with the reason.

    Args:
        values: ``(N)`` or ``(N, k)``.
        names: Names of the classes, if the file has them.
        task: The task that the caller asked for, or None.
        notes: Gains a line.

    Raises:
        DataError: If the targets do not suit the task.
    """
    kind, few = judge(values)
    chosen = task or ("classification" if few or names else "regression")
    if chosen == "regression" and kind == "words":
        raise DataError("the targets are words, which need classification, not regression.")
    if chosen == "classification" and kind == "columns":
        raise DataError(
            f"the targets have shape {values.shape}: classes need one label for each example, "
            "or one-hot rows."
        )
    if task is None:
        notes.append(f"The targets are {kind}: {chosen}; set task= to override.")
    return chosen


def judge(values: Values) -> tuple[str, bool]:
    """Return a description of the targets, and whether they look like classes."""
    if values.ndim == 2:
        return ("one-hot rows", True) if is_one_hot(values) else ("columns", False)
    if values.dtype.kind in "USb":
        return "words", True
    distinct = np.unique(values)
    count = len(distinct)
    if not (distinct == np.round(distinct)).all():
        return f"{count:,} distinct numbers", False
    # Numbers 0, 1, 2 … without a gap are labels, whatever their number.
    numbered = 2 * count <= len(values) and np.array_equal(distinct, np.arange(count))
    return f"{count:,} distinct integers", count <= MAX_CLASSES or numbered


def is_one_hot(values: Values) -> bool:
    """Return whether every row is a single 1 among zeros."""
    return values.shape[1] > 1 and bool(
        np.isin(values, (0, 1)).all() and (values.sum(axis=1) == 1).all()
    )


def class_labels(values: Values, names: list[str] | None, where: str) -> list[str]:
    """Return the class name of each example.

    Args:
        values: Words, numbers or one-hot rows.
        names: Names of the classes by number, if the file has them.
        where: Name of the array, for the error.

    Raises:
        DataError: If a class number has no name.
    """
    if values.ndim == 2:
        values = values.argmax(axis=1)
    if values.dtype.kind in "USb":
        return [as_word(value) for value in values.tolist()]
    if names is None:
        return list(map(number_word, values))
    outside = np.flatnonzero(
        (values < 0) | (values >= len(names)) | (values != np.round(values))
    )
    if len(outside):
        raise DataError(
            f"{where}: row {outside[0]} has the class number {values[outside[0]]}, but only "
            f"{len(names)} classes have names (0 to {len(names) - 1})."
        )
    return [names[int(value)] for value in values.tolist()]


def as_word(value: Any) -> str:
    """Return a label as text in composed Unicode form."""
    if isinstance(value, bytes):
        try:
            value = value.decode()
        except UnicodeDecodeError:
            value = value.decode("latin-1")  # maps every byte to a different letter
    return compose_accents(str(value))


def number_word(value: Any) -> str:
    """Return the shortest text of a number; 1.0 and 1 give the same text.

    Args:
        value: A NumPy scalar; its type decides the number of digits.
    """
    return str(int(value)) if value == int(value) else str(value)


def plain_numbers(values: Values, names: list[str] | None, where: str) -> Values:  # noqa: ARG001 - as `class_labels`
    """Return targets of regression in double precision.

    Args:
        values: ``(N)`` or ``(N, k)``.
        names: Unused.
        where: Name of the array, for the error.

    Raises:
        DataError: If they are words.
    """
    if values.dtype.kind not in "buif":
        raise DataError(f"{where}: the targets must be numbers, got {values.dtype}.")
    return values.astype(np.float64)


# Readers of the labels in an array, by kind of target.
LABELS = {"classes": class_labels, "numbers": plain_numbers}


def plain_targets(values: Values, where: str) -> Values:
    """Return targets as ``(N)`` or ``(N, k)``, all finite.

    Args:
        values: The array as it was read.
        where: Its name, for the error.

    Raises:
        DataError: If it has more axes, or holds NaN or infinity.
    """
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim not in (1, 2) or 0 in values.shape:
        raise DataError(f"{where} must have shape (N) or (N, k), got {values.shape}.")
    check_finite(values, where)
    return values
