"""Outcomes that a study compares: a metric on the test part, the loss, the time, the steps."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np
import torch

from neuropil.datasets.loading import fetch_all
from neuropil.runs.measure import outputs_of
from neuropil.text import nearest
from neuropil.training.metrics.base import Metric
from neuropil.training.metrics.metrics import SHORT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from neuropil.core import Network
    from neuropil.datasets import Splits
    from neuropil.datasets.source import Source
    from neuropil.runs.task import Task
    from neuropil.training import History
    from neuropil.training.metrics.base import Statistics

    Floats = NDArray[np.float64]

LOSS, SECONDS, STEPS = "log_loss", "seconds", "steps_to"
POINTS = "points"
# The largest number of groups of test examples. The variance of a figure over examples is then
# known to a tenth of itself.
MOST_GROUPS = 200


@final
@dataclass(frozen=True)
class Outcome:
    """The outcome of trainings that a study compares.

    Args:
        name: The name of a metric of the task; ``"log_loss"`` for its loss; ``"seconds"`` of
            training; or ``"steps_to:0.95"``, the steps until the headline metric of the task
            reaches this value on the validation part.
        greater_is_better: Whether greater values are better.
        unit: ``"points"`` for metrics of which greater is better, which are told in percent;
            ``"seconds"``, ``"steps"``, or empty.
        target: The value that ``steps_to`` waits for.
    """

    name: str
    greater_is_better: bool
    unit: str = ""
    target: float | None = None

    @classmethod
    def named(cls, name: str | None, task: Task[Any]) -> Outcome:
        """Return an outcome by its name; None is the headline metric of the task.

        Raises:
            ValueError: If it is unknown for this task.
        """
        metrics = {metric.name: metric for metric in task.metrics()}
        name = task.metrics()[0].name if name is None else name
        if name == LOSS:
            return cls(LOSS, greater_is_better=False)
        if name == SECONDS:
            return cls(SECONDS, greater_is_better=False, unit="seconds")
        kind, _, value = name.partition(":")
        if kind == STEPS:
            return cls(name, greater_is_better=False, unit="steps", target=target_of(value))
        if name not in metrics:
            own = {each.short: each for each in metrics.values() if each.short}
            short = (SHORT | own).get(name)
            name = name if short is None else short.name
        if name not in metrics:
            known = [*metrics, LOSS, SECONDS, f"{STEPS}:0.95"]
            raise ValueError(
                f"the outcome {name!r} is unknown for {task.name}.{nearest(name, known)} Use "
                f"one of: {', '.join(known)}."
            )
        better = metrics[name].greater_is_better
        return cls(name, better, POINTS if better else "")

    @property
    def factor(self) -> int:
        """The factor from the figure to its unit: 100 for points."""
        return 100 if self.unit == POINTS else 1

    @property
    def sign(self) -> int:
        """1 if greater values are better, else −1: values times this are better if greater."""
        return 1 if self.greater_is_better else -1

    @property
    def needs_test(self) -> bool:
        """Whether it is measured on the test examples."""
        return self.target is None and self.name != SECONDS

    def values(
        self, network: Network, task: Task[Any], splits: Splits, history: History
    ) -> Floats:
        """Return the outcome of a training, as one value for each group of test examples.

        The mean of the values is the figure itself, in the unit. Times and steps have one.

        Args:
            network: The trained network.
            task: The task, with what validation decides.
            splits: The data.
            history: The figures of the epochs.
        """
        if self.name == SECONDS:
            return np.array([sum(record["seconds"] for record in history)])
        if self.target is not None:
            return np.array([float(steps_to(self.target, history, task))])
        metric = Metric.of_function(task.loss) if self.name == LOSS else None
        metric = metric or next(each for each in task.metrics() if each.name == self.name)
        test: Any = splits.test
        return self.factor * pseudo_values(
            metric, group_statistics(metric, network, test, task)
        )


def target_of(text: str) -> float:
    """Return the number after ``steps_to:``.

    Raises:
        ValueError: If it is not a finite number.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"{STEPS} needs a number, as in {STEPS}:0.95, got {text!r}.")
    return value


def steps_to(target: float, history: History, task: Task[Any]) -> int:
    """Return the steps after which the headline metric reaches a value on validation.

    A training that does not reach it counts as one that would in one more epoch.
    """
    metric = task.metrics()[0]
    before = 0
    for record in history:
        value = record.get(f"validation_{metric.name}")
        if value is not None and (
            value >= target if metric.greater_is_better else value <= target
        ):
            return record["steps"]
        before = max(before, record["steps"] // record["epoch"])
    return history[-1]["steps"] + before


def group_statistics(
    metric: Metric, network: Network, test: Source, task: Task[Any]
) -> list[Statistics]:
    """Return the statistics of a metric for each group of examples, which are interleaved."""
    groups = min(len(test), MOST_GROUPS)
    gathered: list[list[Statistics]] = [[] for _ in range(groups)]
    for places, batch in fetch_all(test):
        outputs = outputs_of(network, batch, task)
        own: Any = test.targets[places] if batch.targets is None else batch.targets  # pyright: ignore[reportOptionalSubscript]
        targets = task.loss.prepare(task.encode(own.cpu()), outputs[:2])
        group = torch.tensor(places) % groups
        for each in group.unique().tolist():
            rows = (group == each).nonzero().flatten()
            gathered[each].append(metric.gather(outputs[rows], targets[rows]))
    return [metric.merge(parts) for parts in gathered]


def pseudo_values(metric: Metric, parts: list[Statistics]) -> Floats:
    """Return a value of a metric for each group of examples.

    They are the jackknife's, ``T + (G − 1) (T − T₋ᵍ)`` with T₋ᵍ the figure without group g,
    moved so that their mean is T. Of a mean over examples they are the means of the groups.

    Args:
        metric: The metric.
        parts: The statistics of each of G groups.

    Reference:
        Tukey, "Bias and confidence in not-quite large samples", 1958.
    """
    figure = metric.compute(metric.merge(parts))
    if len(parts) == 1:
        return np.array([figure])
    without = [metric.compute(rest) for rest in leave_one_out(metric, parts)]
    # Without some groups there may be nothing to measure, such as a class without examples.
    left = np.nan_to_num(np.array(without), nan=figure)
    change = (len(parts) - 1) * (figure - left)
    return figure + change - change.mean()


def leave_one_out(
    metric: Metric, parts: Sequence[Statistics], others: Sequence[Statistics] = ()
) -> Iterator[Statistics]:
    """Yield the statistics of all parts but one, for each of them in turn.

    Halves are merged once for all parts of the other half: of G parts G log G are merged, and
    not G², at any time those of log G halves.

    Args:
        metric: The metric.
        parts: The parts that are left out, one at a time.
        others: Parts that are never left out.
    """
    if len(parts) == 1:
        yield metric.merge(others)
        return
    middle = len(parts) // 2
    yield from leave_one_out(metric, parts[:middle], [metric.merge([*others, *parts[middle:]])])
    yield from leave_one_out(metric, parts[middle:], [metric.merge([*others, *parts[:middle]])])
