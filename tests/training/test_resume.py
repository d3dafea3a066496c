"""A training that was interrupted ends like one that was not."""

import os
import signal
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.scripts import run_script
from torch import nn
from torch.optim.lr_scheduler import OneCycleLR, ReduceLROnPlateau, StepLR

from neuropil.layers import BatchNorm, Convolution, Dropout, Flatten, Input, Relu, Softmax
from neuropil.optim import (
    Adam,
    cosine_decay,
    exponential_decay,
    l2,
    one_cycle,
    schedules,
    warmup,
)
from neuropil.training import Callback, CheckpointError, Trainer

HERE = Path(__file__).parent


def data():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(50, 4, generator=generator)
    return x, x.sum(dim=1, keepdim=True)


def make(folder=None, **options):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Dropout(0.2), nn.Linear(8, 1))
    options = {"seed": 1, "threads": 1, "progress": False, "checkpoints": folder} | options
    return Trainer(network, **{"loss": "squared_error"} | options)


def weights(trainer):
    return [p.detach().clone() for p in trainer.network.parameters()]


def without_times(history):
    return [{k: v for k, v in record.items() if k != "seconds"} for record in history]


def assert_same(trainer, other):
    assert without_times(trainer.history) == without_times(other.history)
    for a, b in zip(weights(trainer), weights(other), strict=True):
        assert torch.equal(a, b)


def resumed_like_a_whole_one(folder, batches, *, epochs):
    """Hold a training that is resumed to one that was never interrupted."""
    resumed, whole = make(folder), make()
    resumed.fit(batches(), epochs=epochs, resume=True)
    whole.fit(batches(), epochs=epochs)
    assert_same(resumed, whole)


class SignalAt(Callback):
    """Sends this process a signal after a step."""

    def __init__(self, step, number=signal.SIGINT):
        self.step, self.number = step, number

    def on_step(self, trainer):
        if trainer.steps == self.step:
            os.kill(os.getpid(), self.number)


def test_twenty_violent_deaths_change_no_bit(tmp_path):
    printed = run_script(HERE / "interrupted.py", tmp_path, 20)
    assert "{'after a step': 14, 'while writing': 6}" in printed


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("step", [1, 7, 13, 14, 20])
def test_a_signal_ends_the_step_keeps_the_state_and_interrupts(tmp_path, number, step):
    before = signal.getsignal(number)
    trainer = make(tmp_path, callbacks=[SignalAt(step, number)])
    with pytest.raises(KeyboardInterrupt, match=rf"after step {step}\. .*step-0+{step}\.pt"):
        trainer.fit(data(), data(), epochs=3, batch_size=8)
    assert signal.getsignal(number) is before
    resumed = make(tmp_path)
    resumed.fit(data(), data(), epochs=3, batch_size=8, resume=True)
    whole = make()
    whole.fit(data(), data(), epochs=3, batch_size=8)
    assert_same(resumed, whole)


def test_a_finished_training_resumes_to_its_end_at_once(tmp_path):
    trainer = make(tmp_path, ema=0.9)
    trainer.fit(data(), epochs=2)
    again = make(tmp_path, ema=0.9)
    again.fit(data(), epochs=2, resume=True)
    assert again.steps == trainer.steps
    assert_same(again, trainer)


def test_more_epochs_than_before_go_on_from_the_end(tmp_path):
    make(tmp_path).fit(data(), epochs=2)
    resumed_like_a_whole_one(tmp_path, data, epochs=5)


def test_resuming_with_nothing_there_starts_anew(tmp_path):
    trainer = make(tmp_path / "new")
    assert trainer.resume() is False
    assert len(trainer.fit(data(), epochs=2, resume=True)) == 2


def test_resume_loads_weights_and_history_at_once(tmp_path):
    trainer = make(tmp_path)
    trainer.fit(data(), epochs=2)
    other = make()
    assert other.resume(tmp_path) is True
    assert_same(other, trainer)
    assert other.epoch == 2


def test_two_fits_are_one(tmp_path):
    twice, once = make(ema=0.5), make(ema=0.5)
    twice.fit(data(), epochs=2)
    twice.fit(data(), epochs=3)
    once.fit(data(), epochs=5)
    assert_same(twice, once)


