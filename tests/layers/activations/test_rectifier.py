"""Rectifiers that leak: where PReLU has its slopes, and that it learns them."""

import copy
import pickle

import pytest
import torch
from torch import nn

from neuropil.core import ShapeError
from neuropil.layers import Input, LeakyRelu, PRelu, Relu


@pytest.mark.parametrize("shape", [(4,), (4, 3), (4, 3, 2), (4, 3, 2, 2)], ids=str)
def test_a_slope_for_each_channel_is_torchs(shape):
    ours, theirs = PRelu(shared=False), nn.PReLU(4)
    ours.build(shape)
    slopes = torch.tensor([0.1, 0.2, 0.3, 0.4])
    theirs.weight.data = slopes
    ours.epsilon.data = slopes
    x = torch.randn(5, *shape, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(ours(x), theirs(x), rtol=0, atol=0)


@pytest.mark.parametrize("shape", [(3,), (5, 3)], ids=str)
def test_a_slope_for_each_unit_follows_the_formula(shape):
    layer = PRelu(4, shared=False)
    layer.build(shape)
    layer.epsilon.data = torch.tensor([0.1, 0.2, 0.3, 0.4])
    x = torch.randn(6, *shape, generator=torch.Generator().manual_seed(0))
    z = x @ layer.weight.T + layer.bias
    torch.testing.assert_close(layer(x), z.clamp(min=0) + layer.epsilon * z.clamp(max=0))


def test_one_slope_is_learned():
    network = Input(1) >> PRelu(epsilon=0.5)
    network(torch.tensor([[-2.0], [3.0], [-1.0]])).sum().backward()
    (epsilon,) = network.parameters()
    assert epsilon.tolist() == [0.5]
    assert epsilon.grad.tolist() == [-3.0]  # Σ min(0, x)


def test_slopes_for_a_free_number_of_channels_are_refused():
    with pytest.raises(ShapeError, match=r"known number of channels, got \(None, 4\).*shared"):
        Input(None, 4) >> PRelu(shared=False)
    assert (Input(None, 4) >> PRelu(3, shared=False)).output_shape == (None, 3)


def test_the_leak_may_be_nothing_or_everything():
    x = torch.tensor([[-2.0, 2.0]])
    assert LeakyRelu(epsilon=0)(x).tolist() == [[0.0, 2.0]]
    assert LeakyRelu(epsilon=1)(x).tolist() == [[-2.0, 2.0]]


def test_a_maximum_is_torchs_relu6():
    x = torch.linspace(-9, 9, 73, requires_grad=True)
    expected = torch.nn.functional.relu6(x)
    output = Relu(maximum=6)(x)
    torch.testing.assert_close(output, expected, rtol=0, atol=0)
    given = torch.autograd.grad(output.square().sum(), x)
    torch.testing.assert_close(given, torch.autograd.grad(expected.square().sum(), x))


def test_a_maximum_holds_behind_units_and_in_copies():
    layer = Relu(3, maximum=0.5)
    layer.build((4,))
    x = 100 * torch.randn(8, 4, generator=torch.Generator().manual_seed(0))
    expected = torch.nn.functional.linear(x, layer.weight, layer.bias).clamp(0, 0.5)
    for one in (layer, copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        torch.testing.assert_close(one(x), expected, rtol=0, atol=0)


@pytest.mark.parametrize("maximum", [0, -1, float("nan"), float("inf"), "6"])
def test_a_maximum_must_be_a_positive_number(maximum):
    with pytest.raises(ValueError, match="Relu: maximum must be a number"):
        Relu(maximum=maximum)


def test_a_maximum_that_float32_cannot_hold_is_refused():
    with pytest.raises(ValueError, match=r"Relu: maximum must be at most 3.4e\+38 in size"):
        Relu(maximum=1e308)
