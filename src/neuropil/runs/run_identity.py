"""Which run a checkpoint belongs to."""

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
    """Keep the settings and the data's fingerprint of a run in its checkpoints.

    A run whose ``run.json`` was edited, or that holds the checkpoints of another, is not
    resumed.

    Args:
        run: The run.
    """

    def __init__(self, run: Run) -> None:
        self.run = run

    @property
    def facts(self) -> dict[str, str]:
        """The settings, and what the data are, as the text that they are in JSON."""
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
        """Refuse a checkpoint of another run, or of this one with other settings.

        Args:
            state: What `state_dict` gave then.

        Raises:
            CheckpointError: When something differs.
        """
        own = self.facts
        for name in sorted({*state, *own}):
            before, now = state.get(name, "nothing"), own.get(name, "nothing")
            if before == now:
                continue
            differs = (
                f"{self.run.path / FACTS} says {name}={now}, and the training was begun with "
                f"{name}={before}"
            )
            if name not in MACHINE:
                raise CheckpointError(
                    f"{differs}: set it back, or begin a new run; `neuropil train --network "
                    f"{self.run.path}` starts from the weights of this one."
                )
            warnings.warn(f"{differs}: its last bits may differ.", stacklevel=2)
