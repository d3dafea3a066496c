"""The schedule on which checkpoints are written."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from neuropil.training.checkpoints.sharded_states import save_shards

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuropil.training.checkpoints.checkpoint import Checkpoints
    from neuropil.training.processes import Processes

# Default number of seconds between checkpoints. The second number bounds the time spent on
# writing: at most a twentieth of the training, however short the epochs are.
PAUSE, SHARE = 30.0, 20.0


@final
@dataclass(eq=False)
class Saver:
    """Writes the state of a training every `every` steps, or regularly and after each epoch.

    Args:
        checkpoints: The checkpoint folder; None writes nothing.
        every: Steps between two checkpoints; None writes them by the clock.
        state: Returns the state. Every process calls it; the first one writes.
        processes: The processes that train together.
    """

    checkpoints: Checkpoints | None
    every: int | None
    state: Callable[[], dict[str, Any]]
    processes: Processes

    def __post_init__(self) -> None:
        self.due = self.epoch_due = math.inf
        self.plan(0.0)

    def save(self) -> None:
        """Write the current state."""
        if self.checkpoints is None:
            return
        begun = time.perf_counter()
        state = self.state()
        state = save_shards(state, self.checkpoints.folder, state["steps"], self.processes)
        if self.processes.first:
            self.checkpoints.save(state, state["steps"])
        self.plan(time.perf_counter() - begun)

    def plan(self, seconds: float) -> None:
        """Set the time of the next checkpoint from the seconds that the last one took."""
        if self.checkpoints is None:
            return
        now = time.perf_counter()
        self.epoch_due = now + SHARE * seconds
        self.due = math.inf if self.every else now + max(PAUSE, SHARE * seconds)

    def after_step(self, steps: int) -> None:
        """Write a checkpoint if one is due after this number of steps."""
        if self.every and steps % self.every == 0:
            self.save()

    def after_epoch(self) -> None:
        """Write a checkpoint, unless the epochs are so short that it would slow them down."""
        # The clocks of the processes differ, but all must make the same decision.
        if self.processes.share(time.perf_counter() >= self.epoch_due):
            self.save()

    def assurance(self) -> str:
        """Return a sentence that names the latest checkpoint, empty if there is none."""
        newest = None if self.checkpoints is None else self.checkpoints.newest()
        return "" if newest is None else f"The last good state is {newest}. "
