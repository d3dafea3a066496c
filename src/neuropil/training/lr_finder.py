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

from neuropil.checks import whole
from neuropil.training.binding import ONLY
from neuropil.training.callbacks import Callback
from neuropil.training.loop.update import evaluation_of
from neuropil.training.nonfinite import NonFiniteError
from neuropil.training.trainer import Trainer

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

# Fraction of the largest decrease that the loss has reached at the suggested rate. Beyond it
# the loss still falls for a while, but at rates too large for a longer training.
PART = 2 / 3
# The test ends when the mean loss of the recent steps has risen by this multiple of the
# starting loss.
RISE, RECENT = 3.0, 5
# Half-width of the smoothing window, as a fraction of all steps.
REACH = 1 / 25


@final
@dataclass(frozen=True)
class LearningRates:
    """Result of a learning-rate range test.

    Attributes:
        suggestion: The rate at which the smoothed loss reached two thirds of its decrease.
        rates: The rates that were tried, in rising order.
        losses: The loss of each step.
        smoothed: The smoothed losses, corrected for the difficulty of each batch.
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
    """Find a good learning rate by training a few steps while the rate rises.

    In step k = 0 … K − 1 the rate is start · (stop / start)^(k / (K − 1)). The loss falls as
    soon as the rate is large enough to matter and rises when it becomes too large; the test
    ends when it reaches four times its initial value. Some batches are harder than others, so
    the loss of the initial network on the same batch is subtracted from each loss before
    smoothing. The suggestion is the rate at which the difference has reached two thirds of its
    minimum. The test runs on a copy: weights, optimiser and random states do not change.

    Args:
        trainer: A trainer with the loss, optimiser, augmentation … to be used, or a network,
            which is then trained with Adam and the default loss.
        data: As for `Trainer.fit`.
        batch_size: Number of examples in a batch.
        start: The first rate.
        stop: The last rate.
        steps: Number of rates to try.

    Raises:
        ValueError: If the rates do not rise from above zero, the optimiser has no learning
            rate, or the loss does not fall at any rate.

    Reference:
        L. N. Smith, Cyclical learning rates for training neural networks, WACV 2017, §3.3, for
        the test; the comparison with the initial network is ours.

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
    """Record rates and losses, and end the test.

    Args:
        start: The first rate.
        factor: Ratio of successive rates.
        steps: Maximum number of steps.
    """

    def __init__(self, start: float, factor: float, steps: int) -> None:
        self.start, self.factor, self.steps = start, factor, steps
        self.rates: list[float] = []
        self.losses: list[float] = []
        self.untouched: list[float] = []
        self.origin: Callable[..., tuple[Any, Tensor]] | None = None

    @override
    def on_start(self, trainer: Trainer) -> None:
        if trainer.options.step is None and trainer.objective is not None:
            forward = copy.deepcopy(trainer.learner.scores).train()
            measure = evaluation_of(forward, trainer.objective)
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
        """Return the loss of the initial weights on the current batch.

        With a custom step it is not known, and the mean of the first tenth of the losses, at
        rates too small to matter, is used instead.
        """
        if self.origin is None or trainer.update is None:
            first = self.losses[: max(1, self.steps // 10)]
            return sum(first) / len(first)
        devices = [trainer.device] if trainer.device.type == "cuda" else []
        with torch.no_grad(), torch.random.fork_rng(devices=devices):
            return float(self.origin(*trainer.update.parts.batch)[1])


def trial_of(
    trainer: Trainer | nn.Module, start: float, factor: float, steps: int
) -> tuple[Trainer, Watch]:
    """Return a trainer for a copy of the network, whose rate rises with each step.

    Raises:
        ValueError: If there are several optimisers, or the optimiser has no learning rate.
    """
    if not isinstance(trainer, Trainer):
        trainer = Trainer(trainer, progress=False)
    if list(trainer.learner.optimizers) != [ONLY]:
        raise ValueError("find_lr needs a trainer with one optimiser.")
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
    own: dict[str, Any] = {"network": network, "optimizer": optimizer, "schedule": schedule}
    own |= {"callbacks": [watch], "metrics": (), "seed": 0, "compile": False, "progress": False}
    own |= dict.fromkeys(("device", "threads", "ema", "checkpoints"))
    return Trainer(**vars(trainer.options) | own), watch


def suggest(watch: Watch) -> LearningRates:
    """Return the result of the test: the smoothed losses and the suggested rate.

    Raises:
        ValueError: If the loss did not fall at any rate.
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
            f"the loss did not fall at any rate from {watch.rates[0]:g} to "
            f"{watch.rates[-1]:g}: lower start if it rose at once, otherwise check whether the "
            f"inputs determine the targets."
        )
    # The loss must stay this low for a while: a single dip may be chance.
    short = change[: lowest + 1] > PART * change[lowest]
    stays = [not short[k : k + reach + 1].any() for k in range(lowest + 1)]
    place = stays.index(True)
    shown = (untouched.mean() + change).tolist()
    return LearningRates(watch.rates[place], watch.rates, watch.losses, shown)


def smooth(values: Tensor, reach: int) -> Tensor:
    """Return averages with triangular weights, over the available neighbours at the ends."""
    triangle = 1 - torch.arange(-reach, reach + 1).abs() / (reach + 1)
    weights = triangle.to(values.dtype)[None, None]
    parts = torch.stack([values, torch.ones_like(values)])[:, None]
    sums, total = torch.nn.functional.conv1d(parts, weights, padding=reach)[:, 0]
    return sums / total
