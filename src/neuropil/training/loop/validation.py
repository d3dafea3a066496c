"""How good a network is on data that it does not learn from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from neuropil.core.prediction import in_test_mode
from neuropil.training.metrics.meter import Meter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from neuropil.training.loop.batches import Batches
    from neuropil.training.loop.learner import Learner
    from neuropil.training.losses.weighted_loss import Objective
    from neuropil.training.metrics.base import Metric

# Without gradients more examples fit at once; no more input than this many numbers, though.
ELEMENTS, MOST_ROWS = 2**18, 4096

# Scalars by name, scores and targets of a batch.
Measured = tuple[dict[str, Tensor], Any, Any]


def measure(
    learner: Learner,
    values: Callable[[Any], Measured],
    batches: Batches,
    metrics: Sequence[Metric],
) -> dict[str, float]:
    """Return the mean loss and the metrics, in test mode and without gradients.

    Args:
        learner: Whose network is measured, as it is.
        values: Gives scalars by name, scores and targets for a batch.
        batches: The examples.
        metrics: What is measured beside the loss.
    """
    waits = learner.device.type == "cpu"
    meter = Meter(metrics, learner.views, waits=waits, checked=False)
    with in_test_mode(learner.module), torch.no_grad():
        for batch, rows, _ in batches.epoch():
            if rows:
                scalars, scores, targets = values(batch)
                meter.add(scalars, rows, 0)
                if metrics:
                    meter.keep(scores, targets)
    return meter.result(learner.processes)


def loss_values(
    learner: Learner, objective: Objective, autocast: Callable[[Callable[..., Any]], Any]
) -> Callable[[Any], Measured]:
    """Return a function that gives the loss, the scores and the targets of a batch."""
    network, main = learner.scores, objective.loss.main
    forward = autocast(lambda *inputs: main(network(*inputs)))
    mean = objective.judge().mean

    def values(batch: Any) -> Measured:
        inputs, targets = batch
        scores = forward(*inputs) if isinstance(inputs, tuple) else forward(inputs)
        return {"loss": mean(scores, targets)}, scores, targets

    return values


def rows_at_once(inputs: Sequence[Tensor], batch_size: int) -> int:
    """Return how many examples are evaluated at once: as many as are sure to fit."""
    elements = sum(column[:1].numel() for column in inputs)
    return max(batch_size, min(MOST_ROWS, ELEMENTS // max(1, elements)))
