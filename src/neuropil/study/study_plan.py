"""The plan of a study, fixed before the first run: which variants, with how many seeds."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Self

from neuropil.checks import shown
from neuropil.core.name_lookup import look_up
from neuropil.study.budget import PLANNED, fit, has_room, measure_cost
from neuropil.study.learning_rates import FACTORS, tunings
from neuropil.study.tricks.data_tricks import QUESTIONS
from neuropil.study.tricks.trick_pairs import grid, groups_of, parts_of
from neuropil.study.tricks.trick_table import TRICKS, by_name
from neuropil.study.variant_names import BASELINE, is_joint, names_of, tuned
from neuropil.training.nonfinite import NonFiniteError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from neuropil.runs.task import Task
    from neuropil.study.outcomes import Outcome
    from neuropil.study.setups.setup import Setup
    from neuropil.study.trial import Trial
    from neuropil.study.tricks.trick import Trick

ALL = "all"
NO_TIME = "the budget is too short for it"
# More seeds than this do not make the curves of the questions much clearer.
SEEDS_OF_QUESTIONS = 5


@dataclass(frozen=True)
class StudyPlan:
    """The plan of a study.

    Attributes:
        seeds: The planned number of seeds.
        variants: The names of the tricks, in the order of their importance.
        costs: The expected seconds of a training of each variant and of the baseline.
        left_out: The name and title of each trick that is not trained, and the reason.
        threads: The number of CPU threads of a training.
        tuned: The variants whose learning rates are chosen first.
    """

    seeds: int
    variants: list[str]
    costs: dict[str, float]
    left_out: list[dict[str, str]] = field(default_factory=list)
    threads: int = 1
    tuned: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return the plan as plain data."""
        return asdict(self)

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Self:
        """Return the plan from plain data."""
        return cls(**plain)

    @property
    def compared(self) -> list[str]:
        """The variants on which there is a verdict."""
        return [name for name in self.variants if by_name(name).group not in QUESTIONS]

    @property
    def tunings(self) -> list[tuple[str, int, int]]:
        """The variant, seed and place of each run that chooses a learning rate."""
        return tunings(self.tuned)

    def cost(self, name: str) -> float:
        """Return the expected seconds of a run of a variant."""
        variant, _ = tuned(name)
        parts = names_of(variant) if is_joint(variant) else [variant]
        return max(self.costs[part] for part in parts)

    @property
    def runs(self) -> list[tuple[str, int, int]]:
        """The variant, seed and place in the order of each run: seed by seed."""
        names = [BASELINE, *self.variants]
        asked = {name: by_name(name).group in QUESTIONS for name in self.variants}
        return [
            (name, seed, seed * (len(names) + 1) + place)
            for seed in range(self.seeds)
            for place, name in enumerate(names)
            if not asked.get(name) or seed < SEEDS_OF_QUESTIONS
        ]

    @property
    def seeds_of_questions(self) -> int:
        """The seeds that the questions about the data need; 0 if none is asked."""
        return 0 if self.compared == self.variants else min(SEEDS_OF_QUESTIONS, self.seeds)


def tricks_named(names: Sequence[str] | str) -> list[Trick]:
    """Return tricks by their names or the names of their groups; "all" is all of them.

    With a ``+`` between two of these, it is a grid: each of one side with each of the other,
    and all of them alone.

    Raises:
        ValueError: If the names are empty, or one is unknown; the nearest is suggested.

    Example:
        >>> [trick.name for trick in tricks_named(["gelu", "tanh+flips"])]
        ['gelu', 'tanh', 'flips', 'tanh+flips']
    """
    asked = [names] if isinstance(names, str) else names
    if not asked or not all(isinstance(name, str) and name for name in asked):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ValueError(
            f"tricks must be names of tricks or of groups of them, or {ALL!r}, "
            f"got {shown(names)}."
        )
    known = {ALL: [*TRICKS]} | {trick.name: [trick] for trick in TRICKS}
    for trick in TRICKS:
        known.setdefault(trick.group, []).append(trick)
    single: list[Trick] = []
    pairs: list[Trick] = []
    for name in asked:
        sides = [look_up(side, known, "trick") for side in parts_of(name)]
        if len(sides) > 2:
            raise ValueError(f"a grid has two sides, got {name!r} with {len(sides)}.")
        single += [trick for side in sides for trick in side]
        if len(sides) == 2:
            pairs += grid(name, *sides)
    return list({trick.name: trick for trick in [*single, *pairs]}.values())


