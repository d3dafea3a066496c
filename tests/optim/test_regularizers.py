"""Regularisers against their formulas, torch's weight decay and torch's renorm."""

import copy
import pickle
from typing import Any

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given, settings
from torch import Tensor, nn

from neuropil.optim import GradientDescent, l1, l2, maxnorm
from neuropil.optim.regularizers import Regularizer


def network(dtype: torch.dtype = torch.float32) -> nn.Module:
    torch.manual_seed(0)
    block = nn.Sequential(nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.LayerNorm((2, 2)))
    return nn.ModuleDict({"block": block, "last": nn.Linear(5, 3)}).to(dtype)


def weights(model: nn.Module) -> list[Tensor]:
    return [model["block"][0].weight, model["last"].weight]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16])
def test_the_formulas(dtype: torch.dtype):
    model = network(dtype)
    flat = torch.cat([weight.detach().double().flatten() for weight in weights(model)])
    got = l1(0.1).penalty(model)
    torch.testing.assert_close(got.double(), 0.1 * flat.abs().sum(), rtol=1e-5, atol=0)
    got = l2(0.1).penalty(model)
    torch.testing.assert_close(got.double(), 0.1 * (flat @ flat), rtol=1e-5, atol=0)


def test_halves_do_not_overflow():
    model = nn.Linear(400, 400, bias=False).half()
    nn.init.constant_(model.weight, 300.0)
    assert l2(1e-6).penalty(model).item() == pytest.approx(1e-6 * 160_000 * 90_000)


@pytest.mark.parametrize("regularizer", [l1(0.1), l2(0.1), l1(0.2, biases=True) + l2(0.3)])
def test_gradients_by_both_ways_and_by_finite_differences(regularizer: Regularizer):
    model = network(torch.float64)
    bound = regularizer.bind(model)
    bound.penalty().backward()
    expected = [parameter.grad for parameter in model.parameters()]
    model.zero_grad()
    bound.add_gradients()
    for parameter, gradient in zip(model.parameters(), expected, strict=True):
        assert (parameter.grad is None) == (gradient is None)
        if gradient is not None:
            torch.testing.assert_close(parameter.grad, gradient)
            with torch.no_grad():
                before = bound.penalty()
                parameter.view(-1)[0] += 1e-6
                difference = (bound.penalty() - before).item() / 1e-6
                parameter.view(-1)[0] -= 1e-6
            if abs(parameter.view(-1)[0]) > 1e-3:  # |w| has no gradient at 0
                assert difference == pytest.approx(gradient.view(-1)[0].item(), rel=1e-3)


def test_gradients_are_added_to_what_is_there():
    model = nn.Linear(2, 1)
    model.weight.grad = torch.ones(1, 2)
    l2(0.5).bind(model).add_gradients()
    torch.testing.assert_close(model.weight.grad, 1 + model.weight.detach())
    assert model.bias.grad is None


def test_l1_leaves_zeros_alone():
    model = nn.Linear(2, 1)
    nn.init.zeros_(model.weight)
    l1(0.5).bind(model).add_gradients()
    assert model.weight.grad.tolist() == [[0, 0]]


def test_l2_is_weight_decay_of_twice_the_rate():
    ours, theirs = nn.Linear(3, 2, bias=False), nn.Linear(3, 2, bias=False)
    theirs.load_state_dict(ours.state_dict())
    inputs = torch.ones(4, 3)
    mine = GradientDescent(ours.parameters(), lr=0.1)
    other = torch.optim.SGD(theirs.parameters(), lr=0.1, weight_decay=0.02)
    penalty = l2(0.01).bind(ours).penalty
    for _ in range(3):
        mine.zero_grad()
        (ours(inputs).square().mean() + penalty()).backward()
        mine.step()
        other.zero_grad()
        theirs(inputs).square().mean().backward()
        other.step()
    torch.testing.assert_close(ours.weight, theirs.weight)


