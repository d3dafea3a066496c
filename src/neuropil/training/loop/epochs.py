"""The training loop: epochs, steps, validation, checkpoints and progress."""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, final

from neuropil.training.checkpoints.checkpoint_times import Saver
from neuropil.training.checkpoints.process_states import state_of
from neuropil.training.loop.closure_step import ClosureUpdate
from neuropil.training.loop.stop_request import Interruption
from neuropil.training.metrics.meter import STEPS, Meter
from neuropil.training.nonfinite import NotFinite, bad_state, explain
from neuropil.training.progress import Progress, Status
from neuropil.training.training_state import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from neuropil.training.checkpoints.checkpoint import Checkpoints
    from neuropil.training.loop.batches import Batches, Portion
    from neuropil.training.loop.learner import Learner
    from neuropil.training.loop.update import Group, Update
    from neuropil.training.trainer_options import Options
    from neuropil.training.training_state import TrainingState

# Seconds between two updates of the progress display, and between two agreements of several
# processes on signals and checkpoints.
LOOK, AGREE = 0.1, 1.0


@dataclass(frozen=True)
class Hooks:
    """Functions of the trainer that a fit calls.

    Attributes:
        validate: Returns the validation figures, or None.
        on_epoch_start: Functions to call before every epoch.
        on_step_start: Functions to call before every step.
        on_step: Functions to call after every step.
        on_epoch: Functions to call with the record of every epoch.
        state: Returns the trainer's part of a checkpoint.
        progress: The progress display.
        checkpoints: The checkpoint folder, or None.
    """

    validate: Callable[[], dict[str, float]] | None
    on_epoch_start: list[Callable[[], None]]
    on_step_start: list[Callable[[], None]]
    on_step: list[Callable[[], None]]
    on_epoch: list[Callable[[dict[str, Any]], None]]
    state: Callable[[], dict[str, Any]]
    progress: Progress
    checkpoints: Checkpoints | None


