"""Restoring random states and buffers between the evaluations of a step."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import torch

from neuropil.training.randomness import native_states, set_native_states

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor


@final
class Rewind:
    """Gives every evaluation of a step the same random numbers and the same buffers.

    So all have the same dropout, and running statistics are updated once per step: afterwards
    they have the values of the first evaluation.

    Args:
        buffers: The buffers that an evaluation may change, such as running statistics.
        device: Device that random numbers are drawn on.
    """

    def __init__(self, buffers: Sequence[Tensor], device: torch.device) -> None:
        self.buffers = list(buffers)
        self.device = device
        self.evaluations = 0
        self.before = [buffer.clone() for buffer in self.buffers]
        self.after: list[Tensor] = []
        # Not as plain data, which would cost ten times as much in every step.
        self.states = native_states(device)

    def begin(self) -> None:
        """Prepare an evaluation: restore the states that the first one started from."""
        if self.evaluations == 1:
            self.after = [buffer.clone() for buffer in self.buffers]
        if self.evaluations:
            self.put(self.before)
            set_native_states(self.states, self.device)
        self.evaluations += 1

    def end(self) -> None:
        """Give the buffers the values of the first evaluation."""
        if self.after:
            self.put(self.after)

    def put(self, values: list[Tensor]) -> None:
        """Set the buffers."""
        for buffer, value in zip(self.buffers, values, strict=True):
            buffer.copy_(value)

    def has_drawn(self) -> bool:
        """Return whether an evaluation drew random numbers from torch."""
        now = native_states(self.device)
        return not all(
            torch.equal(self.states[k], now[k]) for k in now.keys() & {"torch", "cuda"}
        )
