"""Averaged weights."""

import pytest
import torch
from torch import nn

from neuropil.training import BestWeights, Callback, Trainer


class Weights(Callback):
    def __init__(self):
        self.seen = []

    def on_step(self, trainer):
        self.seen.append(trainer.network[0].weight.detach().clone())


def train(ema, *, epochs=2, callbacks=()):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Linear(3, 1))
    start = network[0].weight.detach().clone()
    watch = Weights()
    trainer = Trainer(
        network,
        loss="squared_error",
        optimizer=torch.optim.SGD(network.parameters(), lr=0.1),
        ema=ema,
        seed=0,
        callbacks=[watch, *callbacks],
        progress=False,
        threads=None,
    )
    x = torch.linspace(-1, 1, 40).reshape(20, 2)
    trainer.fit((x, x[:, :1]), (x, x[:, :1]), epochs=epochs, batch_size=5)
    return trainer, start, watch.seen


@pytest.mark.parametrize("decay", [0.0, 0.3, 0.999])
def test_the_average_is_that_of_its_definition(decay):
    trainer, average, seen = train(decay)
    for t, weight in enumerate(seen, start=1):
        average = average + (1 - min(decay, (1 + t) / (10 + t))) * (weight - average)
    torch.testing.assert_close(trainer.network[0].weight.detach(), average)


def test_validation_sees_the_average_and_training_goes_on_without_it():
    averaged, _, seen = train(0.99, epochs=3)
    plain, _, same = train(None, epochs=3)
    assert all(torch.equal(a, b) for a, b in zip(seen, same, strict=True))
    assert averaged.history["loss"] == plain.history["loss"]
    x = torch.linspace(-1, 1, 40).reshape(20, 2)
    last = averaged.history[-1]["validation_loss"]
    assert averaged.evaluate((x, x[:, :1]))["loss"] == pytest.approx(last)
    assert last != plain.history[-1]["validation_loss"]


def test_batch_statistics_are_averaged_and_counters_are_not():
    trainer, _, _ = train(0.99)
    norm = trainer.network[1]
    assert norm.num_batches_tracked == 8
    plain, _, _ = train(None)
    assert not torch.equal(norm.running_mean, plain.network[1].running_mean)


def test_the_best_weights_are_averaged_ones():
    trainer, _, _ = train(0.9, epochs=3, callbacks=[BestWeights()])
    x = torch.linspace(-1, 1, 40).reshape(20, 2)
    best = trainer.history.best("validation_loss")["validation_loss"]
    assert trainer.evaluate((x, x[:, :1]))["loss"] == pytest.approx(best)


def test_weights_set_between_two_fits_are_kept():
    trainer, _, _ = train(0.99)
    fresh = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Linear(3, 1)).state_dict()
    trainer.network.load_state_dict(fresh)
    x = torch.zeros(4, 2)
    for group in trainer.optimizer.param_groups:
        group["lr"] = 0.0
    trainer.fit((x, x[:, :1]), epochs=1)
    assert torch.equal(trainer.network[0].weight, fresh["0.weight"])
