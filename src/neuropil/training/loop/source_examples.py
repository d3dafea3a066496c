"""Examples of a source, which are fetched during the training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neuropil.datasets.source import Batch, Source
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
        weights: The weight of each example, with a mean of 1; None if all are equal.
    """

    source: Source
    title: str
    inputs_taken: int
    targets: Targets = None
    weights: Tensor | None = None

    def __len__(self) -> int:
        return len(self.source)

    def head(self) -> tuple[tuple[Tensor, ...], Targets]:
        """Return the inputs and the targets of one or two examples."""
        several = None not in self.source.input_shape and len(self) > 1
        batch = self.source.fetch([0, 1] if several else [0])
        inputs = batch.inputs_for(self.inputs_taken)
        targets = batch.targets if self.source.targets is None else self.source.targets
        return inputs if isinstance(inputs, tuple) else (inputs,), targets

    def parts(self, batch: Batch, places: Sequence[int]) -> tuple[Any, ...]:
        """Return the inputs and the targets of a fetched batch, and the weights if there are.

        Args:
            batch: The batch.
            places: The places of its examples.
        """
        index, targets = torch.as_tensor(places), batch.targets
        if isinstance(self.targets, Tensor):
            targets = self.targets[index]
        weights = () if self.weights is None else (self.weights[index],)
        return batch.inputs_for(self.inputs_taken), targets, *weights
