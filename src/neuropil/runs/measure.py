"""Evaluation of a network: the one place where its figures are computed."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor

from neuropil.datasets.loading import fetch_all
from neuropil.datasets.source import Batch

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuropil.datasets.source import Source
    from neuropil.runs.task import Figures, Task
    from neuropil.training.metrics.base import Statistics


class Predictor(Protocol):
    """A network, or the adapter of a classic estimator."""

    def predict(self, inputs: Any) -> Any: ...


class ScoringPredictor(Predictor, Protocol):
    """A predictor that also gives scores, as tasks need them."""

    def scores(self) -> Predictor: ...


def measure(network: ScoringPredictor, source: Source, task: Task[Any]) -> Figures:
    """Return the loss and the metrics of a task on labelled examples.

    Validation during training uses the same loss and the first of these metrics. The examples
    are fetched in batches, so that they need not fit in memory.

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
    # Figures of the same statistics, such as those of each class, gather and merge them once.
    gathering = {metric.function: metric for metric in metrics}
    gathered: dict[Callable[..., Tensor], list[Statistics]] = {each: [] for each in gathering}
    cost, not_finite = 0.0, 0
    for places, batch in fetch_all(source):
        outputs = outputs_of(network, batch, task)
        own = source.targets[places] if batch.targets is None else batch.targets
        targets = task.loss.prepare(task.encode(own.cpu()), outputs[:2])
        cost += float(task.loss.mean(outputs, targets)) * len(outputs)
        not_finite += int((~outputs.flatten(1).isfinite().all(dim=1)).sum())
        for function, metric in gathering.items():
            gathered[function].append(metric.gather(outputs, targets))
    totals = {function: each.merge(gathered[function]) for function, each in gathering.items()}
    figures = {"loss": cost / max(1, len(source))}
    for metric in metrics:
        figures[metric.name] = metric.compute(totals[metric.function])
    warn_not_finite(figures, not_finite, len(source))
    return {name: value if math.isfinite(value) else None for name, value in figures.items()}


def answers_of(network: ScoringPredictor, examples: Tensor | Source, task: Task[Any]) -> Tensor:
    """Return the answers of a network, on the CPU.

    Args:
        network: The network, on any device.
        examples: Raw inputs along the first axis, or a source of examples.
        task: The task of the network.
    """
    if isinstance(examples, Tensor):
        return task.decode(outputs_of(network, Batch(examples, None), task))
    order: list[int] = []
    answers: list[Tensor] = []
    for places, batch in fetch_all(examples):
        order += places
        answers.append(task.decode(outputs_of(network, batch, task)))
    if not answers:
        return task.decode(outputs_of(network, examples.fetch([]), task))
    return task.join(answers)[torch.tensor(order).argsort()]


def outputs_of(network: ScoringPredictor, batch: Batch, task: Task[Any]) -> Tensor:
    """Return the outputs that a task takes, in single precision at least."""
    predictor = network.scores() if task.takes == "scores" else network
    count = len(getattr(network, "input_shapes", ()))
    outputs = predictor.predict(batch.inputs_for(count)).cpu()
    return outputs.to(torch.promote_types(outputs.dtype, torch.float32))


def warn_not_finite(figures: dict[str, float], count: int, examples: int) -> None:
    """Warn that figures are missing because the network gives NaN or infinity."""
    unknown = [name for name, value in figures.items() if not math.isfinite(value)]
    if count and unknown not in ([], ["loss"]):
        warnings.warn(
            f"the network gives NaN or infinity for {count:,} of {examples:,} examples.",
            stacklevel=3,
        )
