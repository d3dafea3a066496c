"""The callback that ties checkpoints to their run."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, final

from typing_extensions import override

from neuropil.runs.run_facts import FACTS, MACHINE, settings_texts
from neuropil.training.callbacks import Callback
from neuropil.training.checkpoints.checkpoint import CheckpointError

if TYPE_CHECKING:
    from neuropil.runs.run_folder import Run
    from neuropil.training.trainer import Trainer


@final
class Identity(Callback):
    """Store the settings of a run and the fingerprint of its data in its checkpoints.

    A run whose ``run.json`` was edited, or that holds the checkpoints of another run, cannot be
    resumed.

    Args:
        run: The run.
    """

    def __init__(self, run: Run) -> None:
        self.run = run

    @property
    def facts(self) -> dict[str, str]:
        """The settings and the fingerprint of the data, as JSON texts."""
        data = self.run.data.get("fingerprint")
        return settings_texts({**self.run.settings, "fingerprint of the data": data})

    @override
    def state_dict(self) -> dict[str, Any]:
        return self.facts

    @override
    def on_start(self, trainer: Trainer) -> None:
        if trainer.pending is not None:
            self.check(trainer.pending["callbacks"].get(type(self).__name__, {}))

    def check(self, state: dict[str, Any]) -> None:
        """Check that a checkpoint belongs to this run with these settings.

        Args:
            state: The result of `state_dict` at the time of the checkpoint.

        Raises:
            CheckpointError: If something differs.
        """
        own = self.facts
        for name in sorted({*state, *own}):
            before, now = state.get(name, "nothing"), own.get(name, "nothing")
            if before == now:
                continue
            differs = (
                f"{self.run.path / FACTS} has {name}={now}, but the training was started with "
                f"{name}={before}"
            )
            if name not in MACHINE:
                raise CheckpointError(
                    f"{differs}: restore it, or start a new run; `neuropil train --network "
                    f"{self.run.path}` starts from the weights of this one."
                )
            warnings.warn(f"{differs}: the last bits of its results may differ.", stacklevel=2)
