"""The labels of examples, in the form that a loss takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neuropil.datasets.relabelling import with_targets

if TYPE_CHECKING:
    from torch import Tensor

    from neuropil.datasets.source import Source
    from neuropil.runs.task import Task


def with_encoded_labels(data: Source, task: Task[Any]) -> Source:
    """Return the examples with their labels as the loss of a task takes them.

    Raises:
        ValueError: If they have none.
    """
    return with_targets(data, task.encode(labels_of(data)))


def labels_of(data: Source) -> Tensor:
    """Return the labels of training examples.

    Raises:
        ValueError: If they have none.
    """
    if data.targets is None:
        raise ValueError("the training data has no targets.")
    return data.targets
