"""The mean and scale of inputs that are not in memory."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import torch

from neuropil.core import Network
from neuropil.core.moments import RunningMoments, column_axes
from neuropil.datasets.batch_places import places_of, rows_at_once
from neuropil.datasets.loading import load_batches
from neuropil.layers import Input
from neuropil.training.nonfinite import first_bad_row
from neuropil.training.rows.values import as_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from neuropil.datasets.source import Batch
    from neuropil.training.loop.learner import Learner
    from neuropil.training.loop.source_examples import SourceExamples


def normalize_streaming(learner: Learner, examples: SourceExamples, workers: int) -> None:
    """Set the mean and scale of the network's inputs in one pass over a source.

    Padding is not counted, and masks are not scaled. Several processes share the work; the
    result is the same bit for bit.

    Args:
        learner: The learner with the network.
        examples: The training examples.
        workers: Number of processes that fetch examples.

    Raises:
        ValueError: If an example contains NaN or infinity.
    """
    module, processes, source = learner.module, learner.processes, examples.source
    layers = inputs_to_set(module, len(as_columns(source.fetch([0]).inputs)))
    if not layers:
        return
    places = places_of(source, rows_at_once(source))
    batches = [places.between(a, b) for a, b in pairwise(places.bounds)]
    own = batches[processes.rank :: processes.count]
    loaded = load_batches(source, own, workers=min(workers, len(own) // 2))
    found = [
        measure_batch(batch, indices, layers, examples)
        for indices, batch in zip(own, loaded, strict=True)
    ]
    # The moments of the batches are merged in their order, whoever has measured them.
    every, count = processes.gather(found), processes.count
    running = {place: RunningMoments() for place in layers}
    for number in range(len(batches)):
        for place, one in every[number % count][number // count].items():
            running[place].merge(one)
    for place, layer in layers.items():
        layer.set_normalization(*running[place].standardization())
    module.to(learner.device)


def inputs_to_set(module: Any, columns: int) -> dict[int, Input]:
    """Return the inputs of a network that have no mean and scale yet, by their places.

    Args:
        module: The network.
        columns: Number of inputs in the data, without a mask.
    """
    inputs = module.inputs[:columns] if isinstance(module, Network) else ()
    return {
        place: layer
        for place, layer in enumerate(inputs)
        if isinstance(layer, Input) and layer.dtype_taken != "int" and layer.mean is None
    }


def measure_batch(
    batch: Batch, indices: Sequence[int], layers: dict[int, Input], examples: SourceExamples
) -> dict[int, RunningMoments]:
    """Return the moments of a batch for each input.

    Raises:
        ValueError: If an example contains NaN or infinity.
    """
    columns = as_columns(batch.inputs)
    for column in columns:
        row = first_bad_row(column)
        if row is not None:
            raise ValueError(
                f"example {indices[row]} of the {examples.title} inputs contains NaN or "
                f"infinity: fill or drop such examples first."
            )
    weights = None if examples.weights is None else examples.weights[torch.as_tensor(indices)]
    return {place: moments_of(columns[place], batch.mask, weights) for place in layers}


def moments_of(inputs: Tensor, mask: Tensor | None, weights: Tensor | None) -> RunningMoments:
    """Return the moments of inputs per column or channel, without padding."""
    running, axes = RunningMoments(), column_axes(inputs.ndim)
    if mask is not None:
        if weights is not None:
            weights = weights.reshape(-1, *[1] * (mask.ndim - 1)).expand(mask.shape)[mask > 0]
        inputs, axes = inputs.movedim(1, -1)[mask > 0], [0]
    if weights is None or weights.any():
        running.add(inputs, axes, weights)
    return running
