"""Several evaluations in one step as if each were the first."""

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
    """Lets every evaluation within a step see the same random numbers and the same buffers.

    Hence the same dropout, and running statistics that one step moves once: after it they are
    as the first evaluation left them.

    Args:
        buffers: What an evaluation may change beside the weights, such as running statistics.
        device: Where random numbers are drawn.
    """

    def __init__(self, buffers: Sequence[Tensor], device: torch.device) -> None:
        self.buffers = list(buffers)
        self.device = device
        self.evaluations = 0
        self.before = [buffer.clone() for buffer in self.buffers]
        self.after: list[Tensor] = []
        # As they come: this runs in every step, and plain data would cost ten times as much.
        self.python = random.getstate()
        self.numpy = np.random.get_state()  # noqa: NPY002 - the legacy generator is the global one
        self.torch = torch.get_rng_state()
        self.cuda = torch.cuda.get_rng_state(device) if device.type == "cuda" else None

    def begin(self) -> None:
        """Make an evaluation see what the first one saw."""
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
        """Leave the buffers as the first evaluation did."""
        if self.after:
            self.put(self.after)

    def put(self, values: list[Tensor]) -> None:
        """Set the buffers."""
        for buffer, value in zip(self.buffers, values, strict=True):
            buffer.copy_(value)

    def has_drawn(self) -> bool:
        """Tell whether an evaluation took random numbers from torch."""
        drew = not torch.equal(self.torch, torch.get_rng_state())
        if self.cuda is not None:
            now = torch.cuda.get_rng_state(self.device)
            drew = drew or not torch.equal(self.cuda, now)
        return drew
