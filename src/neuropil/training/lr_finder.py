"""The learning-rate range test."""

from __future__ import annotations

import contextlib
import copy
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, final

import torch
from torch.optim.lr_scheduler import LambdaLR
from typing_extensions import override

from neuropil.core.shape import whole_number
from neuropil.training.binding import ONLY
from neuropil.training.callbacks import Callback
from neuropil.training.nonfinite import NonFiniteError
from neuropil.training.trainer import Trainer

if TYPE_CHECKING:
    from torch import nn

# How much of the past the smoothed loss keeps, and how far it may rise before the test ends.
SMOOTHING, RISE = 0.9, 4.0


@final
@dataclass(frozen=True)
class LearningRates:
    """What a learning-rate range test found.

    Attributes:
        suggestion: The rate at which the smoothed loss fell fastest.
        rates: The rates that were tried, rising.
        losses: The loss of each step.
        smoothed: The same, smoothed.
    """

    suggestion: float
    rates: list[float] = field(repr=False)
    losses: list[float] = field(repr=False)
    smoothed: list[float] = field(repr=False)


def find_lr(
    trainer: Trainer | nn.Module,
    data: Any,
    *,
    batch_size: int = 32,
    start: float = 1e-7,
    stop: float = 10.0,
    steps: int = 100,
) -> LearningRates:
    """Find a good learning rate: train some steps while the rate rises, and see what happens.

    In step k = 0 … K − 1 the rate is start · (stop / start)^(k / (K − 1)). The loss falls as
    soon as the rate is large enough to matter and rises when it becomes too large; the test
    ends when the smoothed loss is four times its best. All is tried on a copy: weights,
    algorithm and random states stay as they are.

    Args:
        trainer: A trainer with the loss, algorithm, augmentation … to be used, or a network,
            which is then trained with Adam and the default loss.
        data: As for `Trainer.fit`.
        batch_size: Examples in a batch.
        start: The first rate.
        stop: The last rate.
        steps: How many rates are tried.

    Raises:
        ValueError: When the rates do not rise from above zero, or the algorithm has none.

    Reference:
        L. N. Smith, Cyclical learning rates for training neural networks, WACV 2017, §3.3.

    Example:
        >>> import torch
        >>> x = torch.linspace(-1, 1, 64).reshape(-1, 1)
        >>> _ = torch.manual_seed(0)
        >>> line = torch.nn.Linear(1, 1)
        >>> found = find_lr(line, (x, 3 * x), steps=50)
        >>> 1e-3 < found.suggestion < 1
        True
        >>> len(found.rates) == len(found.losses)
        True
    """
    if not 0 < start < stop or not math.isfinite(stop):
        raise ValueError(f"the rates must rise from above 0, got start={start}, stop={stop}.")
    whole_number(steps, "steps", minimum=10)
    trial, watch = trial_of(trainer, start, (stop / start) ** (1 / (steps - 1)), steps)
    # A rate at which the loss is no number is certainly too large.
    with contextlib.suppress(NonFiniteError):
        trial.fit(data, epochs=steps, batch_size=batch_size)
    return judged(watch)


@final
class Watch(Callback):
    """Writes rates and losses down, and ends the test.

    Args:
        start: The first rate.
        factor: What leads from one rate to the next.
        steps: After how many steps at the latest.
    """

    def __init__(self, start: float, factor: float, steps: int) -> None:
        self.start, self.factor, self.steps = start, factor, steps
        self.rates: list[float] = []
        self.losses: list[float] = []
        self.smoothed: list[float] = []
        self.running = 0.0

    @override
    def on_step(self, trainer: Trainer) -> None:
        loss = float(trainer.values["loss"])
        self.rates.append(self.start * self.factor ** len(self.rates))
        self.losses.append(loss)
        self.running = SMOOTHING * self.running + (1 - SMOOTHING) * loss
        # The running mean started at zero; this is what takes that start out of it.
        self.smoothed.append(self.running / (1 - SMOOTHING ** len(self.losses)))
        diverges = self.smoothed[-1] > RISE * max(min(self.smoothed), 1e-12)
        if len(self.losses) == self.steps or diverges:
            trainer.stop("the range test is over")


def trial_of(
    trainer: Trainer | nn.Module, start: float, factor: float, steps: int
) -> tuple[Trainer, Watch]:
    """Return a trainer of a copy whose rate rises with each step.

    Raises:
        ValueError: When the training has several algorithms, or one without a rate.
    """
    if not isinstance(trainer, Trainer):
        trainer = Trainer(trainer, progress=False)
    if list(trainer.learner.algorithms) != [ONLY]:
        raise ValueError("find_lr needs a training with one algorithm.")
    # Copied together, so that the algorithm is bound to the copied parameters.
    network, algorithm = copy.deepcopy((trainer.network, trainer.learner.algorithms[ONLY]))
    for group in algorithm.param_groups:
        if "lr" not in group:
            raise ValueError(f"{type(algorithm).__name__} has no learning rate to find.")
        group["lr"] = start
        group.pop("initial_lr", None)
    schedule = LambdaLR(algorithm, lambda k: factor**k)
    schedule.interval = "step"  # pyright: ignore[reportAttributeAccessIssue]  # ours
    watch = Watch(start, factor, steps)
    options = trainer.options
    trial = Trainer(
        network,
        loss=options.loss,
        algorithm=algorithm,
        regularizer=options.regularizer,
        schedule=schedule,
        step=options.step,
        callbacks=[watch],
        class_weight=options.class_weight,
        augment=options.augment,
        normalize=options.normalize,
        seed=0,
        threads=None,
        accumulate=options.accumulate,
        clip_norm=options.clip_norm,
        mixed_precision=options.mixed_precision,
        progress=False,
    )
    return trial, watch


def judged(watch: Watch) -> LearningRates:
    """Return the rates with the one at which the smoothed loss fell fastest.

    Raises:
        ValueError: When the very first losses were no numbers.
    """
    if len(watch.losses) < 3:
        raise ValueError("the loss is no number even at the smallest rates: lower start.")
    smoothed = torch.tensor(watch.smoothed, dtype=torch.float64)
    best = max(2, int(smoothed.argmin()))
    slopes = torch.gradient(smoothed[: best + 1])[0]
    place = int(slopes.argmin())
    return LearningRates(watch.rates[place], watch.rates, watch.losses, watch.smoothed)
