"""Metrics of a task's answers, computed from the outputs of its network."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from neuropil.training.metrics.base import Metric

if TYPE_CHECKING:
    from torch import Tensor

    from neuropil.runs.task import Task


def decoding_metric(task: Task[Any], metric: Metric, column: int | None = None) -> Metric:
    """Return a metric that decodes outputs and targets before it measures them.

    Args:
        task: The task that decodes outputs and restores labels from targets.
        metric: The metric of answers and labels.
        column: Index of the target column to measure; None for all of them.
    """
    made = Metric(
        functools.partial(gather_decoded, task, metric, column),
        metric.figure,
        greater_is_better=metric.greater_is_better,
        takes=task.takes,
        combine=metric.combine,
    )
    made.name = metric.name
    if column is not None:
        made.name = figure_of(metric.name, task.target.names[column])
    return made


def figure_of(metric: str, target: str) -> str:
    """Return the name of a figure of one target column, such as ``r2 of price``."""
    return f"{metric} of {target}"


def gather_decoded(
    task: Task[Any], metric: Metric, column: int | None, scores: Tensor, targets: Tensor
) -> Tensor:
    """Return the statistics of a metric over answers and labels."""
    answers, labels = task.decisions(task.decode(scores)), task.restore(targets)
    if column is not None:
        answers, labels = answers[:, column], labels[:, column]
    return metric.function(answers, labels)
