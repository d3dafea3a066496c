"""The tasks by name, and which one is asked of a network by the data or the user.

Help texts need the names alone: this module is light, and a task is imported when asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuropil.datasets import Target
    from neuropil.runs.task import Task


class Row(NamedTuple):
    """A task that there is.

    Attributes:
        labels: The kind of target that it takes.
        where: Module and class, loaded when the task is asked for.
    """

    labels: str
    where: str


# Of those that take the same labels, the first is the one that the data ask for by themselves.
TASKS = {
    "classification": Row("classes", "neuropil.runs.classification.Classification"),
    "regression": Row("numbers", "neuropil.runs.regression.Regression"),
}


def task_for(target: Target, asked: str | None = None) -> Task[Any]:
    """Return the task that was asked for, or that the labels ask for by themselves.

    Args:
        target: What the labels are.
        asked: Its name, if the user gave one.

    Raises:
        ValueError: When there is no such task, or it is for other labels.

    Example:
        >>> from neuropil import datasets
        >>> task_for(datasets.load_handwritten_digits().target).name
        'classification'
    """
    usual = first_of(target.kind)
    row = row_named(asked or usual)
    if row.labels != target.kind:
        raise ValueError(f"the labels are {target.kind}: that is {usual}, not {asked}.")
    return loaded(row)(target)


def task_from(plain: Any, target: Target) -> Task[Any]:
    """Return the task that `Task.to_json` described.

    Args:
        plain: What it gave.
        target: What the labels are.

    Raises:
        ValueError: When it is damaged, or for other labels.
    """
    match plain:
        case {"name": str(name), **options} if name in TASKS:
            row = TASKS[name]
        case _:
            raise ValueError(f"{plain!r:.80} is none of the tasks {', '.join(TASKS)}.")
    try:
        made = loaded(row)(target, **options)
    except TypeError as error:
        raise ValueError(f"{plain!r:.80} is damaged: {error}.") from None
    if row.labels != target.kind:
        raise ValueError(f"{name} is not for labels that are {target.kind}.")
    return made


def usual_task(asked: str | None) -> str | None:
    """Return the first task with the labels of another: how `datasets.open` reads them.

    Args:
        asked: The other's name, or None.

    Raises:
        ValueError: When there is no such task.
    """
    return asked and first_of(row_named(asked).labels)


def row_named(name: str) -> Row:
    """Return the row of a task; case and underscores do not matter.

    Raises:
        ValueError: When there is none; the nearest name is suggested.
    """
    from neuropil.core.name_lookup import look_up

    return look_up(name, TASKS, "task")


def first_of(labels: str) -> str:
    """Return the first task that takes labels of a kind."""
    return next(name for name, row in TASKS.items() if row.labels == labels)


def loaded(row: Row) -> Callable[..., Task[Any]]:
    """Return the class of a task, which takes the target and its own arguments."""
    module, _, name = row.where.rpartition(".")
    return getattr(import_module(module), name)
