import copy

import pytest
import torch

from neuropil.core import Layer, ShapeError
from neuropil.layers import (
    Convolution,
    GlobalPooling,
    Input,
    Linear,
    MixtureOfExperts,
    Relu,
    Softmax,
)
from neuropil.optim.expert_balance import balance
from neuropil.training import Trainer


class Counting(Layer):
    """An expert that remembers how many samples came to it."""

    def forward(self, x):
        self.__dict__["seen"] = self.__dict__.get("seen", 0) + len(x)
        return x


def mixture(*shape, **options):
    torch.manual_seed(0)
    return Input(*(shape or (5,))) >> MixtureOfExperts(Relu(7) >> Linear(3), 4, **options)


def by_hand(network, x, top_k):
    """Return Σ gᵢ(x)·fᵢ(x), one sample after the other."""
    layer = network.layers["mixtureofexperts1"]
    gate, rows = layer.gate, []
    for row in x:
        scores = gate.weight @ row + gate.bias
        best = scores.argsort(descending=True)[:top_k].tolist()
        weights = scores[best].softmax(0)
        experts = [layer.get_submodule(f"expert{i + 1}") for i in best]
        answers = torch.stack([expert(row[None])[0] for expert in experts])
        rows.append(weights @ answers)
    return torch.stack(rows)


@pytest.mark.parametrize("top_k", [None, 1, 2, 4])
def test_it_is_the_weighed_sum_of_the_experts(top_k):
    network, x = mixture(top_k=top_k), torch.randn(9, 5)
    torch.testing.assert_close(network(x), by_hand(network, x, top_k or 4))


def test_experts_that_are_not_chosen_do_not_run():
    torch.manual_seed(0)
    network = Input(6) >> MixtureOfExperts(tuple(Counting() for _ in range(8)), top_k=2)
    network(torch.randn(50, 6))
    layer = network.layers["mixtureofexperts1"]
    seen = [m.__dict__.get("seen", 0) for m in layer.modules() if isinstance(m, Counting)]
    assert sum(seen) == 2 * 50
    assert len(seen) == 8


def test_only_chosen_experts_get_a_gradient():
    network = mixture(top_k=1)
    network(torch.randn(1, 5)).sum().backward()
    layer = network.layers["mixtureofexperts1"]
    touched = [
        any(p.grad is not None for p in layer.get_submodule(f"expert{k}").parameters())
        for k in range(1, 5)
    ]
    assert touched.count(True) == 1


def test_the_cost_is_that_of_those_who_answer():
    layer = MixtureOfExperts(Relu(7) >> Linear(3), 4, top_k=2)
    assert layer.multiply_adds((5,)) == 4 * 5 + 2 * (5 * 7 + 7 * 3)
    assert MixtureOfExperts(Linear(3), 4, per_position=True).multiply_adds((6, 5)) == 6 * (
        4 * 5 + 4 * 5 * 3
    )


@pytest.mark.parametrize("top_k", [None, 1, 2])
def test_the_balance_is_the_formula(top_k):
    network, x = mixture(top_k=top_k), torch.randn(20, 5)
    layer = network.train().layers["mixtureofexperts1"]
    assert layer.balance_loss == 0
    network(x)
    scores = x @ layer.gate.weight.T + layer.gate.bias
    shares = scores.softmax(1).mean(0)
    chosen = scores.topk(top_k, 1).indices if top_k else None
    load = shares if chosen is None else chosen.flatten().bincount(minlength=4) / chosen.numel()
    torch.testing.assert_close(layer.balance_loss, 4 * (load * shares).sum())
    kept = layer.balance_loss.item()
    network.eval()(torch.randn(3, 5))
    assert layer.balance_loss.item() == kept


def test_the_balance_is_one_where_even_and_their_number_where_one_has_all():
    network = mixture(top_k=1).train()
    gate = network.layers["mixtureofexperts1"].gate
    x = torch.eye(4, 5)
    with torch.no_grad():
        gate.bias.zero_()
        gate.weight.copy_(1e3 * torch.eye(4, 5))
    network(x)
    assert gate.balance_loss.item() == pytest.approx(1)
    network(x[:1].repeat(6, 1))
    assert gate.balance_loss.item() == pytest.approx(4)


