"""A worker of a study: it claims runs, trains them and stores their results."""

from __future__ import annotations

import os
import platform
import shutil
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, final

import numpy as np
from typing_extensions import override

from neuropil.study.budget import MOST_SEEDS
from neuropil.study.shared_runs.lease_keeper import keep
from neuropil.study.standing import FIRST_LOOK
from neuropil.study.study_plan import BASELINE, is_joint, joint_name, names_of, setup_of
from neuropil.study.study_state import StudyState
from neuropil.training.callbacks import Callback
from neuropil.training.nonfinite import NonFiniteError

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from neuropil.study.outcomes import Outcome
    from neuropil.study.shared_runs.run_records import Claim
    from neuropil.study.shared_runs.runs_table import RunsTable
    from neuropil.study.study_plan import StudyPlan
    from neuropil.study.trial import Trial
    from neuropil.training import Trainer

# A worker that does not renew its lease for this long has lost its run.
LEASE_SECONDS = 60.0
# Seconds between two looks for runs while other workers have them all.
WAITING = 1.0


class LeaseLostError(Exception):
    """Another worker has taken the run."""


@final
class StopWithoutLease(Callback):
    """Ends a training whose run belongs to another worker.

    Args:
        lost: Set once it does.
    """

    def __init__(self, lost: threading.Event) -> None:
        self.lost = lost

    @override
    def on_step(self, trainer: Trainer) -> None:
        if self.lost.is_set():
            raise LeaseLostError


