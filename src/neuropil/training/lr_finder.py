"""The learning-rate range test."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, final

import torch
from torch.optim.lr_scheduler import LambdaLR
from typing_extensions import override

from neuropil.checks import whole
from neuropil.training.binding import ONLY
from neuropil.training.callbacks import Callback
from neuropil.training.loop.update import evaluation
from neuropil.training.nonfinite import NonFiniteError
from neuropil.training.trainer import Trainer

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

# The part of the largest fall that a good rate has reached. Beyond it the loss still falls for
# a while, but at rates that a longer training does not stand.
PART = 2 / 3
# How often the starting loss the loss may rise by before the test ends, and over how many steps
# that is seen.
RISE, RECENT = 3.0, 5
# A loss is smoothed over this part of all steps, to either side.
REACH = 1 / 25


@final
@dataclass(frozen=True)
class LearningRates:
    """What a learning-rate range test found.

    Attributes:
        suggestion: The rate at which the smoothed loss had fallen two thirds of its way.
        rates: The rates that were tried, rising.
        losses: The loss of each step.
        smoothed: The same, smoothed, without what only the choice of the batch made of it.
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
    ends when it is four times what it was. Some batches are harder than others, so each loss is
    compared with that of the untouched network on the same batch: what is smoothed is the
    difference. The suggestion is the rate at which it has come two thirds of the way to its
    lowest. All is tried on a copy: weights, optimiser and random states stay as they are.

    Args:
        trainer: A trainer with the loss, optimiser, augmentation … to be used, or a network,
            which is then trained with Adam and the default loss.
        data: As for `Trainer.fit`.
        batch_size: Examples in a batch.
        start: The first rate.
        stop: The last rate.
        steps: How many rates are tried.

    Raises:
        ValueError: When the rates do not rise from above zero, the optimiser has none, or the
            loss falls at no rate.

    Reference:
        L. N. Smith, Cyclical learning rates for training neural networks, WACV 2017, §3.3, for
        the test; the comparison with the untouched network is ours.

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
    whole(steps, "steps", minimum=10)
    trial, watch = trial_of(trainer, start, (stop / start) ** (1 / (steps - 1)), steps)
    # A rate at which the loss is NaN is certainly too large.
    with contextlib.suppress(NonFiniteError):
        trial.fit(data, epochs=steps, batch_size=batch_size)
    return suggest(watch)


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
        self.untouched: list[float] = []
        self.origin: Callable[[Any, Any], tuple[Any, Tensor]] | None = None

    @override
    def on_start(self, trainer: Trainer) -> None:
        if trainer.options.step is None and trainer.objective is not None:
            forward = copy.deepcopy(trainer.learner.scores).train()
            measure = evaluation(forward, trainer.objective.mean)
            self.origin = trainer.options.autocast(trainer.device)(measure)

    @override
    def on_step(self, trainer: Trainer) -> None:
        self.rates.append(self.start * self.factor ** len(self.rates))
        self.losses.append(float(trainer.values["loss"]))
        self.untouched.append(self.untouched_loss(trainer))
        recent = sum(self.losses[-RECENT:]) - sum(self.untouched[-RECENT:])
        level = abs(sum(self.untouched)) / len(self.untouched)
        diverges = recent / min(RECENT, len(self.losses)) > RISE * max(level, 1e-12)
        if len(self.losses) == self.steps or diverges:
            trainer.stop("the range test is over")

    def untouched_loss(self, trainer: Trainer) -> float:
        """Return the loss of the weights before the first step on the batch at hand.

        With a step of the user's own it is not known: the first tenth of the losses, at rates
        too small to matter, takes its place.
        """
        if self.origin is None or trainer.update is None:
            first = self.losses[: max(1, self.steps // 10)]
            return sum(first) / len(first)
        inputs, targets = trainer.update.parts.batch
        devices = [trainer.device] if trainer.device.type == "cuda" else []
        with torch.no_grad(), torch.random.fork_rng(devices=devices):
            return float(self.origin(inputs, targets)[1])


def trial_of(
    trainer: Trainer | nn.Module, start: float, factor: float, steps: int
) -> tuple[Trainer, Watch]:
    """Return a trainer of a copy whose rate rises with each step.

    Raises:
        ValueError: When the training has several optimisers, or one without a rate.
    """
    if not isinstance(trainer, Trainer):
        trainer = Trainer(trainer, progress=False)
    if list(trainer.learner.optimizers) != [ONLY]:
        raise ValueError("find_lr needs a training with one optimiser.")
    # Copied together, so that the optimiser is bound to the copied parameters.
    network, optimizer = copy.deepcopy((trainer.network, trainer.learner.optimizers[ONLY]))
    for group in optimizer.param_groups:
        if "lr" not in group:
            raise ValueError(f"{type(optimizer).__name__} has no learning rate to find.")
        group["lr"] = start
        group.pop("initial_lr", None)
    schedule = LambdaLR(optimizer, lambda k: factor**k)
    schedule.interval = "step"  # pyright: ignore[reportAttributeAccessIssue]  # ours
    watch = Watch(start, factor, steps)
    options = dataclasses.replace(
        trainer.options,
        network=network,
        optimizer=optimizer,
        metrics=(),
        schedule=schedule,
        callbacks=[watch],
        seed=0,
        device=None,
        threads=None,
        ema=None,
        compile=False,
        checkpoints=None,
        progress=False,
    )
    trial = Trainer(**vars(options))
    return trial, watch


def suggest(watch: Watch) -> LearningRates:
    """Return the rates with the one at which the smoothed loss had come most of its way down.

    Raises:
        ValueError: When the loss fell at no rate.
    """
    if len(watch.losses) < 3:
        raise ValueError("the loss is NaN or infinite even at the smallest rates: lower start.")
    losses, untouched = (
        torch.tensor(values, dtype=torch.float64) for values in (watch.losses, watch.untouched)
    )
    reach = max(1, round(REACH * watch.steps))
    change = smooth(losses - untouched, reach)
    lowest = int(change.argmin())
    if not change[lowest] < 0:
        raise ValueError(
            f"the loss fell at no rate from {watch.rates[0]:g} to {watch.rates[-1]:g}: lower "
            f"start if it rose at once, else see whether there is anything to learn."
        )
    # Where it stays so low for a while: a single dip may be chance.
    short = change[: lowest + 1] > PART * change[lowest]
    stays = [not short[k : k + reach + 1].any() for k in range(lowest + 1)]
    place = stays.index(True)
    shown = (untouched.mean() + change).tolist()
    return LearningRates(watch.rates[place], watch.rates, watch.losses, shown)


def smooth(values: Tensor, reach: int) -> Tensor:
    """Return means over a triangle of neighbours, of those that there are at the ends."""
    triangle = 1 - torch.arange(-reach, reach + 1).abs() / (reach + 1)
    weights = triangle.to(values.dtype)[None, None]
    parts = torch.stack([values, torch.ones_like(values)])[:, None]
    sums, total = torch.nn.functional.conv1d(parts, weights, padding=reach)[:, 0]
    return sums / total
