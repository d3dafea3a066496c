"""How good a network is: the one place where a figure is computed."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any, Protocol

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from neuropil.datasets import Dataset
    from neuropil.runs.task import Figures, Task

# Examples at once: what a network predicts in one go by itself.
ROWS = 512


class Predictor(Protocol):
    """What answers: a network, or a classic estimator's adapter."""

    def predict(self, inputs: Any) -> Any: ...


class Answering(Predictor, Protocol):
    """What a task can be asked of: its scores answer too."""

    def scores(self) -> Predictor: ...


def measure(network: Answering, source: Dataset, task: Task[Any]) -> Figures:
    """Return the loss and the figures of a task on labelled examples.

    Training validates by the same loss and the first of these metrics.

    Args:
        network: The network, on any device.
        source: Examples with their labels.
        task: What is asked of the network.

    Raises:
        ValueError: When the examples have no labels.

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
    cost, endless = 0.0, 0
    for start in range(0, len(source), ROWS):
        part = slice(start, start + ROWS)
        outputs = outputs_of(network, source.inputs[part], task)
        targets = task.loss.prepare(task.encode(source.targets[part].cpu()), outputs[:2])
        cost += float(task.loss.mean(outputs, targets)) * len(outputs)
        endless += int((~outputs.flatten(1).isfinite().all(dim=1)).sum())
        for metric, statistics in zip(metrics, gathered, strict=True):
            statistics.append(metric.gather(outputs, targets))
    figures = {"loss": cost / max(1, len(source))}
    for metric, statistics in zip(metrics, gathered, strict=True):
        figures[metric.name] = metric.compute(metric.merge(statistics))
    say_endless(figures, endless, len(source))
    return {name: value if math.isfinite(value) else None for name, value in figures.items()}


def answers_of(network: Answering, inputs: Tensor, task: Task[Any]) -> Tensor:
    """Return a network's answers, on the CPU.

    Args:
        network: The network, on any device.
        inputs: Raw examples, in the first axis.
        task: What is asked of the network.
    """
    return task.decode(outputs_of(network, inputs, task))


def outputs_of(network: Answering, inputs: Tensor, task: Task[Any]) -> Tensor:
    """Return what a network gives, as its task takes it, in single precision at least."""
    giver = network.scores() if task.takes == "scores" else network
    outputs = giver.predict(inputs).cpu()
    return outputs.to(torch.promote_types(outputs.dtype, torch.float32))


def say_endless(figures: dict[str, float], count: int, examples: int) -> None:
    """Say why there is no figure where a network gives NaN or infinity."""
    unknown = [name for name, value in figures.items() if not math.isfinite(value)]
    if count and unknown not in ([], ["loss"]):
        warnings.warn(
            f"the network gives NaN or infinity for {count:,} of {examples:,} examples.",
            stacklevel=3,
        )
