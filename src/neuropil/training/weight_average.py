"""Averaged weights: what trained weights hover about."""

from __future__ import annotations

from typing import Any, final

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn


@final
class WeightAverage:
    """The exponential moving average of a network's parameters and floating-point buffers.

    After step t, ā ← ā + (1 − d)(w − ā) with d = min(decay, (1 + t) / (10 + t)): the average
    forgets the untrained start quickly. Integer buffers, which only count, stay as they are.

    `swap` exchanges network and average, so that the network can be validated and used with the
    averaged weights, and training can go on with its own.

    Args:
        network: Whose weights are averaged.
        decay: How much of the average a step keeps, in [0, 1).
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.network = network
        self.decay = decay
        self.steps = 0
        self.weights = floating_state(network)
        self.averages = [value.clone() for value in self.weights]
        self.swapped = False
        self.seen: list[int] = []

    def update(self) -> None:
        """Take the weights after one more step into the average."""
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        get_ema_multi_avg_fn(decay)(self.averages, self.weights, self.steps)

    @torch.no_grad()
    def swap(self) -> None:
        """Exchange the network's weights and the average."""
        for weight, average in zip(self.weights, self.averages, strict=True):
            kept = weight.clone()
            weight.copy_(average)
            average.copy_(kept)
        self.swapped = not self.swapped
        self.seen = self.versions()

    def take_back(self) -> None:
        """Go on training: put the network's own weights back after a training has ended.

        Weights that somebody else has set since then stay, and the average starts from them.
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
        """Begin a new average with the weights as they are."""
        self.steps = 0
        for weight, average in zip(self.weights, self.averages, strict=True):
            average.copy_(weight)

    def versions(self) -> list[int]:
        """Return how often each weight was changed in place; torch counts that."""
        return [weight._version for weight in self.weights]

    def state_dict(self) -> dict[str, Any]:
        """Return the average and its age."""
        return {"steps": self.steps, "averages": list(self.averages)}

    @torch.no_grad()
    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what `state_dict` gave; the network holds its own weights again."""
        self.steps, self.swapped = state["steps"], False
        for average, value in zip(self.averages, state["averages"], strict=True):
            average.copy_(value)


def floating_state(network: nn.Module) -> list[Tensor]:
    """Return the parameters and buffers that can be averaged."""
    state = [*network.parameters(), *network.buffers()]
    return [value.detach() for value in state if value.is_floating_point()]
