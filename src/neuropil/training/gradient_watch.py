"""A callback that measures the health of the gradients during training."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, final

from typing_extensions import override

from neuropil.analysis import GradientHealth, LayerHealth, Verdict
from neuropil.analysis.health.gradient_health import run_health
from neuropil.checks import whole
from neuropil.training.callbacks import Callback

if TYPE_CHECKING:
    from torch import Tensor

    from neuropil.training.trainer import Trainer

# Maximum number of measurements kept. Beyond it every second one is dropped and the interval
# between measurements doubles.
MOST = 40


@final
class GradientWatch(Callback):
    """Measure the health of the gradients in the first step of an epoch, during training.

    It runs another forward and backward pass on the batch of that step, as `gradient_health`
    does. The training itself does not change by a bit. In long trainings the measurements
    become rarer: about 40 + 20 log₂(E / 40) epochs have been measured by epoch E > 40.

    Args:
        every: Epochs between two measurements, for up to 40 measurements.
        warn: Whether to warn of each problem when it first appears.

    Raises:
        ValueError: If `every` is not a whole number of at least 1, or the training has a
            custom step, whose objective is not known.

    Attributes:
        epochs: The epochs that were measured, from 1.
        healths: The `neuropil.analysis.GradientHealth` of each of them.

    Example:
        >>> import torch
        >>> from neuropil import Trainer
        >>> network = torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.ReLU())
        >>> _ = torch.nn.init.constant_(network[0].bias, -100.0)
        >>> watch = GradientWatch()
        >>> trainer = Trainer(network, callbacks=[watch], progress=False)
        >>> history = trainer.fit((torch.rand(64, 2), torch.rand(64, 4)), epochs=3)
        >>> watch.epochs
        [1, 2, 3]
        >>> print(*watch.verdicts, sep="; ")
        all gradients are zero: nothing learns; 1 (ReLU): none of its 4 units fires on any of
        these 32 examples
    """

    def __init__(self, every: int = 1, *, warn: bool = False) -> None:
        self.every = whole(every, "GradientWatch: every")
        self.warn = warn
        self.forget()

    def forget(self) -> None:
        """Discard all measurements."""
        self.epochs: list[int] = []
        self.healths: list[GradientHealth] = []
        self.stride = self.every
        self.due = 0

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """The problems found by the latest measurement."""
        return self.healths[-1].verdicts if self.healths else ()

    @override
    def on_start(self, trainer: Trainer) -> None:
        if trainer.objective is None or trainer.options.step is not None:
            raise ValueError(
                "GradientWatch does not work with a custom step, whose objective is not known: "
                "call gradient_health in the step instead."
            )
        if not trainer.epoch:
            self.forget()

    @override
    def on_step(self, trainer: Trainer) -> None:
        if trainer.epoch < self.due or not trainer.learner.processes.first:
            return
        health = health_of(trainer)
        if self.warn:
            self.warn_of_new(health, trainer.epoch + 1)
        self.epochs.append(trainer.epoch + 1)
        self.healths.append(health)
        if len(self.epochs) > MOST:
            self.epochs, self.healths = self.epochs[::2], self.healths[::2]
            self.stride *= 2
        self.due = self.epochs[-1] - 1 + self.stride

    def warn_of_new(self, health: GradientHealth, epoch: int) -> None:
        """Warn of problems that no earlier measurement found."""
        known = {(verdict.kind, verdict.layer) for h in self.healths for verdict in h.verdicts}
        for verdict in health.verdicts:
            if (verdict.kind, verdict.layer) not in known:
                warnings.warn(f"epoch {epoch}: {verdict}", stacklevel=2)

    @override
    def state_dict(self) -> dict[str, Any]:
        healths = [
            [list(map(list, h.rows)), list(map(list, h.verdicts)), h.loss, h.examples]
            for h in self.healths
        ]
        plain = {"epochs": list(self.epochs), "healths": healths}
        return plain | {"stride": self.stride, "due": self.due}

    @override
    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.epochs, self.stride, self.due = state["epochs"], state["stride"], state["due"]
        self.healths = [
            GradientHealth(
                tuple(LayerHealth(*row) for row in rows),
                tuple(Verdict(*verdict) for verdict in verdicts),
                loss,
                examples,
            )
            for rows, verdicts, loss, examples in state["healths"]
        ]


def health_of(trainer: Trainer) -> GradientHealth:
    """Return the gradient health of a network on the current batch.

    Raises:
        RuntimeError: If it is called outside of `fit`.
    """
    update, objective = trainer.update, trainer.objective
    if update is None or objective is None:
        raise RuntimeError("there is no current batch outside of fit.")
    inputs, targets, *weights = update.parts.batch
    mean = objective.weighted if weights else objective.mean
    given = inputs if isinstance(inputs, tuple) else (inputs,)
    scores = trainer.learner.scores

    def loss() -> Tensor:
        return mean(scores(*given), targets, *weights)

    with trainer.learner.processes.running_apart():
        return run_health(scores, loss, len(given[0]))