def test_a_loader_with_its_own_randomness_is_resumed_in_its_middle(tmp_path):
    def loader():
        dataset = torch.utils.data.TensorDataset(*data())
        generator = torch.Generator().manual_seed(5)
        return torch.utils.data.DataLoader(dataset, 8, shuffle=True, generator=generator)

    with pytest.raises(KeyboardInterrupt):
        make(tmp_path, callbacks=[SignalAt(10)]).fit(loader(), epochs=3)
    resumed_like_a_whole_one(tmp_path, loader, epochs=3)


def test_a_network_of_ours_is_resumed_with_its_normalisation(tmp_path):
    pictures = torch.arange(40 * 16, dtype=torch.uint8).reshape(40, 1, 4, 4)
    classes = torch.arange(40) % 3

    def trainer_of(folder, *callbacks):
        torch.manual_seed(0)
        network = (
            Input(1, 4, 4) >> Convolution(3, 3) >> BatchNorm() >> Relu() >> Flatten()
            >> Dropout(0.3) >> Softmax(3)
        )  # fmt: skip
        return Trainer(
            network, metrics=["accuracy"], ema=0.9, seed=2, threads=1, progress=False,
            checkpoints=folder, callbacks=callbacks,
        )  # fmt: skip

    with pytest.raises(KeyboardInterrupt):
        trainer_of(tmp_path, SignalAt(13)).fit((pictures, classes), epochs=3, batch_size=4)
    resumed, whole = trainer_of(tmp_path), trainer_of(None)
    for trainer in (resumed, whole):
        trainer.fit((pictures, classes), epochs=3, batch_size=4, resume=trainer is resumed)
    assert_same(resumed, whole)
    state = resumed.network.state_dict()
    assert "input1.mean" in state
    for key, value in whole.network.state_dict().items():
        assert torch.equal(state[key], value)


def test_augmentation_by_the_global_generators_is_resumed(tmp_path):
    def jitter(inputs, targets, _):
        return inputs + torch.rand(1) + float(np.random.rand()), targets  # noqa: NPY002

    with pytest.raises(KeyboardInterrupt):
        make(tmp_path, augment=jitter, callbacks=[SignalAt(4)]).fit(data(), epochs=2)
    resumed, whole = make(tmp_path, augment=jitter), make(augment=jitter)
    resumed.fit(data(), epochs=2, resume=True)
    whole.fit(data(), epochs=2)
    assert_same(resumed, whole)


