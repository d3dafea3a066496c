"""Counters and history of a training."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from neuropil.training.history import History


@dataclass
class TrainingState:
    """Counters and history of a training.

    Attributes:
        epoch: Number of epochs done.
        first_epoch: Number of epochs done before the latest fit.
        steps: Number of steps done.
        stop_reason: Why the latest fit ended before its last epoch; empty if it did not.
        history: The figures of all epochs.
    """

    epoch: int = 0
    first_epoch: int = 0
    steps: int = 0
    stop_reason: str = ""
    history: History = field(default_factory=History)

    def begin(self) -> None:
        """Prepare for another fit."""
        self.first_epoch, self.stop_reason = self.epoch, ""

    def state_dict(self) -> dict[str, Any]:
        """Return the state as plain data."""
        return vars(self) | {"history": [dict(record) for record in self.history]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the state that `state_dict` returned; other entries are ignored."""
        for name in vars(self):
            setattr(self, name, state[name])
        self.history = History(state["history"])


@dataclass
class Place:
    """Position in an epoch at which a fit starts or resumes.

    Attributes:
        batches: Number of batches of the epoch done before.
        steps: Total number of steps done before.
        randomness: The random states at the start of the epoch.
        seconds: Seconds spent on the epoch before.
        meter: The sums over those batches; None at the start of an epoch.
    """

    batches: int = 0
    steps: int = 0
    randomness: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    meter: dict[str, Any] | None = None
