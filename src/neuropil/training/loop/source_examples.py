"""Examples of a source, which are fetched during the training, and their mean and scale."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, final

import torch
from torch import Tensor

from neuropil.core import Network
from neuropil.core.moments import RunningMoments, column_axes
from neuropil.datasets.batch_places import places_of, rows_at_once
from neuropil.datasets.loading import load_batches
from neuropil.layers import Input
from neuropil.training.nonfinite import first_bad_row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neuropil.datasets.source import Batch, Source
    from neuropil.training.loop.learner import Learner
    from neuropil.training.loop.memory_examples import Targets


@final
@dataclass(frozen=True)
class SourceExamples:
    """Examples that are fetched when a batch needs them.

    Attributes:
        source: The examples.
        title: Purpose of the examples, such as ``"training"``, for messages.
        inputs_taken: Number of inputs of the network; the second takes the mask.
        targets: The targets in the form that the loss takes; None takes those of the batches.
    """

    source: Source
    title: str
    inputs_taken: int
    targets: Targets = None

    def __len__(self) -> int:
        return len(self.source)

    def head(self) -> tuple[tuple[Tensor, ...], Targets]:
        """Return the inputs and the targets of one or two examples."""
        several = None not in self.source.input_shape and len(self) > 1
        batch = self.source.fetch([0, 1] if several else [0])
        inputs = batch.inputs_for(self.inputs_taken)
        targets = batch.targets if self.source.targets is None else self.source.targets
        return inputs if isinstance(inputs, tuple) else (inputs,), targets

    def pair(self, batch: Batch, places: Sequence[int]) -> tuple[Any, Any]:
        """Return the inputs and the targets of a fetched batch.

        Args:
            batch: The batch.
            places: The places of its examples.
        """
        targets = batch.targets
        if isinstance(self.targets, Tensor):
            targets = self.targets[torch.as_tensor(places)]
        return batch.inputs_for(self.inputs_taken), targets


def as_source_examples(data: Any, title: str, learner: Learner) -> SourceExamples | None:
    """Return the examples of a source, or None if the data are something else.

    Args:
        data: The data.
        title: Purpose of the data, for messages.
        learner: The learner.

    Raises:
        ValueError: If the source is empty.
    """
    if not (callable(getattr(data, "fetch", None)) and hasattr(data, "size_of")):
        return None
    if not len(data):
        raise ValueError(f"the {title} data is empty.")
    module = learner.module
    taken = len(module.inputs) if isinstance(module, Network) else 1
    return SourceExamples(data, title, taken)


def normalize_streaming(learner: Learner, examples: SourceExamples, workers: int) -> None:
    """Set the mean and scale of the network's first input in one pass over a source.

    Padding is not counted. Several processes share the work; the result is the same.

    Args:
        learner: The learner with the network.
        examples: The training examples.
        workers: Number of processes that fetch examples.

    Raises:
        ValueError: If an example contains NaN or infinity.
    """
    module, processes = learner.module, learner.processes
    first = module.inputs[0] if isinstance(module, Network) else None
    if not isinstance(first, Input) or first.dtype_taken == "int" or first.mean is not None:
        return
    source = examples.source
    places = places_of(source, rows_at_once(source))
    batches = [places.between(a, b) for a, b in pairwise(places.bounds)]
    own = batches[processes.rank :: processes.count]
    found = []
    loaded = load_batches(source, own, workers=min(workers, len(own) // 2))
    for indices, batch in zip(own, loaded, strict=True):
        row = first_bad_row(batch.inputs)
        if row is not None:
            raise ValueError(
                f"example {indices[row]} of the {examples.title} inputs contains NaN or "
                f"infinity: fill or drop such examples first."
            )
        found.append(batch_moments(batch))
    # The moments of the batches are merged in their order, whoever has measured them.
    every = processes.gather(found)
    running = RunningMoments()
    for place in range(len(batches)):
        running.merge(every[place % processes.count][place // processes.count])
    first.set_normalization(*running.standardization())
    module.to(learner.device)


def batch_moments(batch: Batch) -> RunningMoments:
    """Return the moments of a batch per column or channel, without padding."""
    running = RunningMoments()
    inputs, axes = batch.inputs, column_axes(batch.inputs.ndim)
    if batch.mask is not None:
        inputs, axes = inputs.movedim(1, -1)[batch.mask > 0], [0]
    running.add(inputs, axes)
    return running