@settings(deadline=None, max_examples=50)
@given(
    limit=st.floats(0.05, 4),
    shape=st.lists(st.integers(1, 5), min_size=2, max_size=5),
    seed=st.integers(0, 99),
)
def test_rows_come_into_the_ball_and_no_further(limit: float, shape: list[int], seed: int):
    model = nn.Module()
    generator = torch.Generator().manual_seed(seed)
    start = torch.randn(shape, generator=generator)
    model.weight = nn.Parameter(start.clone())
    maxnorm(limit).project(model)
    before, after = start.flatten(1), model.weight.detach().flatten(1)
    norms, new = before.norm(dim=1), after.norm(dim=1)
    assert (new <= limit * (1 + 1e-6)).all()
    inside = norms <= limit
    assert torch.equal(after[inside], before[inside])
    torch.testing.assert_close(
        after[~inside], before[~inside] * (limit / norms[~inside, None]), rtol=1e-5, atol=1e-6
    )
    projected = model.weight.detach().clone()
    maxnorm(limit * (1 + 1e-6)).project(model)
    assert torch.equal(model.weight, projected)


@pytest.mark.parametrize("groups", [1, 2])
def test_rows_of_a_transposed_convolution_are_its_outputs(groups: int):
    layer = nn.ConvTranspose1d(4, 6, 3, groups=groups, bias=False)
    nn.init.normal_(layer.weight)
    start = layer.weight.detach().clone()
    maxnorm(0.5).project(layer)
    # What an impulse on each input gives at one output channel are the weights into it.
    impulses = torch.eye(4)[:, :, None]
    into = layer(impulses).transpose(0, 1).flatten(1)
    torch.testing.assert_close(into.norm(dim=1), torch.full((6,), 0.5))
    ratio = layer.weight / start
    for group in ratio.unflatten(0, (groups, -1)).detach():
        for row in group.transpose(0, 1):
            torch.testing.assert_close(row, row[0, 0].expand_as(row))


def test_a_transposed_convolution_of_zeros_stays():
    layer = nn.ConvTranspose1d(2, 2, 3, bias=False)
    nn.init.zeros_(layer.weight)
    maxnorm(1).project(layer)
    assert torch.equal(layer.weight, torch.zeros(2, 2, 3))


def test_biases_and_normalisation_are_left_out_unless_asked():
    model = network()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(2.0)
    count = sum(weight.numel() for weight in weights(model))
    everything = sum(parameter.numel() for parameter in model.parameters())
    assert l1(1).penalty(model).item() == 2 * count
    assert l2(1).penalty(model).item() == 4 * count
    assert l1(1, biases=True).penalty(model).item() == 2 * everything
    maxnorm(0.5).project(model)
    assert model["last"].bias.tolist() == [2, 2, 2]
    assert model["block"][2].weight.tolist() == [[2, 2], [2, 2]]
    with torch.no_grad():
        model["last"].bias.copy_(torch.tensor([-2.0, 0.3, 2.0]))
    maxnorm(0.5, biases=True).project(model)
    assert model["last"].bias.tolist() == pytest.approx([-0.5, 0.3, 0.5])


@pytest.mark.parametrize(
    ("only", "names"),
    [
        ("last", ["last.weight"]),
        (("block",), ["block.0.weight"]),
        (["block.0", "last"], ["block.0.weight", "last.weight"]),
        (("block.1",), []),
        (None, ["block.0.weight", "last.weight"]),
    ],
)
def test_only_the_named_modules_are_taken(only: Any, names: list[str]):
    model = network()
    bound = l1(1, only=only).bind(model)
    assert bound.penalizes == bool(names)
    bound.add_gradients()
    got = [name for name, parameter in model.named_parameters() if parameter.grad is not None]
    assert got == names


def test_a_name_is_no_prefix_of_another():
    model = nn.ModuleDict({"relu1": nn.Linear(1, 1), "relu10": nn.Linear(1, 1)})
    l1(1, only="relu1").bind(model).add_gradients()
    assert model["relu10"].weight.grad is None


