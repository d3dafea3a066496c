"""How far a training has come."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from neuropil.training.history import History


@dataclass
class TrainingState:
    """How far a training has come.

    Attributes:
        epoch: Epochs done.
        first_epoch: Epochs done before the latest fit.
        steps: Steps done.
        stop_reason: Why the latest fit ended before its last epoch; empty if it did not.
        history: The figures of all epochs.
    """

    epoch: int = 0
    first_epoch: int = 0
    steps: int = 0
    stop_reason: str = ""
    history: History = field(default_factory=History)

    def begin(self) -> None:
        """Begin another fit."""
        self.first_epoch, self.stop_reason = self.epoch, ""

    def state_dict(self) -> dict[str, Any]:
        """Return all of it as plain data."""
        return vars(self) | {"history": [dict(record) for record in self.history]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what `state_dict` gave; other entries do not matter."""
        for name in vars(self):
            setattr(self, name, state[name])
        self.history = History(state["history"])


@dataclass
class Place:
    """Where a fit entered an epoch: at its start, or where it was interrupted.

    Attributes:
        batches: Batches of the epoch that were done then.
        steps: Steps done in all then.
        randomness: The random states in which the epoch began.
        seconds: How long the epoch had taken.
        meter: The sums of those batches; None at the start.
    """

    batches: int = 0
    steps: int = 0
    randomness: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    meter: dict[str, Any] | None = None
