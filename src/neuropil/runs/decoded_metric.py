"""Metrics of a task's answers, computed from the outputs of its network."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from neuropil.training.metrics.base import Metric

if TYPE_CHECKING:
    from torch import Tensor

    from neuropil.runs.task import Task


def decoding_metric(task: Task[Any], metric: Metric) -> Metric:
    """Return a metric that decodes outputs and targets before it measures them.

    Args:
        task: The task that decodes outputs and restores labels from targets.
        metric: The metric of answers and labels.
    """
    made = Metric(
        functools.partial(gather_decoded, task, metric),
        metric.figure,
        greater_is_better=metric.greater_is_better,
        takes=task.takes,
        combine=metric.combine,
    )
    made.name = metric.name
    return made


def gather_decoded(task: Task[Any], metric: Metric, scores: Tensor, targets: Tensor) -> Tensor:
    """Return the statistics of a metric over answers and labels."""
    return metric.function(task.decode(scores), task.restore(targets))
