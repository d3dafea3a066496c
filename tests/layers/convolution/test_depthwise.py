"""Depthwise convolution against torch's convolution in groups, channel by channel."""

from __future__ import annotations

import itertools

import pytest
import torch
import torch.nn.functional as F

from neuropil.core import ShapeError
from neuropil.init import HeNormal, XavierNormal
from neuropil.layers import Convolution, DepthwiseConvolution, Flatten, Input, Relu

TORCH = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("multiplier", [1, 3])
@pytest.mark.parametrize("stride", [1, 2])
def test_each_channel_has_filters_of_its_own(rank, multiplier, stride):
    layer = DepthwiseConvolution(3, multiplier=multiplier, stride=stride, padding=1)
    network = (Input(4, *(7,) * rank) >> layer).double()
    torch.nn.init.normal_(layer.bias)
    x = torch.randn(2, 4, *(7,) * rank, dtype=torch.float64)
    y = network(x)
    assert y.shape[1:] == network.output_shape
    for channel, place in itertools.product(range(4), range(multiplier)):
        k = channel * multiplier + place
        alone = slice(channel, channel + 1)
        expected = TORCH[rank](
            x[:, alone], layer.weight[k : k + 1], layer.bias[k : k + 1], stride, 1
        )
        torch.testing.assert_close(y[:, k : k + 1], expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("padding", ["valid", "same", "full", ((0, 2), 1)], ids=str)
def test_it_is_a_convolution_in_as_many_groups_as_channels(padding):
    layer = DepthwiseConvolution((3, 2), multiplier=2, stride=(2, 1), padding=padding)
    peer = Convolution(6, (3, 2), groups=3, stride=(2, 1), padding=padding)
    ours, theirs = Input(3, 8, 9) >> layer, Input(3, 8, 9) >> peer
    peer.load_state_dict(layer.state_dict())
    x = torch.randn(2, 3, 8, 9, requires_grad=True)
    assert torch.equal(ours(x), theirs(x))
    (got,) = torch.autograd.grad(ours(x).square().sum(), x)
    (expected,) = torch.autograd.grad(theirs(x).square().sum(), x)
    assert torch.equal(got, expected)
    assert layer.multiply_adds((3, 8, 9)) == peer.multiply_adds((3, 8, 9))
    assert layer.reaches((3, 8, 9)) == peer.reaches((3, 8, 9))


def test_weights_start_by_what_one_output_sums():
    layer = DepthwiseConvolution(5, weight=HeNormal(gain=2, seed=0))
    Input(400, 9, 9) >> layer
    assert layer.weight.var().item() == pytest.approx(2 / 25, rel=0.05)
    layer = DepthwiseConvolution(5, multiplier=3, weight=XavierNormal(seed=0))
    Input(400, 9, 9) >> layer
    assert layer.weight.var().item() == pytest.approx(2 / (25 + 3 * 25), rel=0.05)


def test_parameters_are_counted_by_channel():
    layer = DepthwiseConvolution(3, multiplier=2)
    assert layer.parameter_shapes((8, 9, 9)) == {"weight": (16, 1, 3, 3), "bias": (16,)}
    assert layer.multiply_adds((8, 9, 9)) == 16 * 9 * 7 * 7
    without = DepthwiseConvolution(3, bias=False)
    assert without.parameter_shapes((8, 9)) == {"weight": (8, 1, 3)}


def test_one_layer_keeps_its_channels():
    layer = DepthwiseConvolution(3)
    small, large = Input(4, 8, 8) >> layer, Input(4, 9, 9) >> layer
    assert (small.output_shape, large.output_shape) == ((4, 6, 6), (4, 7, 7))
    with pytest.raises(ShapeError, match=r"already built for \(4, 8, 8\).*copy it first"):
        Input(6, 8, 8) >> layer
    assert layer.filters == 4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"multiplier": 0}, "DepthwiseConvolution: multiplier must be .* got 0"),
        ({"stride": 0}, "DepthwiseConvolution: stride must be .* got 0"),
        ({"weight": "1"}, "DepthwiseConvolution: weight must be an initialiser"),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        DepthwiseConvolution(3, **options)


def test_inputs_that_do_not_fit_are_refused():
    with pytest.raises(ShapeError, match="known number of channels"):
        Input(None, 8, 8) >> DepthwiseConvolution(3)
    with pytest.raises(ShapeError, match="needs a height of at least 3"):
        Input(3, 2, 8) >> DepthwiseConvolution(3)
    with pytest.raises(ShapeError, match="needs a signal"):
        Input(3, 8, 8) >> Flatten() >> Relu(4) >> DepthwiseConvolution(3)