@final
@dataclass(eq=False)
class Fit:
    """One run of the training loop, up to the last epoch.

    Args:
        options: The options of the trainer.
        learner: The learner.
        state: Counters and history.
        update: The step.
        training: The training batches.
        epochs: The last epoch.
        hooks: Functions of the trainer to call.
    """

    options: Options
    learner: Learner
    state: TrainingState
    update: Update
    training: Batches
    epochs: int
    hooks: Hooks

    def __post_init__(self) -> None:
        options, hooks, processes = self.options, self.hooks, self.learner.processes
        self.accumulate = options.accumulate
        self.progress = hooks.progress if processes.first else Progress()
        self.interruption = Interruption(self.check_after_step)
        self.saver = Saver(
            hooks.checkpoints, options.checkpoint_every, self.state_dict, processes
        )
        self.place = Place(steps=self.state.steps)
        self.first_step = self.state.steps
        self.started = self.epoch_started = self.look_at = time.perf_counter()
        self.check_at = 0.0
        # The step after which several processes agree next, and the time of their last one.
        self.agree_at = self.state.steps + 1
        self.agreed, self.agreed_steps = self.started, self.state.steps

    def run(self) -> None:
        """Train to the last epoch, or until the training is stopped.

        Raises:
            KeyboardInterrupt: After a signal; a checkpoint has been written.
            NonFiniteError: If the loss or the weights become NaN or infinite.
        """
        state = self.state
        actions = self.actions()
        self.progress.start(self.status())
        with self.interruption:
            try:
                while state.epoch < self.epochs and not state.stop_reason:
                    self.run_epoch(actions)
                self.saver.save()
            except NotFinite as news:
                raise self.explain(news) from None
            finally:
                self.progress.stop(self.status())

    def run_epoch(self, actions: list[Callable[[], object]]) -> None:
        """Train on all batches once, then validate."""
        state, update, clock = self.state, self.update, time.perf_counter
        batches = self.begin_epoch()
        parts, starts = update.parts, self.hooks.on_step_start
        for group in group_batches(batches, self.accumulate):
            for action in starts:
                action()
            update(group)
            state.steps = parts.steps = parts.steps + 1
            for action in actions:
                action()
            if clock() >= self.check_at or state.stop_reason:
                self.handle_requests()
                if state.stop_reason:
                    break
        self.end_epoch()

    def begin_epoch(self) -> Iterator[Portion]:
        """Return the batches of an epoch, or the remaining ones if it was interrupted."""
        learner, parts, place = self.learner, self.update.parts, self.place
        learner.module.train()
        parts.steps = self.state.steps
        parts.meter = Meter(parts.metrics, learner.views, waits=learner.device.type == "cpu")
        self.epoch_started = time.perf_counter() - place.seconds
        now = learner.random_state()
        for action in self.hooks.on_epoch_start:
            action()
        if place.meter is None:
            self.place = Place(steps=self.state.steps, randomness=learner.random_state())
            return self.training.epoch()
        parts.meter.load_state_dict(place.meter, learner.device)
        # The order of the batches comes from the random states at the start of the epoch; all
        # else, such as dropout, continues from the current ones.
        learner.set_random_state(place.randomness)
        batches = self.training.epoch(place.batches)
        learner.set_random_state(now)
        return batches

    def end_epoch(self) -> None:
        """Validate, record the figures of the epoch, and run the callbacks."""
        state, learner, parts = self.state, self.learner, self.update.parts
        record: dict[str, Any] = {"epoch": state.epoch + 1, "steps": state.steps}
        record |= parts.meter.result(learner.processes)
        self.check_weights()
        if self.hooks.validate is not None:
            figures = self.hooks.validate()
            record |= {f"validation_{name}": value for name, value in figures.items()}
        record |= learner.rates()
        record["seconds"] = time.perf_counter() - self.epoch_started
        learner.step_schedules("epoch", record.get("validation_loss", record.get("loss")))
        state.epoch += 1
        state.history.append(record)
        for action in self.hooks.on_epoch:
            action(record)
        parts.meter = Meter()
        self.place = Place(steps=state.steps, randomness=learner.random_state())
        self.progress.epoch(self.status(), record)
        self.epoch_started = time.perf_counter()
        self.saver.after_epoch()
        if learner.processes.count > 1:
            self.agree()
        elif self.interruption.requested:
            self.interrupt()

    # Between the steps

    def actions(self) -> list[Callable[[], object]]:
        """Return the functions to call after every step, only those that are needed."""
        learner, parts = self.learner, self.update.parts
        actions: list[Callable[[], object]] = []
        if any(interval == "step" for _, interval in learner.schedules.values()):
            actions.append(lambda: parts.skipped or learner.step_schedules("step", None))
        if learner.average is not None:
            actions.append(learner.average.update)
        whole = 0 < (self.training.count or 0) <= self.accumulate
        if whole and isinstance(self.update, ClosureUpdate):
            actions.append(lambda update=self.update: self.end(update.end_reason()))
        actions.extend(self.hooks.on_step)
        if learner.processes.count > 1:
            actions.append(self.agree_when_due)
        if self.saver.every and self.saver.checkpoints is not None:
            actions.append(lambda: self.saver.after_step(self.state.steps))
        return actions

    def end(self, reason: str) -> None:
        """End the training if there is a reason."""
        if reason:
            self.state.stop_reason = reason

    def check_after_step(self) -> None:
        """Make the loop handle requests after the current step."""
        self.check_at = 0.0

    def handle_requests(self) -> None:
        """Show progress; with a single process, also handle signals and write checkpoints."""
        now = time.perf_counter()
        if now >= self.look_at:
            self.progress.update(self.status())
            self.look_at = now + LOOK
        self.check_at = self.look_at
        if self.learner.processes.count == 1:
            self.obey(interrupted=self.interruption.requested, due=now >= self.saver.due)

    def agree_when_due(self) -> None:
        """Handle signals and write checkpoints about every second, alike in all processes."""
        if self.state.steps >= self.agree_at:
            self.agree()

    def agree(self) -> None:
        """Handle signals and write checkpoints, alike in all processes."""
        now, steps = time.perf_counter(), self.state.steps
        own = self.interruption.requested, now >= self.saver.due, now - self.agreed
        requests = self.learner.processes.gather(own)
        # The clocks of the processes differ: that of the first one decides for all.
        _, due, seconds = requests[0]
        pace = (steps - self.agreed_steps) / max(seconds, 1e-9)
        self.agree_at = steps + max(1, min(STEPS, int(pace * AGREE)))
        self.agreed, self.agreed_steps = now, steps
        self.obey(interrupted=any(each[0] for each in requests), due=due)

    def obey(self, *, interrupted: bool, due: bool) -> None:
        """End the training after a signal; write a checkpoint if one is due."""
        if interrupted:
            self.interrupt()
        if due:
            self.saver.save()

    def interrupt(self) -> None:
        """Write a checkpoint and end the training.

        Raises:
            KeyboardInterrupt: Always.
        """
        self.saver.save()
        raise KeyboardInterrupt(
            f"the training was interrupted after step {self.state.steps}. "
            f"{self.saver.assurance()}"
        )

    def check_weights(self) -> None:
        """Check that all weights are finite before they are used or saved.

        Raises:
            NotFinite: If one is not finite.
        """
        name = bad_state(self.learner.module)
        if self.learner.sharded is not None:
            names = self.learner.processes.gather(name)
            name = next((each for each in names if each is not None), None)
        if name is not None:
            raise NotFinite(f"{name} is not finite", self.state.steps - 1)

    def explain(self, news: NotFinite) -> Exception:
        """Return the error that reports a non-finite value to the user."""
        with self.learner.processes.running_apart():
            return explain(
                news,
                self.learner.module,
                self.update.parts.batch,
                self.update.repeat if self.learner.sharded is None else None,
                epoch=self.state.epoch + 1,
                safe=self.saver.assurance(),
            )

    def status(self) -> Status:
        """Return the progress of the training, for the display."""
        state, place, meter = self.state, self.place, self.update.parts.meter
        now, batches = time.perf_counter(), self.training.count
        steps = None if batches is None else -(-batches // self.accumulate)
        step = place.batches // self.accumulate + state.steps - place.steps
        taken = state.steps - self.first_step
        left = None
        if steps is not None and taken:
            to_come = (self.epochs - state.epoch) * steps - step
            left = to_come * (now - self.started) / taken
        rows = meter.rows * self.learner.processes.count
        return Status(
            epoch=max(1, state.epoch + (step > 0)),
            epochs=self.epochs,
            step=step,
            steps=steps,
            loss=meter.mean("loss"),
            rate=rows / max(1e-9, now - self.epoch_started) if rows else None,
            left=left,
        )

    # Checkpoints

    def state_dict(self) -> dict[str, Any]:
        """Return the complete state to resume the training from here."""
        steps, place = self.state.steps, self.place
        self.update.parts.meter.read()  # it knows the step of a non-finite loss
        self.check_weights()
        done = place.batches + (steps - place.steps) * self.accumulate
        own = {
            "random": self.learner.random_state(),
            "place": {
                "batches": done,
                "steps": steps,
                "randomness": place.randomness,
                "seconds": time.perf_counter() - self.epoch_started,
                "meter": self.update.parts.meter.state_dict() if done else None,
            },
        }
        return self.hooks.state() | {"processes": self.learner.processes.gather(own)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the state that `state_dict` returned, except for the trainer's part."""
        processes = self.learner.processes
        own = state_of(
            state["processes"], processes.rank, processes.count, self.learner.random_state()
        )
        self.place = Place(**own["place"])
        self.first_step = self.state.steps
        self.learner.set_random_state(own["random"])


def group_batches(batches: Iterator[Portion], size: int) -> Iterable[Group]:
    """Return the batches in groups, one per step; the last group may be smaller."""
    if size == 1:
        return zip(batches, strict=False)
    return iter(lambda: tuple(islice(batches, size)), ())
