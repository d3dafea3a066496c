"""Watching the gradients while a network trains: the training never notices."""

import warnings

import pytest
import torch
from torch import nn

from neuropil.analysis import gradient_health
from neuropil.layers import BatchNorm, Dropout, Input, Relu, Softmax
from neuropil.training import Callback, GradientWatch, Trainer

GENERATOR = torch.Generator().manual_seed(0)
X = torch.randn(96, 6, generator=GENERATOR)
Y = (X[:, 0] * X[:, 1] > 0).long()


def make(*callbacks, bias=0.0, **options):
    torch.manual_seed(0)
    network = Input(6) >> Relu(16) >> BatchNorm() >> Dropout(0.3) >> Relu(16) >> Softmax(2)
    nn.init.constant_(network.layers["relu1"].bias, bias)
    options = {"seed": 1, "threads": 1, "progress": False} | options
    return Trainer(network, callbacks=callbacks, **options)


def weights(trainer):
    return {name: value.clone() for name, value in trainer.network.state_dict().items()}


def assert_equal_bits(first, second):
    assert first.keys() == second.keys()
    for name, value in first.items():
        assert torch.equal(value, second[name]), name


class Interrupt(Callback):
    """Interrupts the training in the middle of an epoch."""

    def __init__(self, step):
        self.step = step

    def on_step(self, trainer):
        if trainer.steps == self.step:
            raise KeyboardInterrupt


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"accumulate": 2, "clip_norm": 1.0, "ema": 0.9},
        {"augment": lambda x, y, g: (x + torch.randn(x.shape, generator=g), y)},
        {"optimizer": lambda params: torch.optim.LBFGS(params, max_iter=3)},
    ],
)
def test_a_watched_training_is_the_same_to_the_bit(options):
    plain, watched = make(**options), make(watch := GradientWatch(), **options)
    for trainer in (plain, watched):
        trainer.fit((X, Y), (X, Y), epochs=3, batch_size=16)
    assert_equal_bits(weights(plain), weights(watched))
    assert plain.history["validation_loss"] == watched.history["validation_loss"]
    assert watch.epochs == [1, 2, 3]
    assert not any(m._forward_hooks for m in watched.network.modules())


def test_it_measures_what_gradient_health_measures():
    class Now(Callback):
        """Measures by hand at the same moments."""

        healths = ()

        def on_step(self, trainer):
            if trainer.steps % 6 == 1:
                inputs, targets = trainer.update.parts.batch
                found = gradient_health(trainer.network, inputs, targets)
                self.healths = (*self.healths, found)

    trainer = make(watch := GradientWatch(), now := Now())
    trainer.fit((X, Y), epochs=2, batch_size=16)
    assert len(watch.healths) == 2
    assert tuple(watch.healths) == now.healths
    assert [row.name for row in watch.healths[0].rows] == [
        *("relu1", "batchnorm1", "relu2", "softmax1")
    ]


def test_troubles_are_told_once_and_kept():
    trainer = make(watch := GradientWatch(warn=True), bias=-50.0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        trainer.fit((X, Y), epochs=3, batch_size=32)
    dead = "relu1: none of its 16 units fires on any of these 32 examples"
    assert sum(str(w.message) == f"epoch 1: {dead}" for w in caught) == 1
    assert not any("relu1: none" in str(w.message) for w in caught[len(watch.verdicts) :])
    assert dead in map(str, watch.verdicts)
    assert {v.kind for h in watch.healths for v in h.verdicts} >= {"dead", "vanishing"}


def test_without_warn_nothing_is_said():
    trainer = make(watch := GradientWatch(), bias=-50.0)
    trainer.fit((X, Y), epochs=1)  # a warning would be an error
    assert watch.verdicts


def test_long_trainings_are_measured_ever_more_rarely():
    trainer = make(watch := GradientWatch())
    trainer.fit((X, Y), epochs=100, batch_size=96)
    assert watch.epochs == list(range(1, 101, 4))
    trainer = make(watch := GradientWatch(every=30))
    trainer.fit((X, Y), epochs=100, batch_size=96)
    assert watch.epochs == [1, 31, 61, 91]


def test_a_resumed_training_goes_on_measuring_as_if_nothing_had_been(tmp_path):
    through = make(expected := GradientWatch(every=2))
    through.fit((X, Y), epochs=6, batch_size=16)

    options = {"checkpoints": tmp_path, "checkpoint_every": 1}
    broken = make(GradientWatch(every=2), Interrupt(step=20), **options)
    with pytest.raises(KeyboardInterrupt):
        broken.fit((X, Y), epochs=6, batch_size=16)
    resumed = make(found := GradientWatch(every=2), **options)
    resumed.fit((X, Y), epochs=6, batch_size=16, resume=True)
    assert_equal_bits(weights(through), weights(resumed))
    assert found.epochs == expected.epochs == [1, 3, 5]
    assert found.healths == expected.healths


def test_a_second_fit_goes_on_and_another_trainer_begins_anew():
    watch = GradientWatch()
    trainer = make(watch)
    trainer.fit((X, Y), epochs=2)
    trainer.fit((X, Y), epochs=2)
    assert watch.epochs == [1, 2, 3, 4]
    make(watch).fit((X, Y), epochs=1)
    assert watch.epochs == [1]


def test_plain_modules_and_numbers_as_targets():
    network = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 1))
    watch = GradientWatch()
    Trainer(network, callbacks=[watch], progress=False, threads=None).fit(
        (X, X.sum(1, keepdim=True)), epochs=2
    )
    assert [row.name for row in watch.healths[-1].rows] == ["0", "1", "2"]
    assert not watch.verdicts


def test_what_cannot_be_watched_is_refused():
    with pytest.raises(ValueError, match="GradientWatch: every"):
        GradientWatch(every=0)
    network = nn.Linear(6, 1)
    trainer = Trainer(
        network,
        step=lambda trainer, batch: {"loss": trainer.network(batch).mean()},
        callbacks=[GradientWatch()],
        progress=False,
    )
    with pytest.raises(ValueError, match="not work with a custom step"):
        trainer.fit(X, epochs=1)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an accelerator")
def test_it_measures_the_same_on_an_accelerator():
    found = []
    for device in ("cpu", "cuda"):
        torch.manual_seed(0)
        network = Input(6) >> Relu(16) >> BatchNorm() >> Relu(16) >> Softmax(2)
        watch = GradientWatch()
        trainer = Trainer(network, callbacks=[watch], device=device, seed=0, progress=False)
        trainer.fit((X, Y), epochs=1, batch_size=96)
        found.append(watch.healths[0].rows)
    for cpu, cuda in zip(*found, strict=True):
        assert (cpu.name, cpu.units, cpu.dead) == (cuda.name, cuda.units, cuda.dead)
        assert cuda.size == pytest.approx(cpu.size, rel=1e-3)
        if cpu.gradient is not None:
            assert cuda.gradient == pytest.approx(cpu.gradient, rel=1e-2)
