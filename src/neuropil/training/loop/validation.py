"""Evaluation of a network on data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from neuropil.core.prediction import in_test_mode
from neuropil.training.loop.update import evaluation_of
from neuropil.training.metrics.meter import Meter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from neuropil.training.loop.batches import Batches
    from neuropil.training.loop.learner import Learner
    from neuropil.training.losses.weighted_loss import Objective
    from neuropil.training.metrics.base import Metric

# Without gradients, larger batches fit in memory. Limits on their input elements and rows.
ELEMENTS, MOST_ROWS = 2**18, 4096

# Scalars by name, scores and targets of a batch, and the weight of its loss; see `Meter.add`.
Figures = tuple[dict[str, Tensor], Any, Any, Tensor | None]


def measure(
    learner: Learner,
    values: Callable[[Any, int], Figures],
    batches: Batches,
    metrics: Sequence[Metric],
) -> dict[str, float]:
    """Return the mean loss and the metrics, in evaluation mode and without gradients.

    Args:
        learner: The learner with the network.
        values: Function from a batch and its number of examples to the figures.
        batches: The batches.
        metrics: The metrics.
    """
    waits = learner.device.type == "cpu"
    meter = Meter(metrics, learner.views, waits=waits, checked=False)
    with in_test_mode(learner.module), torch.no_grad():
        for batch, rows, _ in batches.epoch():
            if rows:
                scalars, scores, targets, weight = values(batch, rows)
                meter.add(scalars, rows, 0, weight)
                if metrics:
                    meter.keep(scores, targets)
    return meter.result(learner.processes)


def loss_values(
    learner: Learner, objective: Objective, autocast: Callable[[Callable[..., Any]], Any]
) -> Callable[[Any, int], Figures]:
    """Return a function from a batch and its number of examples to the figures."""
    network, main = learner.scores, objective.loss.main
    forward = autocast(lambda *inputs: main(network(*inputs)))
    objective = objective.judge()
    evaluate = evaluation_of(forward, objective)

    def values(batch: Any, rows: int) -> Figures:
        scores, loss = evaluate(*batch)
        mean = objective.per_example(loss, rows)
        return {"loss": mean}, scores, batch[1], objective.total_weight(*batch[1:])

    return values


def rows_at_once(inputs: Sequence[Tensor], batch_size: int) -> int:
    """Return the number of examples to evaluate at once, small enough for memory."""
    elements = sum(column[:1].numel() for column in inputs)
    return max(batch_size, min(MOST_ROWS, ELEMENTS // max(1, elements)))
