"""Optimisers that evaluate the loss several times in a step."""

import pytest
import torch
from tests.training.probes import Probe, whole_and_resumed
from torch import nn

from neuropil.optim import l1, l2
from neuropil.training import Trainer

X = torch.randn(20, 3, generator=torch.Generator().manual_seed(0))
Y = X @ torch.tensor([[1.0], [-2.0], [3.0]]) + 0.5


def lbfgs(network):
    return torch.optim.LBFGS(network.parameters(), lr=1.0, line_search_fn="strong_wolfe")


class Halving(Probe):
    """Gradient descent that halves its rate until the loss falls."""

    needs = "closure"

    def step(self, closure):
        parameters = [p for g in self.param_groups for p in g["params"]]
        loss, again = closure(), closure()
        gradients = torch.autograd.grad(loss, parameters)
        starts, rate = [p.detach().clone() for p in parameters], 1.0
        while True:
            with torch.no_grad():
                for p, start, gradient in zip(parameters, starts, gradients, strict=True):
                    p.copy_(start - rate * gradient)
            after = closure()
            if after <= loss:
                self.seen.append((loss.item(), again.item(), after.item()))
                return loss
            rate /= 2


class GaussNewton(Probe):
    """One Gauss–Newton step on the residuals."""

    needs = "residuals"

    def step(self, closure):
        parameters = [p for g in self.param_groups for p in g["params"]]
        residuals = closure()
        rows = []
        for residual in residuals:
            gradients = torch.autograd.grad(residual, parameters, retain_graph=True)
            rows.append(nn.utils.parameters_to_vector(gradients))
        move = torch.linalg.lstsq(torch.stack(rows), residuals.detach()).solution
        with torch.no_grad():
            moved = nn.utils.parameters_to_vector(parameters) - move
            nn.utils.vector_to_parameters(moved, parameters)


def fit(network, optimizer, epochs=3, batch_size=20, **options):
    trainer = Trainer(
        network,
        loss="squared_error",
        optimizer=optimizer,
        seed=0,
        threads=1,
        progress=False,
        metrics=["mean_absolute_error"],
        **options,
    )
    return trainer.fit((X, Y), epochs=epochs, batch_size=batch_size)


def test_torchs_lbfgs_takes_the_steps_that_it_takes_by_hand():
    torch.manual_seed(0)
    ours = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    torch.manual_seed(0)
    theirs = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    # In one batch the order of the examples changes sums in the last bits only.
    history = fit(ours, lbfgs(ours), epochs=1)
    optimizer = lbfgs(theirs)

    def closure():
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(theirs(X), Y)
        loss.backward()
        return loss

    first = optimizer.step(closure)
    torch.testing.assert_close(ours[0].weight, theirs[0].weight, rtol=1e-2, atol=1e-3)
    assert history[0]["loss"] == pytest.approx(first.item(), rel=1e-5)


def test_lbfgs_learns_with_accumulation_and_a_penalty():
    net = nn.Linear(3, 1)
    history = fit(net, lbfgs(net), batch_size=6, accumulate=4, regularizer=l2(1e-6))
    assert history[-1]["loss"] < 1e-6


def test_closures_of_ours_return_the_loss_and_see_one_dropout_mask():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 16), nn.Dropout(0.5), nn.Linear(16, 1))
    optimizer = Halving(net.parameters())
    fit(net, optimizer, epochs=10)
    assert all(again == first for first, again, _ in optimizer.seen)
    assert all(after <= first for first, _, after in optimizer.seen)
    assert len({first for first, _, _ in optimizer.seen}) == 10


def test_residuals_are_given_to_those_who_ask():
    net = nn.Linear(3, 1)
    history = fit(net, GaussNewton(net.parameters()), epochs=2, batch_size=10, accumulate=2)
    assert history[-1]["loss"] < 1e-9


def test_what_cannot_be_combined_is_said():
    net = nn.Linear(3, 1)
    for options, name in (
        ({"clip_norm": 1.0}, "clip_norm"),
        ({"mixed_precision": "fp16"}, "mixed_precision='fp16'"),
        (
            {"regularizer": l1(0.1) + l2(0.1)},
            "a penalty that is not a sum of squares, such as l1",
        ),
    ):
        with pytest.raises(ValueError, match=f"GaussNewton evaluates .* combined with {name}"):
            fit(net, GaussNewton(net.parameters()), **options)


def test_lbfgs_is_resumed_bit_by_bit(tmp_path):
    def train(epochs, folder):
        net = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.1), nn.Linear(4, 1))
        trainer = Trainer(
            net, loss="squared_error", optimizer=lbfgs(net), seed=0, threads=1,
            progress=False, checkpoints=folder,
        )  # fmt: skip
        trainer.fit((X, Y), epochs=epochs, batch_size=10, resume=folder is not None)
        return net

    assert torch.equal(*whole_and_resumed(train, tmp_path))
