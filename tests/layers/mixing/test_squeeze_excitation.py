"""Channel attention against its formula, and torch's modules."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from neuropil.analysis import receptive_field
from neuropil.core import ShapeError
from neuropil.layers import Convolution, Flatten, Input, SqueezeExcitation


def built(layer, *shape):
    network = (Input(*shape) >> layer).double()
    for parameter in layer.parameters():
        nn.init.normal_(parameter)
    return network


@pytest.mark.parametrize("shape", [(12, 5), (12, 5, 4), (12, 3, 4, 2)], ids=str)
def test_it_follows_the_formula(shape):
    layer = SqueezeExcitation(4)
    network = built(layer, *shape)
    x = np.random.default_rng(0).normal(loc=3, size=(2, *shape))
    W1, b1, W2, b2 = (p.detach().numpy() for p in layer.parameters())
    assert W1.shape == (3, 12)
    z = x.reshape(2, 12, -1).mean(2)
    s = 1 / (1 + np.exp(-(np.maximum(z @ W1.T + b1, 0) @ W2.T + b2)))
    expected = x * s.reshape(2, 12, *(1,) * (len(shape) - 1))
    np.testing.assert_allclose(network(torch.tensor(x)).detach(), expected, rtol=1e-12)


@pytest.mark.parametrize("gate", [("sigmoid", nn.Sigmoid), ("hardsigmoid", None)], ids=str)
def test_it_is_the_chain_of_torchs_modules(gate):
    name, theirs = gate
    layer = SqueezeExcitation(units=5, activation="swish", gate=name)
    network = built(layer, 8, 6, 7)
    peer = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(8, 5, 1), nn.SiLU())
    peer += nn.Sequential(nn.Conv2d(5, 8, 1), *([theirs()] if theirs else []))
    state = zip(peer.state_dict(), layer.state_dict().values(), strict=True)
    peer.double().load_state_dict(
        {key: value.reshape(peer.state_dict()[key].shape) for key, value in state}
    )
    x = torch.randn(3, 8, 6, 7, dtype=torch.float64, requires_grad=True)
    weights = peer(x) if theirs else (0.2 * peer(x) + 0.5).clamp(0, 1)
    expected = x * weights
    torch.testing.assert_close(network(x), expected)
    torch.testing.assert_close(
        *(torch.autograd.grad(y.sin().sum(), x)[0] for y in (network(x), expected))
    )


def test_units_follow_the_ratio_and_are_never_none():
    def units(channels, *args, **options):
        layer = SqueezeExcitation(*args, **options)
        return layer.parameter_shapes((channels, 8, 8))["squeeze_weight"][0]

    assert [units(c) for c in (8, 16, 31, 64)] == [1, 1, 1, 4]
    assert [units(64, 8), units(64, units=3)] == [8, 3]
    layer = SqueezeExcitation(8)
    # The paper, section 4: 2·C²/r parameters without biases, and as many multiply–adds.
    assert layer.multiply_adds((64, 9, 9)) == 2 * 64 * 64 // 8
    assert layer.multiply_adds((64, None, None)) == 2 * 64 * 64 // 8


def test_every_output_sees_the_whole_input():
    network = Input(3, 9, 9) >> Convolution(8, 3) >> SqueezeExcitation()
    assert receptive_field(network).everything
    assert not receptive_field(network, "convolution1").everything


def test_what_does_not_fit_is_refused():
    with pytest.raises(ShapeError, match=r"needs axes after the channels.* got \(48\)"):
        Input(3, 4, 4) >> Flatten() >> SqueezeExcitation()
    with pytest.raises(ShapeError, match="known number of channels"):
        Input(None, 4, 4) >> SqueezeExcitation()
    for option, value in (("ratio", 0), ("units", 1.5), ("gate", "sigmod"), ("weight", None)):
        with pytest.raises(ValueError, match=f"SqueezeExcitation: {option} must be"):
            SqueezeExcitation(**{option: value})
    with pytest.raises(ValueError, match="Did you mean 'sigmoid'"):
        SqueezeExcitation(gate="sigmod")
