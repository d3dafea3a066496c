"""The order of the events, and methods that would never be called."""

import pytest
import torch
from tests.training.test_trainer import trainer_of
from torch import nn

from neuropil.training import Callback
from neuropil.training.callback_events import ELSEWHERE, EVENTS

X, Y = torch.randn(8, 3), torch.randn(8, 1)


class Diary(Callback):
    """Writes down every event with the number of epochs and steps done."""

    def __init__(self, pages, name=""):
        self.pages, self.name = pages, name

    def note(self, event, trainer):
        self.pages.append(f"{self.name}{event} {trainer.epoch} {trainer.steps}")

    def on_start(self, trainer):
        self.note("start", trainer)

    def on_epoch_start(self, trainer):
        self.note("epoch_start", trainer)

    def on_step_start(self, trainer):
        self.note("step_start", trainer)

    def on_step(self, trainer):
        assert trainer.network.weight.grad is not None
        self.note("step", trainer)

    def on_epoch(self, trainer, record):
        assert record["validation_loss"] >= 0
        self.note("epoch", trainer)

    def on_stop(self, trainer):
        self.note("stop", trainer)


def train(callbacks, epochs=2, **options):
    network = nn.Linear(3, 1)
    trainer = trainer_of(network, loss="squared_error", callbacks=callbacks, **options)
    trainer.fit((X, Y), (X, Y), epochs=epochs, batch_size=4)
    return trainer


def test_the_events_come_in_this_order():
    pages = []
    train([Diary(pages)])
    epochs = [
        ["epoch_start 0 0", "step_start 0 0", "step 0 1", "step_start 0 1", "step 0 2"],
        ["epoch_start 1 2", "step_start 1 2", "step 1 3", "step_start 1 3", "step 1 4"],
    ]
    expected = ["start 0 0", *epochs[0], "epoch 1 2", *epochs[1], "epoch 2 4", "stop 2 4"]
    assert pages == expected
    assert list(EVENTS) == [name for name in vars(Callback) if name.startswith("on_")]


def test_each_event_reaches_all_callbacks_before_the_next():
    pages = []
    train([Diary(pages, "first "), Diary(pages, "second ")], epochs=1)
    assert pages[::2] == [page.replace("second", "first") for page in pages[1::2]]


def test_a_rate_may_be_set_before_each_epoch_and_step():
    class Rates(Callback):
        def __init__(self):
            self.rates = []

        def on_epoch_start(self, trainer):
            trainer.optimizer.param_groups[0]["lr"] = 0.1 / (1 + trainer.epoch)

        def on_step_start(self, trainer):
            trainer.optimizer.param_groups[0]["lr"] /= 2

        def on_step(self, trainer):
            self.rates.append(trainer.optimizer.param_groups[0]["lr"])

    callback = Rates()
    train([callback])
    assert callback.rates == pytest.approx([0.05, 0.025, 0.025, 0.0125])


@pytest.mark.parametrize(
    ("name", "event"),
    [
        ("on_epoch_ends", "on_epoch"),
        ("on_epoch_end", "on_epoch"),
        ("on_batch_end", "on_step"),
        ("on_train_batch_start", "on_step_start"),
        ("on_train_epoch_end", "on_epoch"),
        ("on_validation_end", "on_epoch"),
        ("on_epoch_begin", "on_epoch_start"),
        ("on_train_begin", "on_start"),
        ("on_train_end", "on_stop"),
        ("on_strat", "on_start"),
    ],
)
def test_a_method_that_is_never_called_is_refused_with_the_right_one(name, event):
    kind = type("Mine", (Callback,), {name: lambda self, trainer: None})
    said = f"Mine.{name} would never be called. Did you mean '{event}'?"
    with pytest.raises(TypeError, match=said.replace("?", r"\?")):
        train([kind()])


def test_every_event_of_lightning_and_keras_that_is_known_leads_to_one_of_ours():
    assert set(ELSEWHERE.values()) == set(EVENTS)
    assert not set(ELSEWHERE) & set(EVENTS)


def test_inherited_methods_and_others_are_looked_at_too():
    class Base(Callback):
        def on_something(self, trainer):
            """Never called."""

    class Mine(Base):
        def _on_purpose(self):
            """The user's own."""

        def onward(self):
            """The user's own."""

    with pytest.raises(TypeError, match=r"Mine.on_something would never be called\. The ev"):
        train([Mine()])


class Draws(Callback):
    """Draws random numbers at the start of an epoch, and stops the process after a step."""

    def __init__(self, last):
        self.last, self.starts = last, []

    def on_epoch_start(self, trainer):
        torch.rand(3)
        self.starts.append(trainer.steps)

    def on_step(self, trainer):
        if trainer.steps == self.last:
            raise KeyboardInterrupt


def test_a_resumed_epoch_starts_again_and_draws_the_same(tmp_path):
    def dropout(last, **options):
        torch.manual_seed(0)
        network = nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.5), nn.Linear(8, 1))
        callback = Draws(last)
        trainer = trainer_of(network, loss="squared_error", callbacks=[callback], **options)
        return trainer, callback

    def fit(trainer, *, resume=False):
        trainer.fit((X, Y), epochs=3, batch_size=2, resume=resume)
        return torch.cat([p.detach().flatten() for p in trainer.network.parameters()])

    whole = fit(dropout(0)[0])
    options = {"checkpoints": tmp_path, "checkpoint_every": 1}
    with pytest.raises(KeyboardInterrupt):
        fit(dropout(7, **options)[0])
    trainer, callback = dropout(0, **options)
    assert torch.equal(fit(trainer, resume=True), whole)
    assert callback.starts == [6, 8]