def test_frozen_parameters_are_left_alone_and_shared_ones_taken_once():
    model = nn.ModuleDict({"first": nn.Linear(2, 2), "second": nn.Linear(2, 2)})
    model["second"].weight = model["first"].weight
    expected = model["first"].weight.abs().sum()
    torch.testing.assert_close(l1(1).penalty(model), expected)
    torch.testing.assert_close(l1(1, only="second").penalty(model), expected)
    model.requires_grad_(requires_grad=False)
    bound = (l1(1) + maxnorm(1)).bind(model)
    assert (bound.penalizes, bound.projects) == (False, False)
    assert bound.penalty().item() == 0


def test_they_add_up():
    model = network()
    total = l1(0.1) + l2(0.2, only="last") + maxnorm(0.1)
    expected = l1(0.1).penalty(model) + l2(0.2, only="last").penalty(model)
    torch.testing.assert_close(total.penalty(model), expected)
    total.project(model)
    assert model["last"].weight.norm(dim=1).max() <= 0.1 * (1 + 1e-6)
    assert sum([l1(0.1), l2(0.2, only="last"), maxnorm(0.1)]) == total
    assert Regularizer() + l1(0.1) == l1(0.1)
    with pytest.raises(TypeError):
        l1(0.1) + 3


@pytest.mark.parametrize(
    ("regularizer", "penalizes", "projects"),
    [
        (l1(0.1), True, False),
        (l2(0.1), True, False),
        (maxnorm(1), False, True),
        (l1(0.1) + maxnorm(1), True, True),
        (l1(0) + l2(0.0), False, False),
        (Regularizer(), False, False),
    ],
)
def test_it_says_what_there_is_to_do(regularizer, penalizes: bool, projects: bool):
    bound = regularizer.bind(network())
    assert (regularizer.penalizes, regularizer.projects) == (penalizes, projects)
    assert (bound.penalizes, bound.projects) == (penalizes, projects)


def test_bound_weights_follow_the_training():
    model = nn.Linear(2, 2)
    bound = (l2(1) + maxnorm(1)).bind(model)
    nn.init.constant_(model.weight, 3.0)
    assert bound.penalty().item() == 36
    bound.project()
    assert bound.penalty().item() == pytest.approx(2)


@pytest.mark.parametrize(
    "regularizer",
    [l1(0.1), l2(0.1, only=("a", "b"), biases=True), l1(1e-4) + l2(1e-3) + maxnorm(3)],
    ids=repr,
)
def test_repr_is_the_call_and_copies_are_equal(regularizer: Regularizer):
    assert eval(repr(regularizer)) == regularizer
    assert copy.deepcopy(regularizer) == regularizer
    assert pickle.loads(pickle.dumps(regularizer)) == regularizer


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: l1(-1), r"l1: `rate` must be a number in \[0, inf\), got -1"),
        (lambda: l2(float("nan")), r"l2: `rate` must be a number in \[0, inf\), got nan"),
        (lambda: l2("much"), r"l2: `rate` must be a number in \[0, inf\), got 'much'"),
        (lambda: maxnorm(-3), r"maxnorm: `limit` must be a number in \(0, inf\), got -3"),
        (lambda: maxnorm(0), r"maxnorm: `limit` must be a number in \(0, inf\), got 0"),
        (lambda: l1(0.1, only=()), "l1: `only` names no module"),
        (
            lambda: l1(0.1, only="lost").bind(network()),
            r"l1\(0.1, only=\('lost',\)\): the network has no module 'lost'. Did you mean 'la",
        ),
        (
            lambda: l2(0.1).bind(nn.ReLU()),
            r"l2\(0.1\): the network has no parameters yet",
        ),
    ],
)
def test_wrong_use_is_refused(make, message: str):
    with pytest.raises(ValueError, match=message):
        make()


def test_l1_brings_weights_close_to_0_but_not_to_it():
    network = nn.Linear(1, 1, bias=False)
    network.weight.data.fill_(0.1234)
    bound, lr, rate = l1(0.1).bind(network), 0.01, 0.1
    for _ in range(200):
        network.weight.grad = None
        bound.add_gradients()
        network.weight.data -= lr * network.weight.grad
    assert 0 < abs(network.weight.item()) <= lr * rate