def test_the_trainer_spreads_the_samples_by_the_regulariser():
    def busiest(regularizer):
        torch.manual_seed(0)
        x = torch.randn(256, 4) + 2
        network = Input(4) >> MixtureOfExperts(Relu(8), 4, top_k=1) >> Softmax(2)
        trainer = Trainer(
            network,
            regularizer=regularizer,
            seed=0,
            threads=None,
            normalize=False,
            progress=False,
        )
        history = trainer.fit((x, (x[:, 0] > 2).long()), epochs=15)
        gate = network.layers["mixtureofexperts1"].gate
        with torch.no_grad():
            chosen = (x @ gate.weight.T + gate.bias).argmax(1)
        return chosen.bincount(minlength=4).max().item() / 256, history

    alone, _ = busiest(None)
    spread, history = busiest(balance(0.5))
    assert spread < 0.5 < alone
    assert "penalty" in history.columns


def test_each_position_of_a_sequence_chooses_for_itself():
    network = mixture(6, 5, top_k=2, per_position=True)
    flat = mixture(5, top_k=2)
    flat.load_state_dict(network.state_dict())
    x = torch.randn(3, 6, 5)
    torch.testing.assert_close(network(x).flatten(0, 1), flat(x.flatten(0, 1)))


def test_pictures_are_decided_by_their_channels_or_by_the_gates_network():
    expert = Convolution(4, 3, padding="same")
    assert MixtureOfExperts(expert, 2).parameter_shapes((3, 8, 8))["gate.weight"] == (2, 3)
    gate = Convolution(6, 3) >> GlobalPooling("max")
    layer = MixtureOfExperts(expert, 2, top_k=1, gate=gate)
    assert layer.parameter_shapes((3, 8, 8))["gate.weight"] == (2, 6)
    network = Input(3, None, 8) >> layer
    assert network(torch.randn(5, 3, 9, 8)).shape == (5, 4, 9, 8)


def test_noise_is_for_training_only():
    torch.manual_seed(0)
    network, x = mixture(noisy=True), torch.randn(4, 5)
    layer = network.eval().layers["mixtureofexperts1"]
    assert layer.gate.noise_weight.abs().max() == 0
    one, two = network(x), network(x)
    assert one.equal(two)
    network.train()
    assert not network(x).equal(network(x))


def test_a_copy_leaves_the_last_pass_behind():
    network = mixture(top_k=2).train()
    network(torch.randn(8, 5))
    other = copy.deepcopy(network)
    assert other.layers["mixtureofexperts1"].balance_loss == 0
    assert network.layers["mixtureofexperts1"].balance_loss.requires_grad


@pytest.mark.parametrize("top_k", [None, 2])
def test_it_can_be_exported(top_k):
    network, x = mixture(top_k=top_k).eval(), torch.randn(4, 5)
    exported = torch.export.export(network, (x,)).module()
    torch.testing.assert_close(exported(x), network(x))


def test_wrong_options_are_refused():
    with pytest.raises(ValueError, match="give the number of copies"):
        MixtureOfExperts(Linear(3))
    with pytest.raises(ValueError, match=r"count must be left out, or be .* 2, got 3"):
        MixtureOfExperts((Linear(3), Linear(3)), 3)
    with pytest.raises(ValueError, match="top_k must be at most 4, got 5"):
        MixtureOfExperts(Linear(3), 4, top_k=5)
    with pytest.raises(ShapeError, match=r"experts that all return \(3,\), got \(4\)"):
        Input(5) >> MixtureOfExperts((Linear(3), Linear(4)))
    with pytest.raises(ShapeError, match="a vector from the gate's network"):
        Input(3, 8, 8) >> MixtureOfExperts(GlobalPooling(), 2, gate=Convolution(2, 3))
    with pytest.raises(ShapeError, match=r"a sequence \(T, D\)"):
        Input(5) >> MixtureOfExperts(Linear(3), 2, per_position=True)
