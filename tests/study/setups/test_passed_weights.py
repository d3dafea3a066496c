"""Weights passed on by name and shape: equal draws where they fit, the rest by the seed."""

import pytest
import torch

from neuropil import join
from neuropil.layers import BatchNorm, Convolution, Elu, Flatten, Input, Linear, Relu, Softmax
from neuropil.study.setups.passed_weights import pair_weights, pass_weights
from neuropil.study.setups.rewriting import rewrite


def baseline():
    return join(
        Input(2, 6, 6), Convolution(4, 3), BatchNorm(), Relu(), Flatten(), Relu(5), Softmax(3)
    )


def wider(name, layer, shapes):
    return Convolution(6, 3) if name == "convolution1" else None


def to_elu(name, layer, shapes):
    return Elu(layer.units) if type(layer) is Relu else None


def equal(one, other):
    ours, theirs = one.state_dict(), other.state_dict()
    return {key for key in ours if key in theirs and torch.equal(ours[key], theirs[key])}


def test_a_variant_starts_from_the_weights_of_the_baseline():
    network = baseline()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    variant = rewrite(network, to_elu)
    assert pair_weights(variant, network, seed=3) == list(variant.state_dict())
    assert all(torch.equal(before[key], value) for key, value in network.state_dict().items())
    network.reset_parameters(torch.Generator().manual_seed(3))
    assert equal(network, variant) == {*network.state_dict()}


def test_what_differs_in_shape_is_drawn_from_the_seed():
    network, first, second = baseline(), *(rewrite(baseline(), wider) for _ in range(2))
    passed = pair_weights(first, network, seed=3)
    pair_weights(second, network, seed=3)
    assert {key for key in first.state_dict() if key not in passed} == {
        *("convolution1.weight", "convolution1.bias", "relu2.weight"),
        *(f"batchnorm1.{name}" for name in ("weight", "bias", "running_mean", "running_var")),
    }
    assert equal(first, second) == {*first.state_dict()}
    pair_weights(second, network, seed=4)
    assert "relu2.weight" not in equal(first, second)
    assert "softmax1.weight" not in equal(first, second)


def test_the_baseline_is_paired_with_itself():
    network, other = baseline(), baseline()
    pair_weights(network, network, seed=7)
    other.reset_parameters(torch.Generator().manual_seed(7))
    assert equal(network, other) == {*network.state_dict()}


def test_statistics_are_passed_on_with_the_weights():
    trained, network = baseline(), baseline()
    trained(torch.randn(8, 2, 6, 6))
    assert pass_weights(trained, network) == list(network.state_dict())
    x = torch.randn(2, 2, 6, 6)
    assert torch.equal(trained.eval()(x), network.eval()(x))


@pytest.mark.parametrize("side", [6, 8])
def test_weights_for_another_size_of_pictures(side):
    """Filters fit any size; a layer on flattened features only its own."""
    small = Input(1, 6, 6) >> Convolution(2, 3) >> Flatten() >> Linear(3)
    large = Input(1, side, side) >> Convolution(2, 3) >> Flatten() >> Linear(3)
    passed = pass_weights(small, large)
    assert passed[:2] == ["convolution1.weight", "convolution1.bias"]
    assert ("linear1.weight" in passed) == (side == 6)
