"""A worker of a study: it claims runs, trains them and stores their results."""

from __future__ import annotations

import os
import platform
import shutil
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, final

import numpy as np
from typing_extensions import override

from neuropil.study.budget import MOST_SEEDS
from neuropil.study.learning_rates import (
    FACTORS,
    on_validation,
    tuning_outcome,
    tunings,
    with_rate,
)
from neuropil.study.shared_runs.lease_keeper import keep
from neuropil.study.standing import FIRST_LOOK
from neuropil.study.study_plan import setup_of
from neuropil.study.study_state import StudyState
from neuropil.study.variant_names import BASELINE, is_joint, is_tuning, joint_name, tuned
from neuropil.training.callbacks import Callback
from neuropil.training.nonfinite import NonFiniteError

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from neuropil.study.outcomes import Outcome
    from neuropil.study.setups.setup import Setup
    from neuropil.study.shared_runs.run_records import Claim
    from neuropil.study.shared_runs.runs_table import RunsTable
    from neuropil.study.standing import Standing
    from neuropil.study.study_plan import StudyPlan
    from neuropil.study.trial import Trained, Trial
    from neuropil.training import Trainer

# A worker that does not renew its lease for this long has lost its run.
LEASE_SECONDS = 60.0
# A training that takes fewer seconds writes no checkpoints: it begins anew if interrupted.
SHORT = 10.0
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
        watch: Called before each run with the state, the variant and the seed.
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
    standing: Standing | None = field(default=None, init=False)

    def work(self) -> StudyState:
        """Train runs until all verdicts are in or the time is over, and return the state.

        Raises:
            ValueError: If a training of the baseline fails.
        """
        while True:
            state = self.state()
            state.check_baseline()
            self.arrange(state)
            if self.choose_variants(state):
                continue
            claim = self.table.claim(self.name, LEASE_SECONDS, self.abandoned)
            if claim is not None and self.has_time_for(claim, state):
                self.begin(claim, state)
            elif claim is not None:
                self.table.release(claim)
                return self.state()
            elif not self.wait(state):
                return self.state()

    def has_time_for(self, claim: Claim, state: StudyState) -> bool:
        """Return whether a run can end in time, and without what the winners together need."""
        ends = time.monotonic() + state.expected_seconds(claim.variant)
        joint = is_joint(tuned(claim.variant)[0])
        return ends <= self.deadline and (joint or not self.must_join(state))

    def begin(self, claim: Claim, state: StudyState) -> None:
        """Train a run that was claimed; if anything stops it, other workers may claim it."""
        try:
            if self.watch is not None:
                self.watch(state, claim.variant, claim.seed)
            self.train(claim, state)
        except BaseException:
            self.table.release(claim)  # does nothing if the run has ended
            raise

    def arrange(self, state: StudyState) -> None:
        """Add the runs that are due, and skip those that no verdict needs any more.

        The first ones choose the learning rates of all others.
        """
        if not state.begun:
            self.table.add(self.plan.tunings if state.untuned else self.plan.runs)
        self.prune(state)
        if state.begun and (state.decided or self.must_join(state)):
            self.add_joint(state)

    def wait(self, state: StudyState) -> bool:
        """Wait for the runs of other workers; return whether there were any.

        Args:
            state: The state before no run was free. Others may have claimed the last ones
                since, and even have ended them.
        """
        if time.monotonic() > self.deadline:
            return False
        now = self.state()
        if now.others_at_work:
            time.sleep(WAITING)
        return now.others_at_work or now.ended != state.ended

    def must_join(self, state: StudyState) -> bool:
        """Return whether the time that is left is needed to train the winners together."""
        names = state.joint(self.trial)
        if len(names) < 2:
            return False
        each = max(state.expected_seconds(name) for name in names)
        name = joint_name(names)
        missing = len(set(state.counted(BASELINE)) - state.ended.get(name, set()))
        if self.plan.tuned and name not in state.factors:
            missing += len(FACTORS)
        return time.monotonic() + each * (missing + 1) > self.deadline

    def state(self) -> StudyState:
        """Return the state of the study, as the table has it now."""
        state = StudyState.of_runs(
            self.table.rows(),
            self.table.results(),
            self.plan,
            self.outcome,
            smallest=self.smallest,
            level=self.level,
            given_up=self.abandoned,
            earlier=self.standing,
        )
        self.standing = state.standing
        return state

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
            if again is not None and FIRST_LOOK * state.expected_seconds(again) < left:
                self.abandoned.remove(again)
        else:
            needing = [
                name
                for name in self.plan.variants
                if name not in self.abandoned and state.missing(name)
            ]
            while len(needing) > 1 and seconds_to_look(needing, state) > left:
                self.abandoned.add(needing.pop())
        if self.abandoned == before:
            return False
        # A look may have waited for what is given up, or not for what is taken up again.
        self.standing = replace(state.standing, look=1)
        return True

    def prune(self, state: StudyState) -> None:
        """Skip the runs that no verdict needs any more."""
        for name in self.plan.compared:
            unneeded = set(state.standing.unneeded(name, self.plan.seeds))
            if waiting := unneeded & state.waiting.get(name, set()):
                self.table.skip(name, sorted(waiting))
        # Without variants to compare with, further trainings of the baseline tell nothing.
        unneeded = set(range(self.plan.seeds_of_questions, self.plan.seeds))
        waiting = unneeded & state.waiting.get(BASELINE, set())
        if state.decided and waiting and not self.abandoned:
            self.table.skip(BASELINE, sorted(waiting))

    def add_joint(self, state: StudyState) -> None:
        """Add the runs of the winners together, before all others that wait.

        If learning rates are chosen, theirs comes first.
        """
        names = state.joint(self.trial)
        if len(names) < 2:
            return
        name = joint_name(names)
        if self.plan.tuned and name not in state.factors:
            self.table.add(tunings([name]))
            return
        seeds = sorted(state.counted(BASELINE))
        self.table.add([(name, seed, seed - MOST_SEEDS) for seed in seeds])

    def train(self, claim: Claim, state: StudyState) -> None:
        """Train a run and store its result, unless another worker takes it.

        Args:
            claim: The run.
            state: The state of the study, with the learning rates that are chosen.

        Raises:
            ValueError: If the baseline cannot be trained.
            RuntimeError: If PyTorch cannot train it.
        """
        variant, _ = tuned(claim.variant)
        setup = setup_of(variant, self.trial.baseline, self.trial.task)
        setup = with_rate(setup, state.factor(claim.variant))
        short = state.expected_seconds(claim.variant) <= SHORT
        folder = None if short else self.checkpoints(claim)
        with keep(self.table, claim) as lost:
            try:
                callbacks = (StopWithoutLease(lost),)
                trained = self.trial.train(setup, claim.seed, folder, callbacks)
                values = self.measure(claim, setup, trained)
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
                if is_tuning(claim.variant):
                    result["validation"] = float(values.mean())
                self.table.finish(claim, result, values)
        shutil.rmtree(self.folder_of(claim), ignore_errors=True)

    def folder_of(self, claim: Claim) -> Path:
        """Return the folder of the checkpoints of all attempts at a run."""
        return self.folder / f"{claim.variant}-{claim.seed}"

    def measure(self, claim: Claim, setup: Setup, trained: Trained) -> NDArray[np.float64]:
        """Return the outcome of a run; to choose by, that on validation, larger is better."""
        if not is_tuning(claim.variant):
            return self.trial.measure(setup, claim.seed, self.outcome, trained)
        outcome = tuning_outcome(self.outcome, self.trial.task)
        trial = replace(self.trial, splits=on_validation(self.trial.splits))
        return outcome.sign * trial.measure(setup, claim.seed, outcome, trained)

    def checkpoints(self, claim: Claim) -> Path:
        """Return the folder of the checkpoints of a run, with those of the worker before.

        Each attempt has its own: a worker that was frozen may still write to its folder.
        """
        folder = self.folder_of(claim) / str(claim.attempt)
        if not folder.exists():
            earlier = folder.with_name(str(claim.attempt - 1))
            if earlier.is_dir():
                copied = folder.with_name(f"{claim.attempt}-copy-{os.getpid()}")
                shutil.copytree(earlier, copied, dirs_exist_ok=True)
                copied.rename(folder)
        return folder


def seconds_to_look(names: Sequence[str], state: StudyState) -> float:
    """Return the seconds that some variants and the baseline need until the next look."""
    return sum(
        len(state.missing(name)) * state.expected_seconds(name) for name in (BASELINE, *names)
    )


def check_finite(values: NDArray[np.float64], outcome: Outcome) -> None:
    """Check that an outcome can be compared.

    Raises:
        ValueError: If it is infinite or NaN, as after steps that were too large.
    """
    if not np.isfinite(values).all():
        raise ValueError(f"the outcome, {outcome.name}, is {values.mean():g} after training.")
