"""When checkpoints are written."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any, final

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuropil.training.checkpoints.checkpoint import Checkpoints
    from neuropil.training.processes import Processes

# Seconds between checkpoints where the user does not say otherwise. However short the epochs
# are, writing takes at most a twentieth of the time.
PAUSE, SHARE = 30.0, 20.0


@final
class Saver:
    """Writes a training's state every so many steps, or every so many seconds and each epoch.

    Args:
        checkpoints: Where to; None writes nothing.
        every: Steps between two states; None goes by the clock.
        state: Gives the state; every process is asked, the first one writes.
        processes: Who trains.
    """

    def __init__(
        self,
        checkpoints: Checkpoints | None,
        every: int | None,
        state: Callable[[], dict[str, Any]],
        processes: Processes,
    ) -> None:
        self.checkpoints = checkpoints
        self.every = every
        self.state = state
        self.processes = processes
        self.due = self.epoch_due = math.inf
        self.plan(0.0)

    def save(self) -> None:
        """Write the state of this moment."""
        if self.checkpoints is None:
            return
        begun = time.perf_counter()
        state = self.state()
        if self.processes.first:
            self.checkpoints.save(state, state["steps"])
        self.plan(time.perf_counter() - begun)

    def plan(self, seconds: float) -> None:
        """Settle when the next state is due, given how long the last one took."""
        if self.checkpoints is None:
            return
        now = time.perf_counter()
        self.epoch_due = now + SHARE * seconds
        self.due = math.inf if self.every else now + max(PAUSE, SHARE * seconds)

    def after_step(self, steps: int) -> None:
        """Write a state if it is the turn of this step."""
        if self.every and steps % self.every == 0:
            self.save()

    def after_epoch(self) -> None:
        """Write a state, unless the epochs are so short that it would hold them up."""
        # The processes' clocks differ, and all must decide alike.
        if self.processes.share(time.perf_counter() >= self.epoch_due):
            self.save()

    def assurance(self) -> str:
        """Return a sentence about what is safe on disk, empty when nothing is."""
        newest = None if self.checkpoints is None else self.checkpoints.newest()
        return "" if newest is None else f"The last good state is {newest}. "
