"""Torch learning-rate schedulers whose rate is a closed-form function of time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

from torch import Tensor
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, ReduceLROnPlateau
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch.optim import Optimizer

    from neuropil.optim.schedule_rates import Cycle

Interval: TypeAlias = Literal["step", "epoch"]


class Schedule(LambdaLR):
    """A torch scheduler with an attribute that tells whether it counts steps or epochs.

    Args:
        optimizer: The optimiser whose learning rates are set.
        factors: For each of its parameter groups, the factor of its rate at time t.
        interval: The unit of t, and so when `step` must be called.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        factors: Sequence[Callable[[int], float]],
        interval: Interval,
    ) -> None:
        self.interval: Interval = interval
        super().__init__(optimizer, list(factors))

    @override
    def step(self, epoch: int | None = None) -> None:
        """Advance by one step or epoch, after the optimiser's own step.

        Args:
            epoch: Deprecated by torch.
        """
        groups = self.optimizer.param_groups
        first = self._step_count < 2  # torch checks the order of calls once
        if first or epoch is not None or any(isinstance(g["lr"], Tensor) for g in groups):
            super().step(epoch)
            return
        self._step_count += 1
        self.last_epoch += 1
        self._last_lr = self.at(self.last_epoch)
        for group, lr in zip(groups, self._last_lr, strict=True):
            group["lr"] = lr

    def at(self, t: int) -> list[float | Tensor]:
        """Return the rate of each parameter group at time t."""
        factors = zip(self.base_lrs, self.lr_lambdas, strict=True)
        return [base * factor(t) for base, factor in factors]

    def rates(self, length: int) -> list[float]:
        """Return the first parameter group's rates from time 0 on; changes nothing.

        Args:
            length: How many.
        """
        return [float(self.at(t)[0]) for t in range(length)]


class OneCycle(Schedule):
    """A schedule that moves the momentum against the learning rate."""

    def __init__(
        self,
        optimizer: Optimizer,
        factor: Cycle,
        interval: Interval,
        momentum: tuple[float, float] | None,
    ) -> None:
        self.momentum = momentum
        super().__init__(optimizer, [factor] * len(optimizer.param_groups), interval)

    @override
    def step(self, epoch: int | None = None) -> None:
        super().step(epoch)
        if self.momentum is None:
            return
        low, high = self.momentum
        cycle = cast("Cycle", self.lr_lambdas[0])
        for group in self.optimizer.param_groups:
            # Opposite to the rate: low momentum at the peak.
            set_momentum(group, high - (high - low) * cycle.height(self.last_epoch))


class Warmup(LRScheduler):
    """Raise the rate to the first rate of another schedule, then follow that schedule."""

    def __init__(
        self,
        optimizer: Optimizer,
        length: int,
        interval: Interval,
        start: float,
        then: LRScheduler | None,
    ) -> None:
        self.length = length
        self.interval: Interval = interval
        self.start = start
        self.then = then
        groups = optimizer.param_groups
        own = [group.get("initial_lr", group["lr"]) for group in groups]
        self.tops = own if then is None else then.get_last_lr()
        super().__init__(optimizer)

    @override
    def get_lr(self) -> list[float | Tensor]:
        return self.at(self.last_epoch)

    def at(self, t: int) -> list[float | Tensor]:
        """Return the rate of each parameter group at time t, up to the end of the rise."""
        # With the terms in this order the last factor is exactly 1.
        factor = 1 - (1 - self.start) * (1 - min(1.0, t / self.length))
        return [top * factor for top in self.tops]

    def rates(self, length: int) -> list[float]:
        """Return the first parameter group's rates from time 0 on; changes nothing.

        Args:
            length: How many.

        Raises:
            TypeError: If the schedule that follows is torch's own: its rates are not known
                beforehand.
        """
        rise = length if self.then is None else min(length, self.length)
        rates = [float(self.at(t)[0]) for t in range(rise)]
        if rise == length:
            return rates
        if not isinstance(self.then, Schedule | Warmup):
            raise TypeError(f"{type(self.then).__name__} cannot tell its rates beforehand.")
        return rates + self.then.rates(length - rise)

    @override
    def step(self, epoch: int | None = None) -> None:
        if self.then is None or self.last_epoch < self.length:
            super().step(epoch)
            return
        self.then.step()
        self._step_count += 1
        self.last_epoch += 1
        self._last_lr = self.then.get_last_lr()

    @override
    def state_dict(self) -> dict[str, Any]:
        state = super().state_dict()
        state["then"] = None if self.then is None else self.then.state_dict()
        return state

    @override
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        state = dict(state_dict)
        inner = state.pop("then")
        super().load_state_dict(state)
        if self.then is not None:
            self.then.load_state_dict(inner)


def set_momentum(group: dict[str, Any], momentum: float) -> None:
    """Set the momentum of a parameter group that has one."""
    if "betas" in group:
        group["betas"] = (momentum, *group["betas"][1:])
    elif group.get("momentum"):
        group["momentum"] = momentum


def check_follower(optimizer: Optimizer, then: LRScheduler, interval: Interval) -> None:
    """Check that a schedule can follow a warm-up.

    Raises:
        ValueError: If it belongs to another optimiser, counts in another unit, or needs a
            metric.
    """
    if isinstance(then, ReduceLROnPlateau):
        raise ValueError("warmup: `then` cannot be ReduceLROnPlateau, which needs a metric.")
    if then.optimizer is not optimizer:
        raise ValueError(
            "warmup: `then` is a schedule of another optimiser; create it with this one."
        )
    if interval_of(then) != interval:
        raise ValueError(
            f"warmup counts {interval}s but `then` counts {interval_of(then)}s: "
            f"give both lengths in the same unit, `steps` or `epochs`."
        )


def interval_of(scheduler: LRScheduler) -> Interval:
    """Return when to call a scheduler's `step`: after each "step", or after each "epoch".

    Args:
        scheduler: A scheduler of this package or of torch, whose convention is the epoch.

    Example:
        >>> import torch
        >>> sgd = torch.optim.SGD([torch.ones(1)], lr=1.0)
        >>> interval_of(torch.optim.lr_scheduler.StepLR(sgd, 10))
        'epoch'
    """
    return getattr(scheduler, "interval", "epoch")
