"""The state of a study: its runs, their outcomes, and what they tell."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

from neuropil.study.estimates.differences import differences
from neuropil.study.learning_rates import chosen_factors
from neuropil.study.outcomes import POINTS
from neuropil.study.standing import Standing, standing
from neuropil.study.study_plan import joined
from neuropil.study.variant_names import BASELINE, is_joint, is_tuning, tuned

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from neuropil.study.estimates.differences import Difference
    from neuropil.study.outcomes import Outcome
    from neuropil.study.shared_runs.run_records import RunResult, RunState
    from neuropil.study.study_plan import StudyPlan
    from neuropil.study.trial import Trial

# A difference below this part of the baseline's outcome does not matter, unless the user says
# what does; half a point for outcomes in points.
SMALLEST_PART, SMALLEST_POINTS = 0.01, 0.5


@dataclass(frozen=True)
class StudyState:
    """The state of a study.

    Attributes:
        plan: The plan.
        outcome: What is compared.
        outcomes: The values of the runs that are done, by variant and seed; larger is better.
        seconds: The seconds of training of the runs that are done, by variant.
        longest: The most seconds of such a run with the measurement of its outcome, by variant.
        results: What else is known of the first run of each variant.
        ended: The seeds of the runs that are done or failed, by variant.
        waiting: The seeds of the runs that no worker has.
        running: The seeds of the runs that a worker has.
        errors: The errors of the runs that failed, by variant.
        factors: The factors of the learning rates that are chosen so far, by variant.
        standing: The verdicts so far.
        smallest: The smallest difference that matters.
        level: The confidence level.
    """

    plan: StudyPlan
    outcome: Outcome
    level: float
    smallest: float
    standing: Standing
    outcomes: dict[str, dict[int, NDArray[Any]]]
    seconds: dict[str, list[float]]
    longest: dict[str, float]
    results: dict[str, dict[str, Any]]
    ended: dict[str, set[int]] = field(default_factory=dict)
    waiting: dict[str, set[int]] = field(default_factory=dict)
    running: dict[str, set[int]] = field(default_factory=dict)
    errors: dict[str, list[str]] = field(default_factory=dict)
    factors: dict[str, float] = field(default_factory=dict)

    @classmethod
    def of_runs(
        cls,
        rows: Sequence[RunState],
        results: Sequence[RunResult],
        plan: StudyPlan,
        outcome: Outcome,
        *,
        smallest: float | None,
        level: float,
        given_up: Collection[str] = (),
        earlier: Standing | None = None,
    ) -> Self:
        """Return the state that the rows of a study tell.

        Args:
            rows: The state of every run.
            results: The results of the runs that are done.
            plan: The plan.
            outcome: What is compared.
            smallest: The smallest difference that matters; None for the usual one.
            level: The confidence level.
            given_up: Variants for which no look waits.
            earlier: The verdicts that fewer of these rows told.
        """
        outcomes: dict[str, dict[int, NDArray[Any]]] = {}
        seconds: dict[str, list[float]] = {}
        longest: dict[str, float] = {}
        first: dict[str, dict[str, Any]] = {}
        for each in sorted(results, key=lambda each: each.seed):
            if not is_tuning(each.variant):
                outcomes.setdefault(each.variant, {})[each.seed] = outcome.sign * each.values
            seconds.setdefault(each.variant, []).append(each.result["seconds"])
            # A resumed run was trained for longer than it took from its last claim to its end.
            took = max(each.seconds, each.result["seconds"])
            longest[each.variant] = max(took, longest.get(each.variant, 0.0))
            first.setdefault(each.variant, each.result)
        by_state: dict[str, dict[str, set[int]]] = {}
        errors: dict[str, list[str]] = {}
        for row in rows:
            by_state.setdefault(row.state, {}).setdefault(row.variant, set()).add(row.seed)
            if row.state == "failed":
                errors.setdefault(row.variant, []).append(row.error or "")
        done, failed = by_state.get("done", {}), by_state.get("failed", {})
        ended = {
            name: done.get(name, set()) | failed.get(name, set()) for name in {**done, **failed}
        }
        matters = usual_smallest(outcome, outcomes) if smallest is None else smallest
        found = standing(
            outcomes,
            ended,
            plan.compared,
            baseline=BASELINE,
            seeds=plan.seeds,
            smallest=matters,
            level=level,
            given_up=given_up,
            earlier=earlier,
        )
        return cls(
            plan, outcome, level, matters, found, outcomes, seconds, longest, first, ended,
            by_state.get("waiting", {}), by_state.get("running", {}), errors,
            chosen_factors(results, {*ended}),
        )  # fmt: skip

    @property
    def begun(self) -> bool:
        """Whether there are runs that verdicts rest on."""
        return any(BASELINE in runs for runs in (self.ended, self.waiting, self.running))

    @property
    def decided(self) -> bool:
        """Whether there is a verdict on each variant."""
        return self.standing.look is None

    def missing(self, name: str) -> set[int]:
        """Return the seeds of a variant that the next look needs and that have not ended."""
        open_ = self.waiting.get(name, set()) | self.running.get(name, set())
        return open_ & set(range(self.standing.look or 0))

    @property
    def untuned(self) -> list[str]:
        """The variants whose learning rates are yet to be chosen."""
        return [name for name in self.plan.tuned if name not in self.factors]

    def factor(self, name: str) -> float:
        """Return the factor of the learning rate of a run.

        The trainings that ask how much the data matter have that of the baseline.
        """
        variant, tried = tuned(name)
        if is_tuning(name):
            return tried
        asks = variant in self.plan.variants and variant not in self.plan.compared
        return self.factors.get(BASELINE if asks else variant, 1.0)

    @property
    def others_at_work(self) -> bool:
        """Whether a worker has a run."""
        return any(self.running.values())

    @property
    def winners(self) -> list[str]:
        """The variants that help, the best first."""
        helping = [
            name for name, each in self.standing.decisions.items() if each.verdict == "helps"
        ]
        if not helping:
            return []
        return sorted(helping, key=lambda name: -self.gains[name].gain)

    def joint(self, trial: Trial) -> list[str]:
        """Return the variants that help and apply together, one of each group.

        Args:
            trial: The baseline and the task.
        """
        return joined(self.winners, trial.baseline, trial.task)[1]

    def expected_seconds(self, name: str) -> float:
        """Return the seconds that a run should take, from those before it where there are.

        Args:
            name: The variant.
        """
        if name in self.longest:
            return self.longest[name]
        return self.plan.cost(name)

    @cached_property
    def gains(self) -> dict[str, Difference]:
        """The differences to the baseline by variant, over the seeds that verdicts rest on."""
        own = {
            name: self.counted(name)
            for name in self.outcomes
            if name in (BASELINE, *self.plan.compared) or is_joint(name)
        }
        base = own.get(BASELINE, {})
        paired = {name: values for name, values in own.items() if set(values) & set(base)}
        found = differences(paired, BASELINE, level=self.level) if base else []
        return {each.name: each for each in found}

    def counted(self, name: str) -> dict[int, NDArray[Any]]:
        """Return the values of a variant by seed, without runs that no verdict rests on.

        Such runs are there if another worker had begun them before the verdict was known.
        """
        seeds = self.plan.seeds
        unneeded = self.standing.unneeded(name, seeds)
        if name == BASELINE and self.decided:
            last = max((each.seeds for each in self.standing.decisions.values()), default=seeds)
            unneeded = range(last, seeds)
        own = self.outcomes.get(name, {})
        return {seed: values for seed, values in own.items() if seed not in unneeded}

    def mostly_failed(self, name: str) -> bool:
        """Return whether more than half of the runs of a variant that ended have failed."""
        return 2 * len(self.errors.get(name, ())) > len(self.ended.get(name, ()))

    def check_baseline(self) -> None:
        """Check that most trainings of the baseline did not diverge.

        Raises:
            ValueError: If they did.
        """
        if self.mostly_failed(BASELINE):
            raise ValueError(
                f"a training of the baseline failed, so nothing can be compared with it: "
                f"{self.errors[BASELINE][0]} A smaller learning rate (--lr) may help."
            )


def usual_smallest(outcome: Outcome, outcomes: dict[str, dict[int, NDArray[Any]]]) -> float:
    """Return the smallest difference that usually matters, a number with two digits."""
    if outcome.unit == POINTS:
        return SMALLEST_POINTS
    first = outcomes.get(BASELINE, {}).get(0)
    return 0.0 if first is None else float(f"{SMALLEST_PART * abs(float(first.mean())):.2g}")
