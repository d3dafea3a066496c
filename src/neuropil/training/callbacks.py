"""What runs beside a training: stopping early, keeping the best weights, your own."""

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
    """Something to do at certain moments of a training: override the moments that you need.

    What `state_dict` gives is kept in the checkpoints, so that a resumed training goes on as if
    it had never stopped. It may hold tensors, numbers, texts, and lists and dicts of them.

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
            trainer: The trainer at work.
        """

    def on_step(self, trainer: Trainer) -> None:
        """Run after every step; the gradients are still there.

        Args:
            trainer: The trainer at work.
        """

    def on_epoch(self, trainer: Trainer, record: Record) -> None:
        """Run after every epoch and its validation.

        Args:
            trainer: The trainer at work; ``trainer.stop("why")`` ends the training here.
            record: The epoch's figures; what is added to it appears in the history.
        """

    def on_stop(self, trainer: Trainer) -> None:
        """Run after the last epoch, once the final weights are in the network.

        Args:
            trainer: The trainer at work.
        """

    def state_dict(self) -> dict[str, Any]:
        """Return what the callback must remember to go on after an interruption."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what `state_dict` gave.

        Args:
            state: The remembered values.
        """


def actions_at(
    moment: str, callbacks: Iterable[Callback], trainer: Trainer
) -> list[Callable[..., None]]:
    """Return what callbacks do at a moment of a trainer; nothing for those that do nothing."""
    own = (c for c in callbacks if getattr(type(c), moment) is not getattr(Callback, moment))
    return [functools.partial(getattr(callback, moment), trainer) for callback in own]


def by_type(callbacks: Iterable[Callback]) -> dict[str, Callback]:
    """Return callbacks under their types' names, numbered from the second of a type."""
    names: dict[str, Callback] = {}
    for callback in callbacks:
        kind = type(callback).__name__
        count = sum(type(c).__name__ == kind for c in names.values())
        names[f"{kind}{count + 1}" if count else kind] = callback
    return names


class Monitor(Callback):
    """What watches one figure of the history, anew in each fit.

    Args:
        monitor: The figure's column, or None for ``validation_loss`` where there is validation
            and ``loss`` otherwise.
        greater_is_better: Which way the figure gets better; None where that is known.
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
        """Tell whether an epoch is the best so far, and remember it if so."""
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
        """Return the figure's column and value.

        Raises:
            ValueError: When the history has no such column.
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
    """Stop when a figure has not become better for `patience` epochs.

    Args:
        patience: Number of epochs without progress that are tolerated.
        monitor: The figure's column in the history, such as ``"validation_accuracy"``; by
            default ``validation_loss``, and ``loss`` where there is no validation.
        minimum_change: By how much the figure must be better to count.
        greater_is_better: Which way the figure gets better; known for losses and metrics, and
            taken to be downwards for what else a callback or a step may record.

    Raises:
        ValueError: When `patience` is less than one or `minimum_change` negative.

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
    """Put the weights of the best epoch back into the network at the end.

    Where weights are averaged, these are the averaged ones, which the validation saw.

    Args:
        monitor: The figure's column in the history; as in `EarlyStopping`.
        greater_is_better: Which way the figure gets better; as in `EarlyStopping`.

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
            trainer.learner.module.load_state_dict(self.weights)

    @override
    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "weights": self.weights}

    @override
    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict(state)
        self.weights = state["weights"]


def rises(trainer: Trainer, name: str) -> bool:
    """Tell whether a figure gets better as it rises: so its metric says, and losses fall."""
    for metric in trainer.metrics:
        if metric.name == name:
            return metric.greater_is_better
    try:
        return resolve(name).greater_is_better
    except ValueError:
        return False
