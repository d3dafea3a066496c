"""The choice of a learning rate for each variant of a study, on the validation part."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from neuropil.study.outcomes import Outcome
from neuropil.study.variant_names import is_tuning, tuned, tuning_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from neuropil.datasets import Splits
    from neuropil.runs.task import Task
    from neuropil.study.setups.setup import Setup
    from neuropil.study.shared_runs.run_records import RunResult

# The factors of the learning rate; of equally good ones the first is chosen.
FACTORS = (1.0, 0.5, 2.0)
# A seed that no verdict rests on.
SEED = 1_000_000
# These runs come before all others.
PLACE = -1000


def tunings(names: Sequence[str]) -> list[tuple[str, int, int]]:
    """Return the variant, seed and place of the trainings that choose learning rates.

    Args:
        names: The variants whose learning rates are chosen.
    """
    return [(tuning_name(name, factor), SEED, PLACE) for name in names for factor in FACTORS]


def with_rate(setup: Setup, factor: float) -> Setup:
    """Return a setup whose learning rate is multiplied by a factor, and that before it."""
    first = setup.first and with_rate(setup.first, factor)
    lr = setup.recipe.lr
    recipe = replace(setup.recipe, lr=lr if lr is None else factor * lr)
    return replace(setup, recipe=recipe, first=first)


def tuning_outcome(outcome: Outcome, task: Task[Any]) -> Outcome:
    """Return the outcome by which rates are chosen: the same if measured on examples."""
    return outcome if outcome.needs_test else Outcome.named(None, task)


def on_validation(splits: Splits) -> Splits:
    """Return data whose test part is the validation part."""
    preparation: Any = splits.preparation
    held_out = splits.validation
    parts = (splits.train, held_out, held_out)
    return type(splits)(*parts, preparation=preparation, source=splits.source)


def chosen_factors(results: Iterable[RunResult], ended: set[str]) -> dict[str, float]:
    """Return the best factor of each variant all of whose trainings for it have ended.

    Args:
        results: The results of the runs that are done.
        ended: The names of the runs that are done or failed.
    """
    figures: dict[str, dict[float, float]] = {}
    for each in results:
        if is_tuning(each.variant):
            name, factor = tuned(each.variant)
            figures.setdefault(name, {})[factor] = each.result["validation"]
    names = {tuned(name)[0] for name in ended if is_tuning(name)}
    return {
        name: best(figures.get(name, {}))
        for name in names
        if all(tuning_name(name, factor) in ended for factor in FACTORS)
    }


def best(figures: Mapping[float, float]) -> float:
    """Return the factor with the greatest figure; 1 if all trainings failed.

    Example:
        >>> best({0.5: 0.8, 1.0: 0.9, 2.0: 0.9}), best({})
        (1.0, 1.0)
    """
    return max(FACTORS, key=lambda factor: figures.get(factor, float("-inf")))
