"""The learning-rate range test."""

import copy
import math

import pytest
import torch
from torch import nn

from neuropil.layers import BatchNorm, Dropout, Input, Linear, Relu, Softmax
from neuropil.optim import by_name
from neuropil.training import NonFiniteError, Trainer, find_lr

X = torch.randn(64, 3, generator=torch.Generator().manual_seed(0))
Y = X.sum(1, keepdim=True)


def test_the_suggestion_lies_where_a_quadratic_converges():
    # The loss (1/N)‖X(w − w*)‖² diverges under gradient descent beyond 1/λ, λ the largest
    # eigenvalue of XᵀX/N, and hardly moves below a thousandth of that.
    network = nn.Linear(3, 1, bias=False)
    sgd = torch.optim.SGD(network.parameters(), lr=0.1)
    found = find_lr(Trainer(network, optimizer=sgd, progress=False), (X, Y), batch_size=64)
    limit = 1 / torch.linalg.eigvalsh(X.T @ X / 64).max().item()
    assert limit / 1000 < found.suggestion < limit
    assert found.losses[-1] > found.losses[0]
    assert len(found.rates) == len(found.losses) == len(found.smoothed) < 100
    assert found.rates[0] == pytest.approx(1e-7)
    assert found.rates[1] / found.rates[0] == pytest.approx(1e8 ** (1 / 99))


@pytest.mark.parametrize("optimizer", ["adam", "momentum"])
@pytest.mark.parametrize("kind", ["faint", "rare", "normalised"])
def test_noise_of_the_batches_is_no_fall(kind, optimizer):
    # The loss differs more between batches than the best rate lowers it in a hundred steps.
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(320, 10, generator=generator)
    faint = 0.3 * x[:, :1] + torch.randn(320, 1, generator=generator)
    rare = (x[:, 0] + x[:, 1] > 2.6).long()
    torch.manual_seed(0)
    network, y, loss = {
        "faint": (Input(10) >> Relu(32) >> Linear(1), faint, "squared_error"),
        "rare": (Input(10) >> Relu(32) >> Dropout(0.3) >> Softmax(2), rare, "cross_entropy"),
        "normalised": (Input(10) >> Relu(32) >> BatchNorm() >> Linear(2), rare, "hinge"),
    }[kind]

    def trained(rate):
        own = copy.deepcopy(network)
        trainer = Trainer(
            own, loss=loss, optimizer=bound(rate), seed=0, threads=None, progress=False
        )
        try:
            trainer.fit((x, y), epochs=4)
        except NonFiniteError:
            return math.inf
        return trainer.evaluate((x, y))["loss"]

    def bound(rate):
        kind = by_name(optimizer)
        return lambda parameters: kind(parameters, lr=rate)

    trainer = Trainer(network, loss=loss, optimizer=bound(1e-3), progress=False)
    found = find_lr(trainer, (x, y))
    fall = trained(1e-9) - trained(found.suggestion)
    swept = [trained(10.0**power) for power in (-4, -3, -2, -1, 0)]
    assert fall > 0.7 * (trained(1e-9) - min(swept))
    assert found.suggestion > 1e-4


def test_a_custom_step_is_tried_too():
    network = nn.Linear(3, 1)

    def step(trainer, batch):
        inputs, targets = batch
        return {"loss": (trainer.network(inputs) - targets).square().mean()}

    found = find_lr(Trainer(network, step=step, progress=False), (X, Y))
    assert 1e-3 < found.suggestion < 1


def test_where_nothing_falls_it_is_said():
    network = nn.Linear(3, 1)
    nn.init.zeros_(network.weight)
    nn.init.zeros_(network.bias)
    with pytest.raises(
        ValueError, match=r"the loss did not fall at any rate from 1e-07 to .*lower start"
    ):
        find_lr(network, (X, torch.zeros(64, 1)))


def test_nothing_is_left_behind():
    network = nn.Sequential(
        nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 1)
    )
    adam = torch.optim.Adam(network.parameters(), lr=0.3)
    trainer = Trainer(network, optimizer=adam, schedule="cosine", progress=False)
    trainer.fit((X, Y), epochs=1)
    weights = {key: value.clone() for key, value in network.state_dict().items()}
    states, numbers = str(adam.state_dict()), torch.get_rng_state()
    find_lr(trainer, (X, Y), steps=20)
    assert all(torch.equal(weights[key], value) for key, value in network.state_dict().items())
    assert str(adam.state_dict()) == states
    assert torch.equal(torch.get_rng_state(), numbers)
    assert (trainer.steps, len(trainer.history)) == (2, 1)


def test_a_rate_that_gives_no_number_ends_the_test():
    def explosive(scores, targets):
        return (scores - targets).flatten().pow(8)

    found = find_lr(Trainer(nn.Linear(3, 1), loss=explosive, progress=False), (X, Y), stop=1e20)
    assert all(torch.isfinite(torch.tensor(found.losses)))


def test_bad_ranges_and_algorithms_without_a_rate_are_refused():
    with pytest.raises(ValueError, match=r"must rise from above 0, got start=1.0, stop=0.1"):
        find_lr(nn.Linear(3, 1), (X, Y), start=1.0, stop=0.1)
    with pytest.raises(ValueError, match="steps must be a whole number from 10"):
        find_lr(nn.Linear(3, 1), (X, Y), steps=3)

    class Bare(torch.optim.Optimizer):
        def __init__(self, params):
            super().__init__(params, {})

    with pytest.raises(ValueError, match="Bare has no learning rate to find"):
        find_lr(Trainer(nn.Linear(3, 1), optimizer=Bare, progress=False), (X, Y))
