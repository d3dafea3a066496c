"""How good a network is on data that it does not learn from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from neuropil.core.prediction import in_test_mode
from neuropil.training.metrics.meter import Meter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from neuropil.training.loop.batches import Batches
    from neuropil.training.losses.score_views import Views
    from neuropil.training.metrics.metrics import Metric
    from neuropil.training.processes import Processes

# Without gradients more examples fit at once; no more input than this many numbers, though.
ELEMENTS, MOST_ROWS = 2**18, 4096


def measure(
    network: nn.Module,
    values: Callable[[Any], tuple[dict[str, Tensor], Any, Any]],
    batches: Batches,
    metrics: Sequence[Metric],
    processes: Processes,
    device: torch.device,
    views: Views | None = None,
) -> dict[str, float]:
    """Return the mean loss and the metrics, in test mode and without gradients.

    Args:
        network: Put in test mode meanwhile.
        values: Gives scalars by name, scores and targets for a batch.
        batches: The examples.
        metrics: What is measured beside the loss.
        processes: Who else evaluates a part of each batch.
        device: Where the network is.
        views: What turns scores into what each metric takes.
    """
    meter = Meter(metrics, views, waits=device.type == "cpu", checked=False)
    with in_test_mode(network), torch.no_grad():
        for batch, rows, _ in batches.epoch():
            if rows:
                scalars, scores, targets = values(batch)
                meter.add(scalars, rows, 0)
                if metrics:
                    meter.keep(scores, targets)
    return meter.result(processes)


def scored(
    forward: Callable[..., Any], mean: Callable[[Any, Any], Tensor]
) -> Callable[[Any], tuple[dict[str, Tensor], Any, Any]]:
    """Return a function that gives the loss, the scores and the targets of a batch."""

    def values(batch: Any) -> tuple[dict[str, Tensor], Any, Any]:
        inputs, targets = batch
        scores = forward(*inputs) if isinstance(inputs, tuple) else forward(inputs)
        return {"loss": mean(scores, targets)}, scores, targets

    return values


def rows_at_once(inputs: Sequence[Tensor], batch_size: int) -> int:
    """Return how many examples are evaluated at once: as many as are sure to fit."""
    elements = sum(column[:1].numel() for column in inputs)
    return max(batch_size, min(MOST_ROWS, ELEMENTS // max(1, elements)))
