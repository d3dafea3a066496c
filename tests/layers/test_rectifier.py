"""Rectifiers that leak: where PReLU has its slopes, and that it learns them."""

import pytest
import torch
from torch import nn

from neuropil.core import ShapeError
from neuropil.layers import Input, LeakyRelu, PRelu


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
