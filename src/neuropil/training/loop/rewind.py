"""Restoring random states and buffers between the evaluations of a step."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, final

import numpy as np
import torch

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
        self.python = random.getstate()
        self.numpy = np.random.get_state()  # noqa: NPY002 - the legacy generator is the global one
        self.torch = torch.get_rng_state()
        self.cuda = torch.cuda.get_rng_state(device) if device.type == "cuda" else None

    def begin(self) -> None:
        """Prepare an evaluation: restore the states that the first one started from."""
        if self.evaluations == 1:
            self.after = [buffer.clone() for buffer in self.buffers]
        if self.evaluations:
            self.put(self.before)
            random.setstate(self.python)
            np.random.set_state(self.numpy)  # noqa: NPY002 - as above
            torch.set_rng_state(self.torch)
            if self.cuda is not None:
                torch.cuda.set_rng_state(self.cuda, self.device)
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
        drew = not torch.equal(self.torch, torch.get_rng_state())
        if self.cuda is not None:
            now = torch.cuda.get_rng_state(self.device)
            drew = drew or not torch.equal(self.cuda, now)
        return drew
