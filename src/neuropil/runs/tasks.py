"""The table of tasks, and the choice of a task by the data or the user.

Help texts need only the names, so this module is light and imports a task only when it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from neuropil.lazy import import_name

if TYPE_CHECKING:
    from torch import Tensor

    from neuropil.datasets import Target
    from neuropil.runs.task import Task


class Row(NamedTuple):
    """A row of the table of tasks.

    Attributes:
        labels: The kind of target that the task takes.
        where: Module and class, loaded when the task is used.
    """

    labels: str
    where: str


# Of the tasks that take the same labels, the first is the default.
TASKS = {
    "classification": Row("classes", "neuropil.runs.classification.Classification"),
    "regression": Row("numbers", "neuropil.runs.regression.Regression"),
    "detection": Row("boxes", "neuropil.vision.detection.task.Detection"),
    "localisation": Row("boxes", "neuropil.vision.localisation.task.Localisation"),
    "landmarks": Row("points", "neuropil.vision.landmarks.task.Landmarks"),
    "segmentation": Row("masks", "neuropil.vision.segmentation.task.Segmentation"),
}


def task_for(
    target: Target, asked: str | None = None, labels: Tensor | None = None
) -> Task[Any]:
    """Return the task with a name, or the default task for the labels.

    Args:
        target: The description of the labels.
        asked: Name of the task, if the user gave one.
        labels: The training labels; a classification counts its classes by them.

    Raises:
        ValueError: If the task is unknown, or for other labels.

    Example:
        >>> from neuropil import datasets
        >>> task_for(datasets.load_handwritten_digits().target).name
        'classification'
    """
    usual = default_task(target.kind)
    row = row_named(asked or usual)
    if row.labels != target.kind:
        raise ValueError(f"the labels are {target.kind}: that is {usual}, not {asked}.")
    task = import_name(row.where)(target)
    return task if labels is None else task.adapt_to_labels(labels)


def task_from(plain: Any, target: Target) -> Task[Any]:
    """Return the task that `Task.to_json` described.

    Args:
        plain: The description.
        target: The description of the labels.

    Raises:
        ValueError: If it is damaged, or for other labels.
    """
    match plain:
        case {"name": str(name), **options} if name in TASKS:
            row = TASKS[name]
        case _:
            raise ValueError(f"{plain!r:.80} is not one of the tasks {', '.join(TASKS)}.")
    if row.labels != target.kind:
        raise ValueError(f"{name} is not for labels that are {target.kind}.")
    try:
        return import_name(row.where)(target, **options)
    except TypeError as error:
        raise ValueError(f"{plain!r:.80} is damaged: {error}.") from None


def usual_task(asked: str | None) -> str | None:
    """Return the default task for the labels of a task, as `datasets.open` takes it.

    Args:
        asked: Name of the task, or None.

    Raises:
        ValueError: If the task is unknown.
    """
    return asked and default_task(row_named(asked).labels)


def row_named(name: str) -> Row:
    """Return the row of a task; case and underscores do not matter.

    Raises:
        ValueError: If there is none; the message suggests the nearest name.
    """
    from neuropil.core.name_lookup import look_up

    return look_up(name, TASKS, "task")


def default_task(labels: str) -> str:
    """Return the name of the default task for a kind of labels."""
    return next(name for name, row in TASKS.items() if row.labels == labels)
