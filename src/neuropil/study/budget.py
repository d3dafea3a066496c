"""The time of a study: what a training costs, and how many trainings fit."""

from __future__ import annotations

import math
import re
import time
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from typing_extensions import override

from neuropil.text import duration, number_of
from neuropil.training.callbacks import Callback

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from neuropil.study.outcomes import Outcome
    from neuropil.study.setups.setup import Setup
    from neuropil.study.trial import Trial
    from neuropil.training import Trainer

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
# Steps of a measurement: the first ones allocate memory and compile.
COLD, WARM = 2, 3
# Seeds with which intervals are usable, that verdicts mostly need, and the most that a study
# plans by itself.
FEWEST_SEEDS, USUAL_SEEDS, MOST_SEEDS = 3, 5, 20
# The part of the budget that is planned; the rest is for what the measurements do not foresee.
PLANNED = 0.9
# Variants that are decided early leave time for more seeds than would fit for all.
STOPPED_EARLY = 1.25


def seconds_of(text: str) -> float:
    """Return a time such as ``"90s"``, ``"30m"`` or ``"1.5h"`` in seconds.

    Raises:
        ValueError: If the text is not a time above 0.

    Example:
        >>> seconds_of("30m"), seconds_of("1h30m")
        (1800.0, 5400.0)
    """
    parts = re.findall(r"(\d+(?:\.\d+)?)\s*([smhd])", text)
    if not parts or re.sub(r"\d+(?:\.\d+)?\s*[smhd]", "", text).strip():
        raise ValueError(f"the budget must be a time such as 90s, 30m or 2h, got {text!r}.")
    seconds = sum(float(number) * UNITS[unit] for number, unit in parts)
    if not 0 < seconds < math.inf:
        raise ValueError(f"the budget must be above 0, got {text!r}.")
    return seconds


class Cost(NamedTuple):
    """The cost of a training.

    Attributes:
        seconds: The expected seconds of a training, with the measurement of its outcome.
        steps: The number of steps.
    """

    seconds: float
    steps: int


class StepTimes(Callback):
    """Measures the time of steps, and stops the training after a few.

    Args:
        most: The number of steps.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.ends: list[float] = []

    @override
    def on_step(self, trainer: Trainer) -> None:
        self.ends.append(time.perf_counter())
        if len(self.ends) >= self.most:
            trainer.stop("measured")

    @property
    def shortest(self) -> float:
        """The least seconds between two steps, after the first ones where there are more."""
        gaps = [b - a for a, b in zip(self.ends, self.ends[1:], strict=False)]
        return min(gaps[COLD - 1 :] or gaps, default=0.0)


def measure_cost(setup: Setup, trial: Trial, outcome: Outcome | None) -> Cost:
    """Return the cost of a training, from some of its steps.

    Args:
        setup: The setup.
        trial: The data and the task.
        outcome: The outcome, whose measurement takes time too; None for a training that only
            prepares another one.

    Raises:
        NonFiniteError: If the loss becomes NaN or infinite in these steps.
    """
    watch = StepTimes(COLD + WARM)
    start = time.perf_counter()
    trained = trial.train(replace(setup, first=None), 0, callbacks=(watch,))
    end = time.perf_counter()
    if outcome is not None:
        trial.measure(setup, 0, outcome, trained)
    measured = time.perf_counter() - end
    # What is not a step: preparing the data, and one validation, which each epoch repeats.
    rest = max(0.0, end - watch.ends[-1])
    examples = len(trial.splits.train) * setup.fraction
    steps = setup.recipe.epochs * max(1, round(examples / setup.recipe.batch_size))
    before = watch.ends[0] - start
    seconds = before + steps * watch.shortest + setup.recipe.epochs * rest + measured
    first = measure_cost(setup.first, trial, None) if setup.first else Cost(0.0, 0)
    return Cost(seconds + first.seconds, steps + first.steps)


class Size(NamedTuple):
    """The study that fits into a budget.

    Attributes:
        seeds: The number of seeds of each variant.
        names: The variants.
        dropped: The variants that do not fit.
        seconds: The expected time of all trainings.
    """

    seeds: int
    names: list[str]
    dropped: list[str]
    seconds: float


def fit(
    costs: Mapping[str, float],
    baseline: str,
    budget: float,
    seeds: int | None,
    *,
    tunings: int = 0,
    spent: float = 0.0,
) -> Size:
    """Return the seeds and variants that fit into a time.

    All variants get the same seeds: as many as were asked for, else as many as fit, and some
    more for the time that early verdicts save. Variants are dropped, the last first, until five
    seeds fit, or as many as were asked for; if that leaves none, three must do for the first.
    The winners together get as much time as the dearest variant.

    Args:
        costs: The seconds of a training of each variant, the most important first.
        baseline: The name of the baseline among them.
        budget: The seconds that there are.
        seeds: The number of seeds that the user asked for, if any.
        tunings: Trainings of each variant that choose its learning rate.
        spent: The seconds of these that the measurements have taken.

    Raises:
        ValueError: If not even one variant fits.
    """
    names = [name for name in costs if name != baseline]
    dropped: list[str] = []
    least = min(FEWEST_SEEDS, seeds or FEWEST_SEEDS) + tunings
    available = budget * PLANNED - spent
    while len(names) > 1 and not has_room(costs, baseline, names, available, seeds, tunings):
        dropped.insert(0, names.pop())
    each = round_of(costs, baseline, names)
    if least * each > available:
        raise ValueError(
            f"the budget of {duration(budget)} is too short: {number_of(least, 'training')} of "
            f"the baseline and of one variant take about "
            f"{duration((least * each + spent) / PLANNED)}. "
            "Give a longer budget, or fewer epochs."
        )
    possible = int(STOPPED_EARLY * (available / each - tunings))
    count = min(MOST_SEEDS if seeds is None else seeds, max(least - tunings, possible))
    return Size(count, names, dropped, (count + tunings) * each)


def has_room(
    costs: Mapping[str, float],
    baseline: str,
    names: Sequence[str],
    available: float,
    seeds: int | None,
    tunings: int = 0,
) -> bool:
    """Return whether the usual number of trainings of some variants fits into a time.

    Args:
        costs: The seconds of a training of each variant.
        baseline: The name of the baseline among them.
        names: The variants.
        available: The seconds that there are for trainings.
        seeds: The number of seeds that the user asked for, if any.
        tunings: Trainings of each variant that choose its learning rate.
    """
    usual = min(USUAL_SEEDS, seeds or USUAL_SEEDS) + tunings
    return usual * round_of(costs, baseline, names) <= available


def round_of(costs: Mapping[str, float], baseline: str, names: Sequence[str]) -> float:
    """Return the seconds of one training of each variant, and of the winners together."""
    own = [costs[name] for name in names]
    return costs[baseline] + sum(own) + (max(own) if len(own) > 1 else 0.0)
