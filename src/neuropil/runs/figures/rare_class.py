"""The rare class of two: its metrics and its result in words."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any

import torch

from neuropil.runs.figures.decoded_metric import figure_of
from neuropil.training.metrics.base import Metric
from neuropil.training.metrics.ranking_metrics import average_precision, roc_auc
from neuropil.training.metrics.statistics import add_up

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    from neuropil.runs.task import Figures, Task

# A class with a smaller share of the training examples is rare: a constant answer that leaves
# it out is right in nine of ten cases.
RARE = 0.1


def rare_class(labels: Tensor, classes: Sequence[str]) -> str | None:
    """Return the class of two with less than a tenth of the examples, if there is one.

    Args:
        labels: Class numbers.
        classes: The names of the classes.

    Example:
        >>> import torch
        >>> rare_class(torch.tensor([1] + 19 * [0]), ["no", "yes"])
        'yes'
    """
    counts = torch.bincount(labels.flatten().cpu(), minlength=len(classes))
    fewest = int(counts.argmin())
    return (
        classes[fewest] if len(classes) == 2 and counts[fewest] < RARE * len(labels) else None
    )


def ranking_metrics(task: Task[Any], sought: int) -> tuple[Metric, ...]:
    """Return average precision and the area under the ROC curve, by the probability of a class.

    Args:
        task: A task whose answers are probabilities.
        sought: The number of the class.
    """
    return tuple(
        task_metric(
            task,
            metric.name,
            functools.partial(gather_ranks, task, sought, metric),
            metric.figure,
            combine=torch.cat,
        )
        for metric in (average_precision, roc_auc)
    )


def gather_ranks(
    task: Task[Any], sought: int, metric: Metric, outputs: Tensor, targets: Tensor
) -> Tensor:
    """Return a row per example: the probability of the sought class, and whether it is that."""
    members = task.restore(targets) == sought
    return metric.function(task.decode(outputs)[:, sought], members.long())


def positive_metrics(task: Task[Any], sought: int) -> tuple[Metric, ...]:
    """Return F1, precision and recall of a class.

    Args:
        task: A task whose decisions are scores of classes.
        sought: The number of the class.
    """
    gather = functools.partial(gather_hits, task, sought)
    name = task.target.classes[sought]
    own = {"f1": f1, "precision": precision, "recall": recall}
    return tuple(
        task_metric(task, figure_of(metric, name), gather, compute)
        for metric, compute in own.items()
    )


def gather_hits(task: Task[Any], sought: int, outputs: Tensor, targets: Tensor) -> Tensor:
    """Return the numbers of hits, of predictions and of examples of the class, and of all."""
    predicted = task.decisions(task.decode(outputs)).argmax(1) == sought
    members = task.restore(targets) == sought
    counts = [predicted & members, predicted, members, torch.ones_like(members)]
    return torch.stack(counts).sum(dim=1).double()


def task_metric(
    task: Task[Any],
    name: str,
    gather: Callable[..., Tensor],
    compute: Callable[[Tensor], float],
    combine: Callable[[list[Tensor]], Tensor] = add_up,
) -> Metric:
    """Return a metric that takes the outputs and targets of a task."""
    made = Metric(gather, compute, greater_is_better=True, takes=task.takes, combine=combine)
    made.name = name
    return made


def f1(counts: Tensor) -> float:
    """Return 2 · hits / (predictions + examples of the class)."""
    hits, predicted, members = known(counts)
    return 2 * hits / (predicted + members) if predicted + members else math.nan


def precision(counts: Tensor) -> float:
    """Return the share of the predictions that are right; NaN without predictions."""
    hits, predicted, _ = known(counts)
    return hits / predicted if predicted else math.nan


def recall(counts: Tensor) -> float:
    """Return the share of the examples of the class that are found; NaN without any."""
    hits, _, members = known(counts)
    return hits / members if members else math.nan


def known(counts: Tensor) -> tuple[float, float, float]:
    """Return the numbers of hits, of predictions and of examples of the class.

    Raises:
        ZeroDivisionError: If the number of examples is 0.
    """
    hits, predicted, members, count = counts.tolist()
    if not count:
        raise ZeroDivisionError
    return hits, predicted, members


def positive_verdict(
    name: str, threshold: float | None, figures: Figures, examples: str
) -> str:
    """Return how well the positive class is found, as a sentence.

    Args:
        name: The class.
        threshold: Its threshold, if one was chosen.
        figures: The metrics on some examples.
        examples: A description of the examples.
    """
    found, right = (figures[figure_of(each, name)] for each in ("recall", "precision"))
    area = figures["average_precision"]
    if found is None:
        return f"none of the {examples} is {name!r}, the rare class"
    at = "" if threshold is None else f" at the threshold {threshold:.3g}"
    sure = f", {right:.1%} of those predicted are right" if right is not None else ""
    rank = "" if area is None else f"; average precision {area:.3f}"
    return f"{found:.1%} of {name!r} found among the {examples}{sure}{at}{rank}"