def test_what_does_not_belong_together_is_refused(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        make(tmp_path, callbacks=[SignalAt(3)]).fit(data(), epochs=2, batch_size=8)
    with pytest.raises(CheckpointError, match="already contains checkpoints"):
        make(tmp_path).fit(data(), epochs=2)
    with pytest.raises(CheckpointError, match="batch_size=8, this one has batch_size=16"):
        make(tmp_path).fit(data(), epochs=2, batch_size=16, resume=True)
    stranger = Trainer(nn.Linear(4, 1), checkpoints=tmp_path, progress=False)
    with pytest.raises(CheckpointError, match="of another network: Missing key"):
        stranger.fit(data(), epochs=2, batch_size=8, resume=True)
    with pytest.raises(CheckpointError, match="needs a folder"):
        make().fit(data(), epochs=1, resume=True)


OTHER_OPTIONS = {
    "seed": ({"seed": 2}, "seed=1, this one has seed=2"),
    "loss": ({"loss": "huber"}, "loss=squared_error, this one has loss=huber"),
    "metrics": ({"metrics": ["r2"]}, r"metrics=\[\], this one has metrics=\['r2'\]"),
    "ema": ({"ema": 0.9}, "ema=None, this one has ema=0.9"),
    "clip": ({"clip_norm": 1.0}, "clip_norm=None, this one has clip_norm=1.0"),
    "weight": ({"regularizer": l2(0.1)}, "regularizer=None, this one has regularizer="),
    "augment": ({"augment": data}, "augment=None, this one has augment=.*data"),
    "normalize": ({"normalize": False}, "normalize=True, this one has normalize=False"),
    "accumulate": ({"accumulate": 2}, "accumulate=1, this one has accumulate=2"),
    "rate": ({"optimizer": partial(Adam, lr=0.5)}, "lr=0.001, this one has lr=0.5"),
    "optimizer": ({"optimizer": "sgd"}, "optimizer=Adam, this one has optimizer="),
    "schedule": ({"schedule": "cosine"}, "epochs=None, this one has epochs=2"),
}


@pytest.mark.parametrize(("options", "line"), OTHER_OPTIONS.values(), ids=OTHER_OPTIONS)
def test_a_training_with_other_options_is_refused(tmp_path, options, line):
    make(tmp_path).fit(data(), epochs=2)
    with pytest.raises(CheckpointError, match=line):
        make(tmp_path, **options).fit(data(), epochs=2, resume=True)


def test_options_are_compared_by_their_values(tmp_path):
    """Objects of another process, and NumPy's numbers, mean the same as those of this one."""
    first = {
        "seed": np.int64(1),
        "clip_norm": np.float64(2),
        "metrics": [lambda s, t: (s - t)[:, 0]],
    }
    again = {"seed": 1, "clip_norm": 2.0, "metrics": [lambda s, t: (s - t)[:, 0]]}
    make(tmp_path, **first).fit(data(), epochs=1)
    make(tmp_path, **again).fit(data(), epochs=1, resume=True)


# More epochs than there were


@pytest.mark.parametrize("name", schedules.SCHEDULES)
def test_a_schedule_stretched_over_a_training_is_not_stretched_in_silence(tmp_path, name):
    make(tmp_path, schedule=name).fit(data(), epochs=3)
    line = r"epochs=3, over which its schedule is stretched.*resume it with epochs=3"
    for epochs in (30, 2):
        with pytest.raises(CheckpointError, match=line):
            make(tmp_path, schedule=name).fit(data(), epochs=epochs, resume=True)
    # As the line says: finish what there was, then train on.
    trainer = make(tmp_path, schedule=name)
    assert len(trainer.fit(data(), epochs=3, resume=True)) == 3
    rates = trainer.fit(data(), epochs=4)["lr"]
    assert rates[3] > 0
    assert max(rates[3:]) > max(rates[:3]) / 2


@pytest.mark.parametrize(
    ("schedule", "line"),
    [
        (partial(cosine_decay, epochs=30), r"Cosine\(length=3,.*Cosine\(length=30,"),
        (partial(one_cycle, steps=70), r"Cycle\(length=21,.*Cycle\(length=70,"),
        (partial(warmup, epochs=30), r"Warmup\(length=3,.*Warmup\(length=30,"),
        (partial(StepLR, step_size=30), r"StepLR\(step_size=3,.*StepLR\(step_size=30,"),
        (partial(OneCycleLR, max_lr=1.0, total_steps=30), r"total_steps=3\),.*total_steps=30"),
    ],
)
def test_a_schedule_of_another_length_is_refused(tmp_path, schedule, line):
    """The state in the checkpoint would take its place, and nobody would know."""
    own = {
        k: v if k == "max_lr" else 21 if k == "steps" else 3
        for k, v in schedule.keywords.items()
    }
    first = partial(schedule.func, **own)
    make(tmp_path, schedule=first).fit(data(), epochs=2)
    with pytest.raises(CheckpointError, match=line):
        make(tmp_path, schedule=schedule).fit(data(), epochs=20, resume=True)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"schedule": partial(exponential_decay, epochs=5)},
        {"schedule": partial(ReduceLROnPlateau, patience=1)},
        {"optimizer": "levenberg_marquardt"},
        {"optimizer": "quasi_newton"},
        {"optimizer": "rprop"},
    ],
    ids=["none", "exponential", "plateau", "levenberg_marquardt", "quasi_newton", "rprop"],
)
def test_what_is_not_stretched_may_be_taken_further(tmp_path, options):
    make(tmp_path, **options).fit(data(), epochs=2)
    longer, whole = make(tmp_path, **options), make(**options)
    longer.fit(data(), epochs=5, resume=True)
    whole.fit(data(), epochs=5)
    assert len(longer.history) == 5
    assert_same(longer, whole)


def test_a_callback_may_stop_the_training_for_good(tmp_path):
    class Enough(Callback):
        def on_step(self, trainer):
            if trainer.steps == 9:
                trainer.stop("enough")

    trainer = make(tmp_path, callbacks=[Enough()])
    history = trainer.fit(data(), epochs=5, batch_size=8)
    assert (trainer.stop_reason, trainer.steps, len(history)) == ("enough", 9, 2)
    again = make(tmp_path)
    again.fit(data(), epochs=5, batch_size=8, resume=True)
    assert again.steps == 9
