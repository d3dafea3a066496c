"""Exponential moving average of the weights."""

from __future__ import annotations

from typing import Any, final

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from neuropil.training.parallel.local_part import local_part, part_of


@final
class WeightAverage:
    """Exponential moving average of a network's parameters and floating-point buffers.

    After step t, ā ← ā + (1 − d)(w − ā) with d = min(decay, (1 + t) / (10 + t)): the average
    quickly forgets the initial weights. Integer buffers are counters and are not averaged.

    `swap` exchanges weights and averages, so that the network can be validated and used with
    the averages while training continues with the trained weights.

    Args:
        network: The network.
        decay: Fraction of the average that a step retains, in [0, 1).
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.network = network
        self.decay = decay
        self.steps = 0
        self.weights = floating_state(network)
        # Of sharded weights each process averages its own part.
        self.averages = [value.clone() for value in sharded_state(network)]
        self.swapped = False
        self.seen: list[int] = []

    @property
    def own_averages(self) -> list[Tensor]:
        """The averages, of sharded weights this process's part."""
        return [local_part(average) for average in self.averages]

    def update(self) -> None:
        """Update the average with the weights after a step."""
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        get_ema_multi_avg_fn(decay)(self.own_averages, self.weights, self.steps)

    @torch.no_grad()
    def swap(self) -> None:
        """Exchange the network's weights and the average."""
        for weight, average in zip(self.weights, self.own_averages, strict=True):
            trained = weight.clone()
            weight.copy_(average)
            average.copy_(trained)
        self.swapped = not self.swapped
        self.seen = self.versions()

    def take_back(self) -> None:
        """Restore the trained weights at the start of a further training.

        If the weights were changed in the meantime, those are used instead, and the average
        restarts from them.
        """
        self.weights = floating_state(self.network)
        if not self.swapped:
            return
        if self.seen == self.versions():
            self.swap()
        else:
            self.swapped = False
            self.restart()

    @torch.no_grad()
    def restart(self) -> None:
        """Restart the average from the current weights."""
        self.steps = 0
        for weight, average in zip(self.weights, self.own_averages, strict=True):
            average.copy_(weight)

    def versions(self) -> list[int]:
        """Return torch's count of in-place changes of each weight."""
        return [weight._version for weight in self.weights]

    def state_dict(self) -> dict[str, Any]:
        """Return the averages and the number of steps."""
        return {"steps": self.steps, "averages": list(self.averages)}

    @torch.no_grad()
    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the state that `state_dict` returned, not swapped."""
        self.steps, self.swapped = state["steps"], False
        for average, value in zip(self.averages, state["averages"], strict=True):
            local_part(average).copy_(part_of(value, average))


def floating_state(network: nn.Module) -> list[Tensor]:
    """Return the floating-point parameters and buffers, of sharded ones this process's part."""
    return [local_part(value) for value in sharded_state(network)]


def sharded_state(network: nn.Module) -> list[Tensor]:
    """Return the floating-point parameters and buffers, sharded or not."""
    state = [*network.parameters(), *network.buffers()]
    return [value.detach() for value in state if value.is_floating_point()]