@final
@dataclass
class Worker:
    """A worker of a study.

    Several workers, on several machines, can share the table of runs.

    Args:
        table: The table of runs.
        plan: The plan.
        trial: The data and the baseline.
        outcome: What is compared.
        smallest: The smallest difference that matters; None: a hundredth of the baseline's.
        level: The confidence level.
        folder: Folder of the checkpoints.
        deadline: The time of `time.monotonic` after which no run may end.
        abandoned: Variants for which the time is too short.
        watch: Called with the state before each run, and with the variant and the seed; at the
            end without these.
    """

    table: RunsTable
    plan: StudyPlan
    trial: Trial
    outcome: Outcome
    smallest: float | None
    level: float
    folder: Path
    deadline: float
    watch: Callable[[StudyState, str, int], None] | None = None
    abandoned: set[str] = field(default_factory=set)
    name: str = field(default_factory=lambda: f"{platform.node()}-{os.getpid()}")

    def work(self) -> StudyState:
        """Train runs until all verdicts are in or the time is over, and return the state.

        Raises:
            ValueError: If a training of the baseline fails.
        """
        while True:
            state = self.state()
            state.check_baseline()
            self.prune(state)
            if self.choose_variants(state):
                continue
            if state.decided or self.must_join(state):
                self.add_joint(state)
            claim = self.table.claim(self.name, LEASE_SECONDS, self.abandoned)
            if claim is not None and self.has_time_for(claim, state):
                self.begin(claim, state)
            elif claim is not None:
                self.table.release(claim)
                return self.state()
            elif not self.waits_for_others():
                return self.state()

    def waits_for_others(self) -> bool:
        """Wait a moment and return True, if another worker has a run and there is time."""
        # Not the state from before the claim: a worker may have taken the last run since.
        if not self.state().others_at_work or time.monotonic() > self.deadline:
            return False
        time.sleep(WAITING)
        return True

    def has_time_for(self, claim: Claim, state: StudyState) -> bool:
        """Return whether a run can end in time, and without what the winners together need."""
        ends = time.monotonic() + self.expected_seconds(claim.variant, state)
        return ends <= self.deadline and (is_joint(claim.variant) or not self.must_join(state))

    def begin(self, claim: Claim, state: StudyState) -> None:
        """Train a run that was claimed; if anything stops it, other workers may claim it."""
        try:
            if self.watch is not None:
                self.watch(state, claim.variant, claim.seed)
            self.train(claim)
        except BaseException:
            self.table.release(claim)  # does nothing if the run has ended
            raise

    def must_join(self, state: StudyState) -> bool:
        """Return whether the time that is left is needed to train the winners together."""
        names = state.joint(self.trial)
        if len(names) < 2:
            return False
        each = max(self.expected_seconds(name, state) for name in names)
        missing = set(state.counted(BASELINE)) - state.ended.get(joint_name(names), set())
        return time.monotonic() + each * (len(missing) + 1) > self.deadline

    def state(self) -> StudyState:
        """Return the state of the study, as the table has it now."""
        return StudyState.of_runs(
            self.table.rows(),
            self.table.results(),
            self.plan,
            self.outcome,
            smallest=self.smallest,
            level=self.level,
            without=self.abandoned,
        )

    def choose_variants(self, state: StudyState) -> bool:
        """Give up variants for which the time is too short, or take one up again.

        A look needs all undecided variants: if the time is too short for all, those that
        matter least are given up, whatever their outcomes, so that the others get a verdict.

        Returns:
            Whether one was given up or taken up again.
        """
        left = self.deadline - time.monotonic()
        before = set(self.abandoned)
        if state.decided:
            # They have at least as many runs as the first look needs, or this is their turn.
            again = next((n for n in self.plan.variants if n in self.abandoned), None)
            if again is not None and FIRST_LOOK * self.expected_seconds(again, state) < left:
                self.abandoned.remove(again)
        else:
            needing = [
                name
                for name in self.plan.variants
                if name not in self.abandoned and state.missing(name)
            ]
            while len(needing) > 1 and self.needed(needing, state) > left:
                self.abandoned.add(needing.pop())
        return self.abandoned != before

    def needed(self, names: Sequence[str], state: StudyState) -> float:
        """Return the seconds until the next look, if nobody helps."""
        return sum(
            len(state.missing(name)) * self.expected_seconds(name, state)
            for name in (BASELINE, *names)
        )

    def prune(self, state: StudyState) -> None:
        """Skip the runs that no verdict needs any more."""
        for name in self.plan.compared:
            unneeded = set(state.standing.unneeded(name, self.plan.seeds))
            if waiting := unneeded & state.waiting.get(name, set()):
                self.table.skip(name, sorted(waiting))
        # Without variants to compare with, further trainings of the baseline tell nothing.
        waiting = state.waiting.get(BASELINE, set())
        if state.decided and waiting and not self.abandoned:
            self.table.skip(BASELINE, sorted(waiting))

    def add_joint(self, state: StudyState) -> None:
        """Add the runs of the winners together, before all others that wait."""
        names = state.joint(self.trial)
        if len(names) < 2:
            return
        seeds = sorted(state.counted(BASELINE))
        self.table.add([(joint_name(names), seed, seed - MOST_SEEDS) for seed in seeds])

    def expected_seconds(self, name: str, state: StudyState) -> float:
        """Return the seconds that a run should take, from those before it where there are."""
        if known := state.seconds.get(name):
            return max(known)
        parts = names_of(name) if is_joint(name) else [name]
        return max(self.plan.costs[part] for part in parts)

    def train(self, claim: Claim) -> None:
        """Train a run and store its result, unless another worker takes it.

        Raises:
            ValueError: If the baseline cannot be trained.
            RuntimeError: If PyTorch cannot train it.
        """
        setup = setup_of(claim.variant, self.trial.baseline, self.trial.task)
        folder = self.checkpoints(claim)
        with keep(self.table, claim) as lost:
            try:
                callbacks = (StopWithoutLease(lost),)
                trained = self.trial.train(setup, claim.seed, folder, callbacks)
                values = self.trial.measure(setup, claim.seed, self.outcome, trained)
                check_finite(values, self.outcome)
            except LeaseLostError:
                return
            except NonFiniteError as error:
                self.table.fail(claim, str(error))
            except (ValueError, RuntimeError) as error:
                if claim.variant == BASELINE:
                    raise
                self.table.fail(claim, f"{type(error).__name__}: {error}")
            else:
                parameters = sum(each.numel() for each in trained.network.parameters())
                result: dict[str, Any] = {
                    "seconds": trained.seconds,
                    "parameters": parameters,
                    "examples": round(len(self.trial.splits.train) * setup.fraction),
                    "noise": setup.noise,
                }
                self.table.finish(claim, result, values)
        shutil.rmtree(folder.parent, ignore_errors=True)

    def checkpoints(self, claim: Claim) -> Path:
        """Return the folder of the checkpoints of a run, with those of the worker before.

        Each attempt has its own: a worker that was frozen may still write to its folder.
        """
        folder = self.folder / f"{claim.variant}-{claim.seed}" / str(claim.attempt)
        if not folder.exists():
            earlier = folder.with_name(str(claim.attempt - 1))
            if earlier.is_dir():
                copied = folder.with_name(f"{claim.attempt}-copy-{os.getpid()}")
                shutil.copytree(earlier, copied, dirs_exist_ok=True)
                copied.rename(folder)
        return folder


def check_finite(values: NDArray[np.float64], outcome: Outcome) -> None:
    """Check that an outcome can be compared.

    Raises:
        ValueError: If it is infinite or NaN, as after steps that were too large.
    """
    if not np.isfinite(values).all():
        raise ValueError(f"the outcome, {outcome.name}, is {values.mean():g} after training.")
