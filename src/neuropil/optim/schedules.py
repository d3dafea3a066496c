"""Learning-rate schedules: functions of an optimiser that return a torch scheduler.

Each takes its length as ``steps=`` or as ``epochs=``; the scheduler's ``interval`` tells which,
and so when to call its ``step``. t counts from 0, the first step or epoch. After its end a
schedule holds its last rate.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from neuropil.checks import number, whole
from neuropil.core.name_lookup import look_up
from neuropil.optim.optimizer_options import FRACTIONS
from neuropil.optim.schedule_rates import Cosine, Cycle, Exponential, Polynomial, Steps
from neuropil.optim.torch_schedulers import (
    Interval,
    OneCycle,
    Schedule,
    Warmup,
    check_follower,
)

if TYPE_CHECKING:
    from torch.optim import Optimizer
    from torch.optim.lr_scheduler import LRScheduler

SCHEDULES: dict[str, Callable[..., Schedule | Warmup]] = {}
Maker = TypeVar("Maker", bound=Callable[..., "Schedule | Warmup"])


def register(make: Maker) -> Maker:
    """Register a schedule under its name without ``_decay``; a decorator."""
    SCHEDULES[make.__name__.removesuffix("_decay")] = make
    return make


@register
def step_decay(
    optimizer: Optimizer,
    *,
    steps: int | None = None,
    epochs: int | None = None,
    factor: float = 0.1,
) -> Schedule:
    """Multiply the rate by ``factor`` at regular intervals.

    ``lr · factor ^ ⌊t / length⌋``

    Args:
        optimizer: The optimiser whose learning rates are set.
        steps: The length of an interval in steps.
        epochs: The length of an interval in epochs.
        factor: Factor of the rate after each interval.

    Raises:
        ValueError: If not exactly one length is given, or an argument is out of its range.

    Example:
        >>> from torch import ones
        >>> from neuropil.optim import GradientDescent, step_decay
        >>> optimizer = GradientDescent([ones(1)], lr=1.0)
        >>> step_decay(optimizer, epochs=2, factor=0.5).rates(6)
        [1.0, 1.0, 0.5, 0.5, 0.25, 0.25]
    """
    length, interval = length_of("step_decay", steps, epochs)
    number(factor, "step_decay: `factor`", "(0, 1]")
    return Schedule(
        optimizer, [Steps(length, factor) for _ in optimizer.param_groups], interval
    )


@register
def exponential_decay(
    optimizer: Optimizer,
    *,
    steps: int | None = None,
    epochs: int | None = None,
    factor: float = 0.1,
) -> Schedule:
    """Lower the rate exponentially: by ``factor`` over each ``length`` of time, without end.

    ``lr · factor ^ (t / length)``

    Args:
        optimizer: The optimiser whose learning rates are set.
        steps: The number of steps in which the rate falls by the factor.
        epochs: The number of epochs in which the rate falls by the factor.
        factor: Factor of the rate after that time.

    Raises:
        ValueError: If not exactly one length is given, or an argument is out of its range.

    Example:
        >>> from torch import ones
        >>> from neuropil.optim import GradientDescent, exponential_decay
        >>> optimizer = GradientDescent([ones(1)], lr=1.0)
        >>> exponential_decay(optimizer, steps=2, factor=0.25).rates(5)
        [1.0, 0.5, 0.25, 0.125, 0.0625]
    """
    length, interval = length_of("exponential_decay", steps, epochs)
    number(factor, "exponential_decay: `factor`", "(0, 1]")
    factors = [Exponential(length, factor) for _ in optimizer.param_groups]
    return Schedule(optimizer, factors, interval)


@register
def polynomial_decay(
    optimizer: Optimizer,
    *,
    steps: int | None = None,
    epochs: int | None = None,
    power: float = 2.0,
    minimum: float = 0.0,
) -> Schedule:
    """Lower the rate to ``minimum``, as a power of the remaining time.

    ``minimum + (lr − minimum) (1 − t / length) ^ power``

    Args:
        optimizer: The optimiser whose learning rates are set.
        steps: The length of the decay in steps.
        epochs: The length of the decay in epochs.
        power: Above 1 the rate falls fast at first; below 1, at the end.
        minimum: The rate at the end, and after it.

    Raises:
        ValueError: If not exactly one length is given, or an argument is out of its range.

    Example:
        >>> from torch import ones
        >>> from neuropil.optim import GradientDescent, polynomial_decay
        >>> optimizer = GradientDescent([ones(1)], lr=1.0)
        >>> polynomial_decay(optimizer, steps=4).rates(6)
        [1.0, 0.5625, 0.25, 0.0625, 0.0, 0.0]
    """
    length, interval = length_of("polynomial_decay", steps, epochs)
    number(power, "polynomial_decay: `power`", "(0, inf)")
    floors = floors_of("polynomial_decay", optimizer, minimum)
    return Schedule(optimizer, [Polynomial(length, power, x) for x in floors], interval)


@register
def linear_decay(
    optimizer: Optimizer,
    *,
    steps: int | None = None,
    epochs: int | None = None,
    minimum: float = 0.0,
) -> Schedule:
    """Lower the rate to ``minimum`` along a straight line.

    ``minimum + (lr − minimum) (1 − t / length)``

    Args:
        optimizer: The optimiser whose learning rates are set.
        steps: The length of the decay in steps.
        epochs: The length of the decay in epochs.
        minimum: The rate at the end, and after it.

    Raises:
        ValueError: If not exactly one length is given, or an argument is out of its range.

    Example:
        >>> from torch import ones
        >>> from neuropil.optim import GradientDescent, linear_decay
        >>> optimizer = GradientDescent([ones(1)], lr=1.0)
        >>> linear_decay(optimizer, steps=4).rates(6)
        [1.0, 0.75, 0.5, 0.25, 0.0, 0.0]
    """
    length, interval = length_of("linear_decay", steps, epochs)
    floors = floors_of("linear_decay", optimizer, minimum)
    return Schedule(optimizer, [Polynomial(length, 1.0, x) for x in floors], interval)


@register
def cosine_decay(
    optimizer: Optimizer,
    *,
    steps: int | None = None,
    epochs: int | None = None,
    minimum: float = 0.0,
) -> Schedule:
    """Lower the rate to ``minimum`` along half a cosine wave.

    ``minimum + (lr − minimum) (1 + cos(π t / length)) / 2``

    Args:
        optimizer: The optimiser whose learning rates are set.
        steps: The length of the decay in steps.
        epochs: The length of the decay in epochs.
        minimum: The rate at the end, and after it.

    Raises:
        ValueError: If not exactly one length is given, or an argument is out of its range.

    Reference:
        Loshchilov, Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", 2017, eq. 5,
        without restarts.

    Example:
        >>> from torch import ones
        >>> from neuropil.optim import GradientDescent, cosine_decay
        >>> optimizer = GradientDescent([ones(1)], lr=1.0)
        >>> [round(rate, 6) for rate in cosine_decay(optimizer, steps=3).rates(5)]
        [1.0, 0.75, 0.25, 0.0, 0.0]
    """
    length, interval = length_of("cosine_decay", steps, epochs)
    floors = floors_of("cosine_decay", optimizer, minimum)
    return Schedule(optimizer, [Cosine(length, x) for x in floors], interval)


@register
def warmup(
    optimizer: Optimizer,
    *,
    steps: int | None = None,
    epochs: int | None = None,
    start: float = 0.01,
    then: LRScheduler | None = None,
) -> Warmup:
    """Raise the rate along a straight line, then follow another schedule.

    ``lr (start + (1 − start) t / length)`` up to ``t = length``, where ``then`` starts.

    Args:
        optimizer: The optimiser whose learning rates are set.
        steps: The length of the rise in steps.
        epochs: The length of the rise in epochs.
        start: The first rate, as a fraction of the final one.
        then: The schedule that follows, for the same optimiser and in the same unit; any of
            torch's schedulers that needs no metric is allowed. With None the rate stays
            constant.

    Raises:
        ValueError: If not exactly one length is given, an argument is out of its range, or
            ``then`` cannot follow.

    Reference:
        Goyal et al., "Accurate, Large Minibatch SGD: Training ImageNet in 1 Hour", 2017, §2.2.

    Example:
        >>> from torch import ones
        >>> from neuropil.optim import GradientDescent, linear_decay, warmup
        >>> optimizer = GradientDescent([ones(1)], lr=1.0)
        >>> decay = linear_decay(optimizer, steps=2)
        >>> schedule = warmup(optimizer, steps=4, start=0.2, then=decay)
        >>> [round(rate, 6) for rate in schedule.rates(8)]
        [0.2, 0.4, 0.6, 0.8, 1.0, 0.5, 0.0, 0.0]
    """
    length, interval = length_of("warmup", steps, epochs)
    number(start, "warmup: `start`", "[0, 1]")
    if then is not None:
        check_follower(optimizer, then, interval)
    return Warmup(optimizer, length, interval, start, then)


@register
def one_cycle(
    optimizer: Optimizer,
    *,
    steps: int | None = None,
    epochs: int | None = None,
    rise: float = 0.3,
    start: float = 0.04,
    end: float = 4e-6,
    momentum: tuple[float, float] | None = (0.85, 0.95),
) -> OneCycle:
    """Raise the rate to the optimiser's own and lower it to almost 0, in one cycle.

    The rate follows half a cosine wave from ``start · lr`` up to ``lr`` at
    ``t = rise · length − 1``, then half a wave down to ``end · lr`` at ``t = length − 1``, the
    last step. The momentum (β₁ for optimisers like Adam) moves the other way, from high to low
    and back; an optimiser without momentum gets none.

    Args:
        optimizer: The optimiser whose learning rates are set; they are the peaks.
        steps: The length of the cycle in steps.
        epochs: The length of the cycle in epochs.
        rise: The rising fraction of the cycle, below 1.
        start: The first rate, as a fraction of the peak.
        end: The last rate, as a fraction of the peak.
        momentum: The lowest and the highest momentum; None leaves it unchanged.

    Raises:
        ValueError: If not exactly one length is given, or an argument is out of its range.

    Reference:
        Smith, Topin, "Super-Convergence: Very Fast Training of Neural Networks Using Large
        Learning Rates", 2018; the rates, momenta and defaults are those of torch's
        `OneCycleLR`, which raises an error after ``length`` steps, where ours holds the last
        rate.

    Example:
        >>> from torch import ones
        >>> from neuropil.optim import Momentum, one_cycle
        >>> optimizer = Momentum([ones(1)], lr=1.0)
        >>> schedule = one_cycle(optimizer, steps=6, rise=0.5, start=0.2, end=0.0)
        >>> [round(rate, 6) for rate in schedule.rates(8)]
        [0.2, 0.6, 1.0, 0.75, 0.25, 0.0, 0.0, 0.0]
        >>> optimizer.param_groups[0]["momentum"]
        0.95
    """
    length, interval = length_of("one_cycle", steps, epochs)
    number(rise, "one_cycle: `rise`", "[0, 1)")
    number(start, "one_cycle: `start`", "[0, 1]")
    number(end, "one_cycle: `end`", "[0, 1]")
    if momentum is not None:
        FRACTIONS(momentum, "one_cycle: `momentum`")
        if momentum[0] > momentum[1]:
            raise ValueError(
                f"one_cycle: `momentum` must be (lowest, highest), got {momentum!r}."
            )
    return OneCycle(optimizer, Cycle(length, rise, start, end), interval, momentum)


def by_name(name: str) -> Callable[..., Schedule | Warmup]:
    """Return the schedule with this name.

    Args:
        name: Such as "cosine", or "cosine_decay".

    Raises:
        ValueError: If the name is unknown; the nearest is suggested.

    Example:
        >>> by_name("cosine").__name__
        'cosine_decay'
    """
    return look_up(name.removesuffix("_decay"), SCHEDULES, "schedule")


def for_training(
    name: str, optimizer: Optimizer, *, steps: int | None = None, epochs: int | None = None
) -> Schedule | Warmup:
    """Return the schedule with this name, scaled to the length of a training run.

    Most schedules span the whole run. A step decay has three intervals; the exponential falls
    to 1 %; a warm-up takes the first twentieth and a cosine the rest.

    Args:
        name: Such as "cosine".
        optimizer: The optimiser whose learning rates are set.
        steps: The length of the training in steps.
        epochs: The length of the training in epochs.

    Raises:
        ValueError: If the name is unknown, or not exactly one length is given.

    Example:
        >>> from torch import ones
        >>> from neuropil.optim import GradientDescent
        >>> optimizer = GradientDescent([ones(1)], lr=1.0)
        >>> [round(rate, 6) for rate in for_training("step", optimizer, epochs=6).rates(6)]
        [1.0, 1.0, 0.1, 0.1, 0.01, 0.01]
    """
    schedule = by_name(name)
    length, interval = length_of(name, steps, epochs)

    def part(size: int) -> dict[str, Any]:
        return {f"{interval}s": max(1, size)}

    options: dict[str, Any] = part(length)
    if schedule is step_decay:
        options = part(length // 3)
    elif schedule is exponential_decay:
        options["factor"] = 0.01
    elif schedule is warmup:
        options = part(length // 20)
        options["then"] = cosine_decay(optimizer, **part(length - length // 20))
    return schedule(optimizer, **options)


def length_of(name: str, steps: int | None, epochs: int | None) -> tuple[int, Interval]:
    """Return the length of a schedule and its unit.

    Raises:
        ValueError: If not exactly one of both is given, or it is not a whole number from 1.
    """
    if (steps is None) == (epochs is None):
        got = "neither" if steps is None else "both"
        raise ValueError(f"{name} takes either `steps` or `epochs` as its length, got {got}.")
    if steps is not None:
        return whole(steps, f"{name}: `steps`"), "step"
    return whole(epochs, f"{name}: `epochs`"), "epoch"


def floors_of(name: str, optimizer: Optimizer, minimum: float) -> list[float]:
    """Return, for each parameter group, the last rate as a fraction of the first.

    Raises:
        ValueError: If the last rate is not between 0 and the first.
    """
    rates = [float(group.get("initial_lr", group["lr"])) for group in optimizer.param_groups]
    number(minimum, f"{name}: `minimum`", f"[0, {min(rates)}]")
    return [minimum / rate if rate else 0.0 for rate in rates]
