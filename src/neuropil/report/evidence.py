"""The predictions of a network on held-out examples, and metrics with their intervals."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, final

import numpy as np
import torch

from neuropil.runs.figures.confidence_interval import bootstrap_interval
from neuropil.runs.figures.decoded_metric import figure_of
from neuropil.runs.measure import answers_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import Tensor

    from neuropil.datasets import Splits
    from neuropil.datasets.source import Source
    from neuropil.runs.measure import ScoringPredictor
    from neuropil.runs.task import Task

    Values = Mapping[str, float]

Array = np.ndarray[Any, Any]
# The adjective for each part of the data.
WORDS = {"test": "held-out", "validation": "validation", "train": "training"}


@final
@dataclass(frozen=True, eq=False)
class Evidence:
    """The examples on which a network is evaluated, with its predictions.

    Args:
        part: The part that they come from: ``"test"``, else ``"validation"``, else ``"train"``.
        data: The examples.
        answers: The predictions: probabilities ``(N, K)``, or numbers ``(N, k)`` in the units
            of the targets; of other tasks ``(N, …)`` as `Task.decode` returns them.
        targets: Class numbers ``(N)``, or true values ``(N, k)``; of other tasks ``(N, …)``.
        task: The task of the network.
    """

    part: str
    data: Source
    answers: Array
    targets: Array
    task: Task[Any]

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names; empty for a task without classes."""
        return getattr(self.task.target, "classes", ())

    @property
    def labels(self) -> list[str] | None:
        """The name of the true class of each example; None if it has not one class."""
        one_each = self.classes and self.targets.ndim == 1
        return [self.classes[number] for number in self.targets] if one_each else None

    @property
    def mistakes(self) -> list[int]:
        """The indices of the examples that are predicted wrong, worst first."""
        answers, targets = torch.from_numpy(self.answers), torch.from_numpy(self.targets)
        return [mistake.example for mistake in self.task.mistakes(answers, targets)]

    @property
    def predicted(self) -> Array:
        """The number of the predicted class of each example."""
        return self.task.decisions(torch.from_numpy(self.answers)).argmax(1).numpy()

    @property
    def right(self) -> Array:
        """Whether each example is classified correctly."""
        return self.predicted == self.targets

    @property
    def confusion(self) -> Array:
        """The confusion matrix: counts by true class (rows) and predicted class (columns)."""
        count = self.answers.shape[1]
        cells = np.bincount(self.targets * count + self.predicted, minlength=count * count)
        return cells.reshape(count, count)


def gather_evidence(network: ScoringPredictor, splits: Splits, task: Task[Any]) -> Evidence:
    """Return the predictions of a network on the most independent part of the data.

    Args:
        network: The trained network; it takes raw inputs.
        splits: The data.
        task: The task of the network.

    Raises:
        ValueError: If the examples have no targets, or the network does not fit them.
    """
    parts = {"test": splits.test, "validation": splits.validation, "train": splits.train}
    part, data = next(
        (name, data) for name, data in parts.items() if data is not None and len(data)
    )
    if data.targets is None:
        raise ValueError(f"report: the {WORDS[part]} examples have no targets to compare with.")
    answers = answers_of(network, data, task)
    # Numbers of classes, of which masks have one per pixel, stay what they are.
    answers = answers.double() if answers.is_floating_point() else answers
    rows = answers.reshape(len(answers), -1)
    if answers.ndim <= 2:
        check_answers(rows, data, task)
        answers = rows
    if bad := int((~rows.isfinite().all(dim=1)).sum()):
        raise ValueError(
            f"report: the network gives NaN or infinity for {bad} of {len(data)} examples."
        )
    targets = data.targets.cpu()
    truth = targets.double() if targets.is_floating_point() else targets
    if targets.is_floating_point() and targets.ndim == 1:
        truth = truth[:, None]
    return Evidence(part, data, answers.numpy(), truth.numpy(), task)


def check_answers(rows: Tensor, data: Source, task: Task[Any]) -> None:
    """Check that there is a row of answers per example, with a number per output.

    Raises:
        ValueError: If there is not.
    """
    if len(rows) != len(data) or rows.shape[1] != task.target.outputs:
        raise ValueError(
            f"report: the network gives {rows.shape[1]} numbers per example, the data have "
            f"{task.target.outputs}."
        )


class Figure(NamedTuple):
    """A measured figure with its 95 % confidence interval.

    Args:
        value: The measured value.
        low: Lower end of the interval.
        high: Upper end of the interval.
    """

    value: float
    low: float
    high: float


def regression_figures(evidence: Evidence, values: Values) -> dict[str, Figure]:
    """Return R² and the mean errors with bootstrap intervals.

    R² is the mean over the outputs. If these are columns of a table, R² and the mean absolute
    error of each are given too, and no error of all of them, since they have no common unit.
    """
    error, true = evidence.answers - evidence.targets, evidence.targets
    k = true.shape[1]
    # All three are functions of the column means of e², |e|, y and y². Centring y first avoids
    # cancellation in E[y²] − E[y]².
    centred = true - true.mean(axis=0)
    rows = np.concatenate([error**2, np.abs(error), centred, centred**2], axis=1)

    def r2(means: Array) -> Array:
        variance = means[:, 3 * k :] - means[:, 2 * k : 3 * k] ** 2
        variance = np.where(variance > 0, variance, np.inf)
        return 1 - means[:, :k] / variance

    def errors(means: Array) -> Array:
        return means[:, k : 2 * k]

    statistics: dict[str, Callable[[Array], Array]] = {
        "r2": lambda means: r2(means).mean(axis=1)
    }
    for column, name in enumerate(evidence.task.target.columns):
        for metric, each in (("r2", r2), ("mean_absolute_error", errors)):
            statistics[figure_of(metric, name)] = partial(column_of, each, column)
    if len(statistics) == 1:
        statistics["root_mean_squared_error"] = lambda m: np.sqrt(m[:, :k].mean(axis=1))
        statistics["mean_absolute_error"] = lambda means: errors(means).mean(axis=1)
    return {
        name: Figure(values[name], *bootstrap_interval(statistic, rows))
        for name, statistic in statistics.items()
    }


def column_of(statistic: Callable[[Array], Array], column: int, means: Array) -> Array:
    """Return a statistic of one output."""
    return statistic(means)[:, column]
