"""Evaluation of a network: the one place where its figures are computed."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any, Protocol

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from neuropil.datasets import Dataset
    from neuropil.runs.task import Figures, Task

# The number of examples per batch, the same as in `Network.predict`.
ROWS = 512


class Predictor(Protocol):
    """A network, or the adapter of a classic estimator."""

    def predict(self, inputs: Any) -> Any: ...


class ScoringPredictor(Predictor, Protocol):
    """A predictor that also gives scores, as tasks need them."""

    def scores(self) -> Predictor: ...


def measure(network: ScoringPredictor, source: Dataset, task: Task[Any]) -> Figures:
    """Return the loss and the metrics of a task on labelled examples.

    Validation during training uses the same loss and the first of these metrics.

    Args:
        network: The network, on any device.
        source: Examples with their labels.
        task: The task of the network.

    Raises:
        ValueError: If the examples have no labels.

    Example:
        >>> from neuropil import datasets
        >>> from neuropil.layers import Flatten, Input, Softmax
        >>> from neuropil.runs.tasks import task_for
        >>> digits = datasets.load_handwritten_digits()
        >>> network = Input(1, 8, 8) >> Flatten() >> Softmax(10)
        >>> list(measure(network, digits.test, task_for(digits.target)))
        ['loss', 'accuracy', 'balanced_accuracy', 'f1']
    """
    if source.targets is None:
        raise ValueError("these examples have no targets, so nothing can be measured on them.")
    metrics = task.metrics()
    gathered: list[list[Tensor]] = [[] for _ in metrics]
    cost, not_finite = 0.0, 0
    for start in range(0, len(source), ROWS):
        part = slice(start, start + ROWS)
        outputs = outputs_of(network, source.inputs[part], task)
        targets = task.loss.prepare(task.encode(source.targets[part].cpu()), outputs[:2])
        cost += float(task.loss.mean(outputs, targets)) * len(outputs)
        not_finite += int((~outputs.flatten(1).isfinite().all(dim=1)).sum())
        for metric, statistics in zip(metrics, gathered, strict=True):
            statistics.append(metric.gather(outputs, targets))
    figures = {"loss": cost / max(1, len(source))}
    for metric, statistics in zip(metrics, gathered, strict=True):
        figures[metric.name] = metric.compute(metric.merge(statistics))
    warn_not_finite(figures, not_finite, len(source))
    return {name: value if math.isfinite(value) else None for name, value in figures.items()}


def answers_of(network: ScoringPredictor, inputs: Tensor, task: Task[Any]) -> Tensor:
    """Return the answers of a network, on the CPU.

    Args:
        network: The network, on any device.
        inputs: Raw examples along the first axis.
        task: The task of the network.
    """
    return task.decode(outputs_of(network, inputs, task))


def outputs_of(network: ScoringPredictor, inputs: Tensor, task: Task[Any]) -> Tensor:
    """Return the outputs that a task takes, in single precision at least."""
    predictor = network.scores() if task.takes == "scores" else network
    outputs = predictor.predict(inputs).cpu()
    return outputs.to(torch.promote_types(outputs.dtype, torch.float32))


def warn_not_finite(figures: dict[str, float], count: int, examples: int) -> None:
    """Warn that figures are missing because the network gives NaN or infinity."""
    unknown = [name for name, value in figures.items() if not math.isfinite(value)]
    if count and unknown not in ([], ["loss"]):
        warnings.warn(
            f"the network gives NaN or infinity for {count:,} of {examples:,} examples.",
            stacklevel=3,
        )
