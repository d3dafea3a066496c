"""Callbacks: early stopping, restoring the best weights, and the base class for your own."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any, final

from typing_extensions import override

from neuropil.checks import number, whole
from neuropil.training.metrics.metrics import resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import torch

    from neuropil.training.history import Record
    from neuropil.training.trainer import Trainer


class Callback:
    """Base class of callbacks: override the methods of the events that you need.

    The order is: `on_start`; for each epoch `on_epoch_start`, then `on_step_start` and
    `on_step` around each step, and after validation `on_epoch`; finally `on_stop`. Each event
    reaches all callbacks, in the order in which the trainer was given them, before the next. A
    method whose name begins with ``on_`` must be one of these; the trainer refuses others.

    The dict that `state_dict` returns is saved in the checkpoints, so that a resumed training
    continues as if it had never stopped. It may contain tensors, numbers, strings, and lists
    and dicts of these.

    Example:
        >>> class Shout(Callback):
        ...     def on_epoch(self, trainer, record):
        ...         print(f"epoch {record['epoch']}!")
        >>> Shout().on_epoch(None, {"epoch": 3})
        epoch 3!
    """

    def on_start(self, trainer: Trainer) -> None:
        """Run before the first step.

        Args:
            trainer: The running trainer.
        """

    def on_epoch_start(self, trainer: Trainer) -> None:
        """Run before the first step of an epoch, or of the rest of an interrupted one.

        Args:
            trainer: The running trainer; ``trainer.epoch`` is the number of epochs done.
        """

    def on_step_start(self, trainer: Trainer) -> None:
        """Run before every step.

        Args:
            trainer: The running trainer; ``trainer.steps`` is the number of steps done.
        """

    def on_step(self, trainer: Trainer) -> None:
        """Run after every step, while the gradients are still available.

        Args:
            trainer: The running trainer.
        """

    def on_epoch(self, trainer: Trainer, record: Record) -> None:
        """Run after every epoch and its validation.

        Args:
            trainer: The running trainer; ``trainer.stop("why")`` ends the training here.
            record: The figures of the epoch; entries added to it appear in the history.
        """

    def on_stop(self, trainer: Trainer) -> None:
        """Run after the last epoch, once the network holds its final weights.

        Args:
            trainer: The running trainer.
        """

    def state_dict(self) -> dict[str, Any]:
        """Return the state that the callback needs to resume an interrupted training."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the state that `state_dict` returned.

        Args:
            state: The saved state.
        """


def actions_at(
    moment: str, callbacks: Iterable[Callback], trainer: Trainer
) -> list[Callable[..., None]]:
    """Return the methods that the callbacks override for an event, bound to the trainer."""
    own = (c for c in callbacks if getattr(type(c), moment) is not getattr(Callback, moment))
    return [functools.partial(getattr(callback, moment), trainer) for callback in own]


def by_type(callbacks: Iterable[Callback]) -> dict[str, Callback]:
    """Return the callbacks by type name, with a number from the second of a type on."""
    names: dict[str, Callback] = {}
    for callback in callbacks:
        kind = type(callback).__name__
        count = sum(type(c).__name__ == kind for c in names.values())
        names[f"{kind}{count + 1}" if count else kind] = callback
    return names


class Monitor(Callback):
    """Base class of callbacks that monitor one column of the history, reset by each fit.

    Args:
        monitor: Name of the column, or None for ``validation_loss`` if there is validation
            data and ``loss`` otherwise.
        greater_is_better: Whether greater values are better; None to look it up.
    """

    def __init__(self, monitor: str | None, *, greater_is_better: bool | None) -> None:
        self.monitor = monitor
        self.greater_is_better = greater_is_better
        self.best = math.nan
        self.best_epoch = 0

    @override
    def on_start(self, trainer: Trainer) -> None:
        self.best, self.best_epoch = math.nan, 0

    def improves(self, trainer: Trainer, record: Record, *, by: float = 0.0) -> bool:
        """Return whether an epoch is the best so far, and store it if so."""
        name, value = self.figure(record)
        greater = self.greater_is_better
        if greater is None:
            greater = rises(trainer, name.removeprefix("validation_"))
        sign = 1.0 if greater else -1.0
        if not math.isnan(self.best) and not sign * (value - self.best) > by:
            return False
        self.best, self.best_epoch = value, int(record["epoch"])
        return True

    def figure(self, record: Record) -> tuple[str, float]:
        """Return the name and value of the monitored column.

        Raises:
            ValueError: If the history has no such column.
        """
        name = self.monitor
        if name is None:
            name = "validation_loss" if "validation_loss" in record else "loss"
        if name not in record:
            raise ValueError(
                f"{type(self).__name__} monitors {name!r}, which this training does not "
                f"record; it records: {', '.join(record)}."
            )
        return name, float(record[name])

    @override
    def state_dict(self) -> dict[str, Any]:
        return {"best": self.best, "best_epoch": self.best_epoch}

    @override
    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.best, self.best_epoch = state["best"], state["best_epoch"]


@final
class EarlyStopping(Monitor):
    """Stop the training when a figure has not improved for `patience` epochs.

    Args:
        patience: Number of epochs without improvement that are tolerated.
        monitor: Column of the history, such as ``"validation_accuracy"``; by default
            ``validation_loss``, or ``loss`` if there is no validation data.
        minimum_change: Smallest change that counts as an improvement.
        greater_is_better: Whether greater values are better. It is known for losses and
            metrics; other figures that a callback or a step records should fall.

    Raises:
        ValueError: If `patience` is less than one or `minimum_change` is negative.

    Example:
        >>> EarlyStopping(patience=5).patience
        5
    """

    def __init__(
        self,
        patience: int = 10,
        monitor: str | None = None,
        *,
        minimum_change: float = 0.0,
        greater_is_better: bool | None = None,
    ) -> None:
        super().__init__(monitor, greater_is_better=greater_is_better)
        self.patience = whole(patience, "EarlyStopping: patience")
        self.minimum_change = number(
            minimum_change, "EarlyStopping: minimum_change", "[0, inf]"
        )

    @override
    def on_epoch(self, trainer: Trainer, record: Record) -> None:
        if self.improves(trainer, record, by=self.minimum_change):
            return
        waited = int(record["epoch"]) - self.best_epoch
        if waited >= self.patience:
            name, _ = self.figure(record)
            trainer.stop(f"{name} was best in epoch {self.best_epoch}, {waited} epochs ago")


@final
class BestWeights(Monitor):
    """Restore the weights of the best epoch at the end of the training.

    With averaged weights (`ema`), these are the averages, which the validation used.

    Args:
        monitor: Column of the history, as for `EarlyStopping`.
        greater_is_better: Whether greater values are better, as for `EarlyStopping`.

    Example:
        >>> BestWeights("validation_accuracy").monitor
        'validation_accuracy'
    """

    def __init__(
        self, monitor: str | None = None, *, greater_is_better: bool | None = None
    ) -> None:
        super().__init__(monitor, greater_is_better=greater_is_better)
        self.weights: dict[str, torch.Tensor] = {}

    @override
    def on_start(self, trainer: Trainer) -> None:
        super().on_start(trainer)
        self.weights = {}

    @override
    def on_epoch(self, trainer: Trainer, record: Record) -> None:
        if self.improves(trainer, record):
            self.weights = trainer.learner.final_weights()

    @override
    def on_stop(self, trainer: Trainer) -> None:
        if self.weights:
            trainer.learner.load_weights(self.weights)

    @override
    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "weights": self.weights}

    @override
    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict(state)
        self.weights = state["weights"]


def rises(trainer: Trainer, name: str) -> bool:
    """Return whether greater values of a figure are better; False unless its metric says so."""
    for metric in trainer.metrics:
        if metric.name == name:
            return metric.greater_is_better
    try:
        return resolve(name).greater_is_better
    except ValueError:
        return False
