"""A worker of a study: it claims runs, trains them and stores their results."""

from __future__ import annotations

import os
import platform
import shutil
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, final

from typing_extensions import override

from neuropil.study.budget import MOST_SEEDS
from neuropil.study.shared_runs.lease_keeper import keep
from neuropil.study.study_plan import BASELINE, is_joint, joint_name, setup_of
from neuropil.study.study_state import StudyState
from neuropil.training.callbacks import Callback
from neuropil.training.nonfinite import NonFiniteError

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable
    from pathlib import Path

    from neuropil.study.outcomes import Outcome
    from neuropil.study.shared_runs.run_records import Claim
    from neuropil.study.shared_runs.runs_table import RunsTable
    from neuropil.study.standing import Standing
    from neuropil.study.study_plan import StudyPlan
    from neuropil.study.trial import Trial
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
            self.prune(state)
            if state.decided or self.must_join(state):
                self.add_joint(state)
            claim = self.table.claim(self.name, LEASE_SECONDS)
            if claim is None:
                if self.wait(state):
                    continue
                return self.state()
            late = time.monotonic() + state.expected_seconds(claim.variant) > self.deadline
            if late or (self.must_join(state) and not is_joint(claim.variant)):
                self.table.release(claim)
                return self.state()
            try:
                if self.watch is not None:
                    self.watch(state, claim.variant, claim.seed)
                self.train(claim, state)
            except BaseException:
                self.table.release(claim)  # does nothing if the run has ended
                raise

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
        missing = set(state.counted(BASELINE)) - state.ended.get(joint_name(names), set())
        return time.monotonic() + each * (len(missing) + 1) > self.deadline

    def state(self) -> StudyState:
        """Return what the table tells now."""
        state = StudyState.of_runs(
            self.table.rows(),
            self.table.results(),
            self.plan,
            self.outcome,
            smallest=self.smallest,
            level=self.level,
            earlier=self.standing,
        )
        self.standing = state.standing
        return state

    def prune(self, state: StudyState) -> None:
        """Skip the runs that no verdict needs any more."""
        for name in self.plan.compared:
            unneeded = set(state.standing.unneeded(name, self.plan.seeds))
            if waiting := unneeded & state.waiting.get(name, set()):
                self.table.skip(name, sorted(waiting))
        # Without variants to compare with, further trainings of the baseline tell nothing.
        if state.decided and (waiting := state.waiting.get(BASELINE, set())):
            self.table.skip(BASELINE, sorted(waiting))

    def add_joint(self, state: StudyState) -> None:
        """Add the runs of the winners together, before all others that wait."""
        names = state.joint(self.trial)
        if len(names) < 2:
            return
        seeds = sorted(state.counted(BASELINE))
        self.table.add([(joint_name(names), seed, seed - MOST_SEEDS) for seed in seeds])

    def train(self, claim: Claim, state: StudyState) -> None:
        """Train a run and store its result, unless another worker takes it.

        Args:
            claim: The run.
            state: The state of the study, for the time that the run should take.

        Raises:
            ValueError: If the baseline cannot be trained.
            RuntimeError: If PyTorch cannot train it.
        """
        setup = setup_of(claim.variant, self.trial.baseline, self.trial.task)
        short = state.expected_seconds(claim.variant) <= SHORT
        folder = None if short else self.checkpoints(claim)
        with keep(self.table, claim) as lost:
            try:
                callbacks = (StopWithoutLease(lost),)
                trained = self.trial.train(setup, claim.seed, folder, callbacks)
                values = self.trial.measure(setup, claim.seed, self.outcome, trained)
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
        shutil.rmtree(self.folder_of(claim), ignore_errors=True)

    def folder_of(self, claim: Claim) -> Path:
        """Return the folder of the checkpoints of all attempts at a run."""
        return self.folder / f"{claim.variant}-{claim.seed}"

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
