"""The loop itself: epochs and steps, and what happens beside them."""

from __future__ import annotations

import functools
import time
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, final

from neuropil.training.callbacks import Callback
from neuropil.training.checkpoints.checkpoint_times import Saver
from neuropil.training.loop.closure_step import ClosureUpdate
from neuropil.training.loop.stop_request import Interruption
from neuropil.training.metrics.meter import STEPS, Meter
from neuropil.training.nonfinite import NotFinite, bad_state, explained
from neuropil.training.progress import Progress, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from neuropil.training.loop.batches import Batches, Portion
    from neuropil.training.loop.update import Group, Update
    from neuropil.training.trainer import Trainer

# Seconds between two looks at the progress.
LOOK = 0.1


@dataclass
class Place:
    """Where a fit entered an epoch: at its start, or where it was interrupted.

    Attributes:
        batches: Batches of the epoch that were done then.
        steps: Steps done in all then.
        randomness: The random states in which the epoch began.
        seconds: How long the epoch had taken.
        meter: The sums of those batches; None at the start.
    """

    batches: int = 0
    steps: int = 0
    randomness: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    meter: dict[str, Any] | None = None


@final
class Fit:
    """One training from its first epoch to its last.

    Args:
        trainer: What is trained, and all that lasts beyond this fit.
        update: One step.
        training: The batches to learn from.
        validate: Gives the figures of the validation, or None.
        epochs: The last epoch.
        facts: What must be the same again where this training is resumed.
    """

    def __init__(
        self,
        trainer: Trainer,
        update: Update,
        training: Batches,
        validate: Callable[[], dict[str, float]] | None,
        epochs: int,
        facts: dict[str, Any],
    ) -> None:
        self.trainer = trainer
        self.learner = learner = trainer.learner
        self.accumulate = trainer.options.accumulate
        self.update = update
        self.training = training
        self.validate = validate
        self.epochs = epochs
        self.progress = trainer.progress if learner.processes.first else Progress()
        self.interruption = Interruption(self.wake)
        self.saver = Saver(
            trainer.checkpoints,
            trainer.options.checkpoint_every,
            self.state_dict,
            learner.processes,
        )
        self.place = Place(steps=trainer.steps)
        self.first_step = trainer.steps
        self.started = self.epoch_started = self.look_at = time.perf_counter()
        self.attend_at = 0.0
        self.facts = facts

    def run(self) -> None:
        """Train to the end, or until something says stop.

        Raises:
            KeyboardInterrupt: After a signal; a checkpoint has been written.
            NonFiniteError: When the loss or the weights are no numbers any more.
        """
        trainer = self.trainer
        actions = self.actions()
        self.progress.start(self.status())
        with self.interruption:
            try:
                while trainer.epoch < self.epochs and not trainer.stop_reason:
                    self.run_epoch(actions)
                self.saver.save()
            except NotFinite as news:
                raise self.explained(news) from None
            finally:
                self.progress.stop(self.status())

    def run_epoch(self, actions: list[Callable[[], object]]) -> None:
        """Train on all batches once, then see how it went."""
        trainer, update, clock = self.trainer, self.update, time.perf_counter
        batches = self.begin_epoch()
        parts = update.parts
        for group in grouped(batches, self.accumulate):
            update(group)
            trainer.steps = parts.steps = parts.steps + 1
            for action in actions:
                action()
            if clock() >= self.attend_at or trainer.stop_reason:
                self.attend()
                if trainer.stop_reason:
                    break
        self.end_epoch()

    def begin_epoch(self) -> Iterator[Portion]:
        """Return the batches of an epoch, or what is left of one that was interrupted."""
        learner, parts, place = self.learner, self.update.parts, self.place
        learner.module.train()
        parts.steps = self.trainer.steps
        metrics = () if self.trainer.options.step else self.trainer.metrics
        parts.meter = Meter(metrics, learner.views, waits=learner.device.type == "cpu")
        self.epoch_started = time.perf_counter() - place.seconds
        if place.meter is None:
            self.place = Place(steps=self.trainer.steps, randomness=learner.random_state())
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
        trainer, learner, parts = self.trainer, self.learner, self.update.parts
        record: dict[str, Any] = {"epoch": trainer.epoch + 1, "steps": trainer.steps}
        record |= parts.meter.result(learner.processes)
        self.check_weights()
        if self.validate is not None:
            record |= {f"validation_{name}": value for name, value in self.validate().items()}
        record |= learner.rates()
        record["seconds"] = time.perf_counter() - self.epoch_started
        learner.step_schedules("epoch", record.get("validation_loss", record.get("loss")))
        trainer.epoch += 1
        trainer.history.append(record)
        for callback in overriding(trainer.callbacks, "on_epoch"):
            callback.on_epoch(trainer, record)
        parts.meter = Meter()
        self.place = Place(steps=trainer.steps, randomness=learner.random_state())
        self.progress.epoch(self.status(), record)
        self.epoch_started = time.perf_counter()
        self.saver.after_epoch()
        if learner.processes.count == 1 and self.interruption.requested:
            self.interrupt()

    # Beside the steps

    def actions(self) -> list[Callable[[], object]]:
        """Return what is done after every step; nothing that is not needed."""
        trainer, learner, parts = self.trainer, self.learner, self.update.parts
        actions: list[Callable[[], object]] = []
        if any(interval == "step" for _, interval in learner.schedules.values()):
            actions.append(lambda: parts.skipped or learner.step_schedules("step", None))
        if learner.average is not None:
            actions.append(learner.average.update)
        whole = 0 < (self.training.count or 0) <= self.accumulate
        if whole and isinstance(self.update, ClosureUpdate):
            actions.append(lambda update=self.update: self.end(update.ended()))
        told = overriding(trainer.callbacks, "on_step")
        actions.extend(functools.partial(callback.on_step, trainer) for callback in told)
        if learner.processes.count > 1:
            actions.append(self.agree)
        if self.saver.every and self.saver.checkpoints is not None:
            actions.append(lambda: self.saver.after_step(trainer.steps))
        return actions

    def end(self, reason: str) -> None:
        """End the training where there is a reason."""
        if reason:
            self.trainer.stop(reason)

    def wake(self) -> None:
        """Have the loop attend after the step under way."""
        self.attend_at = 0.0

    def attend(self) -> None:
        """Show progress, and unless it must be agreed upon, obey a signal or write a state."""
        now = time.perf_counter()
        if now >= self.look_at:
            self.progress.update(self.status())
            self.look_at = now + LOOK
        self.attend_at = self.look_at
        if self.learner.processes.count == 1:
            self.obey(interrupted=self.interruption.requested, due=now >= self.saver.due)

    def agree(self) -> None:
        """At every so many steps, decide with the others what `attend` decides alone."""
        if self.trainer.steps % STEPS == 0:
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
            f"the training was interrupted after step {self.trainer.steps}. {self.saver.kept()}"
        )

    def check_weights(self) -> None:
        """Refuse to go on with weights that are no numbers, or to keep them.

        Raises:
            NotFinite: When one is not finite.
        """
        name = bad_state(self.learner.module)
        if name is not None:
            raise NotFinite(f"{name} is not finite", self.trainer.steps - 1)

    def explained(self, news: NotFinite) -> Exception:
        """Return the error that tells a person what happened."""
        return explained(
            news,
            self.learner.module,
            self.update.parts.batch,
            self.update.look,
            epoch=self.trainer.epoch + 1,
            safe=self.saver.kept(),
        )

    def status(self) -> Status:
        """Return where the training stands, for the display."""
        trainer, place, meter = self.trainer, self.place, self.update.parts.meter
        now, batches = time.perf_counter(), self.training.count
        steps = None if batches is None else -(-batches // self.accumulate)
        step = place.batches // self.accumulate + trainer.steps - place.steps
        taken = trainer.steps - self.first_step
        left = None
        if steps is not None and taken:
            to_come = (self.epochs - trainer.epoch) * steps - step
            left = to_come * (now - self.started) / taken
        rows = meter.rows * self.learner.processes.count
        return Status(
            epoch=max(1, trainer.epoch + (step > 0)),
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
        trainer, place = self.trainer, self.place
        self.update.parts.meter.read()  # it knows the step of a loss that was no number
        self.check_weights()
        done = place.batches + (trainer.steps - place.steps) * self.accumulate
        own = {
            "random": self.learner.random_state(),
            "place": {
                "batches": done,
                "steps": trainer.steps,
                "randomness": place.randomness,
                "seconds": time.perf_counter() - self.epoch_started,
                "meter": self.update.parts.meter.state_dict() if done else None,
            },
        }
        return trainer.state_dict() | {
            "facts": self.facts,
            "processes": self.learner.processes.gather(own),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what `state_dict` gave; the trainer has taken its part."""
        own = state["processes"][self.learner.processes.rank]
        self.place = Place(**own["place"])
        self.first_step = self.trainer.steps
        self.learner.set_random_state(own["random"])


def grouped(batches: Iterator[Portion], size: int) -> Iterable[Group]:
    """Return batches in groups, one for each step; the last group may be smaller."""
    if size == 1:
        return zip(batches, strict=False)
    return iter(lambda: tuple(islice(batches, size)), ())


def overriding(callbacks: Iterable[Callback], moment: str) -> list[Callback]:
    """Return the callbacks that do something at a moment."""
    return [c for c in callbacks if getattr(type(c), moment) is not getattr(Callback, moment)]
