"""The loop itself: epochs and steps, and what happens beside them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, final

from neuropil.training.checkpoints.checkpoint_times import Saver
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

# Seconds between two looks at the progress.
LOOK = 0.1


@dataclass(frozen=True)
class Hooks:
    """What a fit does for its trainer beside the training.

    Attributes:
        validate: Gives the figures of the validation, or None.
        on_step: Run after every step.
        on_epoch: Given the record of every epoch.
        state: Gives what a checkpoint holds, but for this fit's own part.
        progress: Shows how far the training has come.
        checkpoints: Where states go, or None.
    """

    validate: Callable[[], dict[str, float]] | None
    on_step: list[Callable[[], None]]
    on_epoch: list[Callable[[dict[str, Any]], None]]
    state: Callable[[], dict[str, Any]]
    progress: Progress
    checkpoints: Checkpoints | None


@final
class Fit:
    """One training from its first epoch to its last.

    Args:
        options: The trainer's.
        learner: What is trained.
        state: How far it has come.
        update: One step.
        training: The batches to learn from.
        epochs: The last epoch.
        hooks: What else is done.
    """

    def __init__(
        self,
        options: Options,
        learner: Learner,
        state: TrainingState,
        update: Update,
        training: Batches,
        epochs: int,
        hooks: Hooks,
    ) -> None:
        self.learner = learner
        self.state = state
        self.accumulate = options.accumulate
        self.update = update
        self.training = training
        self.epochs = epochs
        self.hooks = hooks
        self.progress = hooks.progress if learner.processes.first else Progress()
        self.interruption = Interruption(self.hasten)
        self.saver = Saver(
            hooks.checkpoints, options.checkpoint_every, self.state_dict, learner.processes
        )
        self.place = Place(steps=state.steps)
        self.first_step = state.steps
        self.started = self.epoch_started = self.look_at = time.perf_counter()
        self.check_at = 0.0

    def run(self) -> None:
        """Train to the end, or until something says stop.

        Raises:
            KeyboardInterrupt: After a signal; a checkpoint has been written.
            NonFiniteError: When the loss or the weights are no numbers any more.
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
        """Train on all batches once, then see how it went."""
        state, update, clock = self.state, self.update, time.perf_counter
        batches = self.begin_epoch()
        parts = update.parts
        for group in group_batches(batches, self.accumulate):
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
        """Return the batches of an epoch, or what is left of one that was interrupted."""
        learner, parts, place = self.learner, self.update.parts, self.place
        learner.module.train()
        parts.steps = self.state.steps
        parts.meter = Meter(parts.metrics, learner.views, waits=learner.device.type == "cpu")
        self.epoch_started = time.perf_counter() - place.seconds
        if place.meter is None:
            self.place = Place(steps=self.state.steps, randomness=learner.random_state())
            return self.training.epoch()
        parts.meter.load_state_dict(place.meter, learner.device)
        # The order of the epoch comes from the states it began in; what follows, from now.
        now = learner.random_state()
        learner.set_random_state(place.randomness)
        batches = self.training.epoch(place.batches)
        learner.set_random_state(now)
        return batches

    def end_epoch(self) -> None:
        """Validate, write the epoch's figures down, and let the callbacks see them."""
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
        if learner.processes.count == 1 and self.interruption.requested:
            self.interrupt()

    # Beside the steps

    def actions(self) -> list[Callable[[], object]]:
        """Return what is done after every step; nothing that is not needed."""
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
            actions.append(self.agree)
        if self.saver.every and self.saver.checkpoints is not None:
            actions.append(lambda: self.saver.after_step(self.state.steps))
        return actions

    def end(self, reason: str) -> None:
        """End the training where there is a reason."""
        if reason:
            self.state.stop_reason = reason

    def hasten(self) -> None:
        """Have the loop see to requests after the step under way."""
        self.check_at = 0.0

    def handle_requests(self) -> None:
        """Show progress, and unless it must be agreed upon, obey a signal or write a state."""
        now = time.perf_counter()
        if now >= self.look_at:
            self.progress.update(self.status())
            self.look_at = now + LOOK
        self.check_at = self.look_at
        if self.learner.processes.count == 1:
            self.obey(interrupted=self.interruption.requested, due=now >= self.saver.due)

    def agree(self) -> None:
        """Every few steps, decide with the others what `handle_requests` decides alone."""
        if self.state.steps % STEPS == 0:
            own = self.interruption.requested, time.perf_counter() >= self.saver.due
            wishes = self.learner.processes.gather(own)
            self.obey(interrupted=any(wish[0] for wish in wishes), due=wishes[0][1])

    def obey(self, *, interrupted: bool, due: bool) -> None:
        """End the training after a signal, write a state when one is due."""
        if interrupted:
            self.interrupt()
        if due:
            self.saver.save()

    def interrupt(self) -> None:
        """Write a state and end the training.

        Raises:
            KeyboardInterrupt: Always.
        """
        self.saver.save()
        raise KeyboardInterrupt(
            f"the training was interrupted after step {self.state.steps}. "
            f"{self.saver.assurance()}"
        )

    def check_weights(self) -> None:
        """Refuse to go on with weights that are no numbers, or to keep them.

        Raises:
            NotFinite: When one is not finite.
        """
        name = bad_state(self.learner.module)
        if name is not None:
            raise NotFinite(f"{name} is not finite", self.state.steps - 1)

    def explain(self, news: NotFinite) -> Exception:
        """Return the error that tells a person what happened."""
        return explain(
            news,
            self.learner.module,
            self.update.parts.batch,
            self.update.look,
            epoch=self.state.epoch + 1,
            safe=self.saver.assurance(),
        )

    def status(self) -> Status:
        """Return where the training stands, for the display."""
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

    # To disk and back

    def state_dict(self) -> dict[str, Any]:
        """Return all that this fit and its trainer need to go on from here."""
        steps, place = self.state.steps, self.place
        self.update.parts.meter.read()  # it knows the step of a loss that was no number
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
        """Take back what `state_dict` gave; the trainer has taken its part."""
        own = state["processes"][self.learner.processes.rank]
        self.place = Place(**own["place"])
        self.first_step = self.state.steps
        self.learner.set_random_state(own["random"])


def group_batches(batches: Iterator[Portion], size: int) -> Iterable[Group]:
    """Return batches in groups, one for each step; the last group may be smaller."""
    if size == 1:
        return zip(batches, strict=False)
    return iter(lambda: tuple(islice(batches, size)), ())