def applicable(
    tricks: Sequence[Trick], baseline: Setup, task: Task[Any]
) -> tuple[list[str], list[dict[str, str]]]:
    """Return the names of the tricks that apply, and entries of the others with the reason."""
    names: list[str] = []
    left_out: list[dict[str, str]] = []
    for trick in tricks:
        changed = trick.change(baseline, task)
        if isinstance(changed, str):
            left_out.append(entry(trick.name, changed))
        else:
            names.append(trick.name)
    return names, left_out


def setup_of(name: str, baseline: Setup, task: Task[Any]) -> Setup:
    """Return the setup of a variant: the baseline, a trick, or several together.

    It is made anew each time, since the networks of all tricks would take too much memory.

    Args:
        name: The variant.
        baseline: The setup that the tricks change.
        task: The task.

    Raises:
        ValueError: If it does not apply.
    """
    if name == BASELINE:
        return baseline
    if is_joint(name):
        return joined(names_of(name), baseline, task)[0]
    changed = by_name(name).change(baseline, task)
    if isinstance(changed, str):
        raise ValueError(f"{name} does not apply: {changed}.")
    return changed


def joined(names: Sequence[str], baseline: Setup, task: Task[Any]) -> tuple[Setup, list[str]]:
    """Return the setup with several tricks, and the names of those that apply together.

    Args:
        names: The tricks, the best first. Of each group only the first is used.
        baseline: The setup that they change.
        task: The task.
    """
    setup, used = baseline, []
    groups: set[str] = set()
    for trick in map(by_name, names):
        if groups & groups_of(trick):
            continue
        changed = trick.change(setup, task)
        if not isinstance(changed, str):
            setup, used = changed, [*used, trick.name]
            groups |= groups_of(trick)
    return setup, used


def make_plan(
    tricks: Sequence[Trick],
    trial: Trial,
    outcome: Outcome,
    *,
    budget: float,
    seeds: int | None,
    tune_lr: bool,
    say: Callable[[str], None],
) -> StudyPlan:
    """Measure what the variants cost, and fit them into the time.

    Args:
        tricks: The tricks, the most important first.
        trial: The data and the baseline.
        outcome: What is compared.
        budget: The seconds that there are.
        seeds: The number of seeds that the user asked for, if any.
        tune_lr: Whether the learning rates of all variants are chosen first.
        say: Called with the name of each variant before its cost is measured.

    Raises:
        ValueError: If no trick applies, or not even one fits into the time.
        NonFiniteError: If the loss of the baseline becomes NaN or infinite.
    """
    names, left_out = applicable(tricks, trial.baseline, trial.task)
    if not names:
        reasons = "; ".join(f"{each['name']}: {each['reason']}" for each in left_out)
        raise ValueError(f"no trick applies to this network and these data: {reasons}.")
    costs: dict[str, float] = {}
    trainings = len(FACTORS) if tune_lr else 0
    begun = time.monotonic()
    # The first measurement of all loads and compiles what the others use: it is repeated.
    for name in (BASELINE, BASELINE, *names):
        measured = [each for each in costs if each != BASELINE]
        available = budget * PLANNED - (time.monotonic() - begun)
        if measured and not has_room(costs, BASELINE, measured, available, seeds, trainings):
            break  # all others would be dropped: measuring them would only take time
        say(name)
        try:
            setup = setup_of(name, trial.baseline, trial.task)
            costs[name] = measure_cost(setup, trial, outcome).seconds
        except (NonFiniteError, ValueError) as error:
            if name == BASELINE:
                raise
            left_out.append(entry(name, f"it cannot be trained: {error}"))
    spent = time.monotonic() - begun
    size = fit(costs, BASELINE, budget, seeds, tunings=trainings, spent=spent)
    known = {*size.names, *(each["name"] for each in left_out)}
    left_out += [entry(name, NO_TIME) for name in names if name not in known]
    kept = {name: costs[name] for name in (BASELINE, *size.names)}
    tuned_first = [name for name in kept if tune_lr and has_rate(name, trial)]
    return StudyPlan(size.seeds, size.names, kept, left_out, trial.threads, tuned_first)


def has_rate(name: str, trial: Trial) -> bool:
    """Return whether a variant has a learning rate of its own."""
    if name != BASELINE and by_name(name).group in QUESTIONS:
        return False
    return setup_of(name, trial.baseline, trial.task).recipe.lr is not None


def entry(name: str, reason: str) -> dict[str, str]:
    """Return an entry of the tricks that are left out."""
    return {"name": name, "title": by_name(name).title, "reason": reason}
