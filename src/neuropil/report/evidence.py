"""The answers of a network to held-out examples, and figures with their intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np
import torch

from neuropil.runs.confidence_interval import bootstrap_interval, wilson_interval
from neuropil.runs.measure import answers_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from neuropil.datasets import Dataset, Splits
    from neuropil.runs.measure import Answering
    from neuropil.runs.task import Task

    Values = Mapping[str, float]

Array = np.ndarray[Any, Any]
# A part by its name in a run, in words.
WORDS = {"test": "held-out", "validation": "validation", "train": "training"}


@final
@dataclass(frozen=True)
class Evidence:
    """The examples on which a network is judged, and what it says of each.

    Args:
        part: Where they come from: ``"test"``, else ``"validation"``, else ``"train"``.
        data: The examples.
        answers: The task's answers: probabilities ``(N, K)``, or numbers ``(N, k)`` in their
            own units.
        targets: Class numbers ``(N)``, or true values ``(N, k)``.
        task: What is asked of the network.
    """

    part: str
    data: Dataset
    answers: Array
    targets: Array
    task: Task[Any]

    @property
    def classes(self) -> tuple[str, ...]:
        """Name of each class; none where labels are no classes."""
        return getattr(self.task.target, "classes", ())

    @property
    def labels(self) -> list[str] | None:
        """The true class of each example, by name."""
        return [self.classes[number] for number in self.targets] if self.classes else None

    @property
    def mistakes(self) -> list[int]:
        """The numbers of the examples that are answered wrong, the worst first."""
        answers, targets = torch.from_numpy(self.answers), torch.from_numpy(self.targets)
        return [mistake.example for mistake in self.task.mistakes(answers, targets)]

    @property
    def predicted(self) -> Array:
        """The class number of the highest probability."""
        return self.answers.argmax(axis=1)

    @property
    def right(self) -> Array:
        """Whether each example is classified right."""
        return self.predicted == self.targets

    @property
    def confusion(self) -> Array:
        """The counts of each true class (row) taken for each class (column)."""
        count = self.answers.shape[1]
        cells = np.bincount(self.targets * count + self.predicted, minlength=count * count)
        return cells.reshape(count, count)


def gather_evidence(network: Answering, splits: Splits, task: Task[Any]) -> Evidence:
    """Return the answers of a network to the most independent examples that there are.

    Args:
        network: The trained network; it takes raw inputs.
        splits: The data.
        task: What is asked of the network.

    Raises:
        ValueError: When the examples have no targets, or the network does not fit them.
    """
    parts = {"test": splits.test, "validation": splits.validation, "train": splits.train}
    part, data = next(
        (name, data) for name, data in parts.items() if data is not None and len(data)
    )
    if data.targets is None:
        raise ValueError(f"report: the {WORDS[part]} examples have no targets to compare with.")
    answers = answers_of(network, data.inputs, task).double()
    rows = answers.reshape(len(answers), -1)
    if len(answers) != len(data) or rows.shape[1] != task.target.outputs:
        raise ValueError(
            f"report: the network gives {rows.shape[1]} numbers an example, the data have "
            f"{task.target.outputs}."
        )
    if bad := int((~rows.isfinite().all(dim=1)).sum()):
        raise ValueError(
            f"report: the network gives NaN or infinity for {bad} of {len(data)} examples."
        )
    targets = data.targets.cpu()
    whole = not targets.is_floating_point()
    truth = targets if whole else targets.double().reshape(len(data), -1)
    return Evidence(part, data, rows.numpy(), truth.numpy(), task)


@final
@dataclass(frozen=True)
class Figure:
    """A measured figure and the interval in which the true one probably lies.

    Args:
        value: What was measured.
        low: Lower end of the 95 % interval.
        high: Upper end.
    """

    value: float
    low: float
    high: float


def accuracy(evidence: Evidence, value: float) -> Figure:
    """Return the share of examples classified right with its Wilson interval."""
    return Figure(value, *wilson_interval(int(evidence.right.sum()), len(evidence.targets)))


def balanced_accuracy(evidence: Evidence, value: float) -> Figure:
    """Return the mean of the classes' accuracies with the interval that follows from theirs.

    The distances of the ends add up as deviations do: the lower one is √Σ(r_k − l_k)² / K (Zou
    and Donner, "Construction of confidence limits about effect measures", 2008).
    """
    confusion = evidence.confusion
    there = [k for k in range(len(confusion)) if confusion[k].sum()]
    hits = np.array([(int(confusion[k, k]), int(confusion[k].sum())) for k in there])
    shares = hits[:, 0] / hits[:, 1]
    low, high = np.transpose([wilson_interval(*pair) for pair in hits.tolist()])
    ends = (np.sqrt(np.square(end - shares).sum()) / len(there) for end in (low, high))
    below, above = map(float, ends)
    return Figure(value, max(0.0, value - below), min(1.0, value + above))


def regression_figures(evidence: Evidence, values: Values) -> dict[str, Figure]:
    """Return R², root mean squared and mean absolute error, with their bootstrap intervals.

    Several outputs count alike; R² is the mean of theirs.
    """
    error, true = evidence.answers - evidence.targets, evidence.targets
    k = true.shape[1]
    # All three follow from column means: of e², |e|, y and y². Centring y keeps them exact.
    centred = true - true.mean(axis=0)
    rows = np.concatenate([error**2, np.abs(error), centred, centred**2], axis=1)

    def r2(means: Array) -> Array:
        variance = means[:, 3 * k :] - means[:, 2 * k : 3 * k] ** 2
        variance = np.where(variance > 0, variance, np.inf)
        return (1 - means[:, :k] / variance).mean(axis=1)

    statistics = {
        "r2": r2,
        "root_mean_squared_error": lambda means: np.sqrt(means[:, :k].mean(axis=1)),
        "mean_absolute_error": lambda means: means[:, k : 2 * k].mean(axis=1),
    }
    return {
        name: Figure(values[name], *bootstrap_interval(statistic, rows))
        for name, statistic in statistics.items()
    }


def classification_figures(evidence: Evidence, values: Values) -> dict[str, Figure]:
    """Return the figures of a classification that have an interval, by their metrics' names."""
    own = {"accuracy": accuracy, "balanced_accuracy": balanced_accuracy}
    return {name: figure(evidence, values[name]) for name, figure in own.items()}


def per_class(confusion: Array) -> Sequence[tuple[int, float, float, float]]:
    """Return examples, precision, recall and F1 of each class; NaN where nothing defines them.

    With c_ij of class i taken for j: precision c_jj / Σ_i c_ij, recall c_ii / Σ_j c_ij, and
    F1 = 2 c_ii / (Σ_j c_ij + Σ_j c_ji).
    """
    hits, true, said = np.diag(confusion), confusion.sum(axis=1), confusion.sum(axis=0)
    return [
        (int(n), ratio(hit, taken), ratio(hit, n), ratio(2 * hit, n + taken))
        for hit, n, taken in zip(hits, true, said, strict=True)
    ]


def ratio(part: float, whole: float) -> float:
    """Return a quotient, NaN where there is nothing to divide by."""
    return float(part / whole) if whole else float("nan")
