"""Separable convolution against the two convolutions, and the one, that it stands for."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from neuropil.core import ShapeError
from neuropil.init import HeNormal, XavierNormal
from neuropil.layers import Convolution, Input, LeakyRelu, PRelu, Relu, SeparableConvolution

CONV = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}


def noisy(network):
    """Return the network in double precision, with biases that are not zero."""
    for parameter in network.double().parameters():
        nn.init.normal_(parameter)
    return network


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("activation", [None, "relu", LeakyRelu(epsilon=0.3)], ids=str)
@pytest.mark.parametrize("order", ["depthwise_first", "pointwise_first"])
def test_it_is_torchs_two_convolutions_in_their_order(rank, activation, order):
    shape = (3, *(8,) * rank)
    layer = SeparableConvolution(
        5, 3, order=order, activation=activation, stride=2, padding=2, dilation=2
    )
    network = noisy(Input(*shape) >> layer)
    x = torch.randn(2, *shape, dtype=torch.float64)
    between = {
        "None": nn.Identity(), "'relu'": nn.ReLU(), "LeakyRelu(epsilon=0.3)": nn.LeakyReLU(0.3)
    }[repr(activation)]  # fmt: skip
    wide = 3 if order == "depthwise_first" else 5
    depthwise = CONV[rank](wide, wide, 3, 2, 2, 2, groups=wide)
    pointwise = CONV[rank](3, 5, 1)
    peers = [depthwise, pointwise][:: 1 if order == "depthwise_first" else -1]
    peer = nn.Sequential(peers[0], between, peers[1]).double()
    state = {**layer.state_dict()}
    for name, module in (("depthwise", depthwise), ("pointwise", pointwise)):
        nn.init.zeros_(module.bias)
        values = {key: state.pop(f"{name}_{key}", None) for key in ("weight", "bias")}
        with torch.no_grad():
            for key, value in values.items():
                if value is not None:
                    getattr(module, key).copy_(value)
    assert not state
    assert network(x).shape[1:] == network.output_shape
    torch.testing.assert_close(network(x), peer(x), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("padding", ["valid", "same", "full", (1, 2)], ids=str)
@pytest.mark.parametrize("order", ["depthwise_first", "pointwise_first"])
def test_without_an_activation_it_is_one_convolution(padding, order):
    layer = SeparableConvolution(5, (3, 2), order=order, stride=2, padding=padding)
    network = noisy(Input(3, 8, 9) >> layer)
    plain = Convolution(5, (3, 2), stride=2, padding=padding)
    full = (Input(3, 8, 9) >> plain).double()
    across, along = layer.pointwise_weight, layer.depthwise_weight
    weight = across * (along if order == "pointwise_first" else along.transpose(0, 1))
    bias = layer.pointwise_bias if order == "depthwise_first" else layer.depthwise_bias
    with torch.no_grad():
        plain.weight.copy_(weight)
        plain.bias.copy_(bias)
    x = torch.randn(2, 3, 8, 9, dtype=torch.float64)
    torch.testing.assert_close(network(x), full(x), rtol=1e-11, atol=1e-11)
    assert layer.reaches((3, 8, 9)) == plain.reaches((3, 8, 9))


def test_parameters_and_cost_are_those_of_the_papers():
    shape, C, K, F_ = (32, 14, 14), 32, 64, 3
    layer = SeparableConvolution(K, F_, padding="same", bias=False)
    assert sum(p.numel() for p in (Input(*shape) >> layer).parameters()) == C * F_**2 + C * K
    # MobileNets, section 3.1: D_K² · M · D_F² + M · N · D_F².
    assert layer.multiply_adds(shape) == F_**2 * C * 14**2 + C * K * 14**2
    other = SeparableConvolution(
        K, F_, order="pointwise_first", stride=2, padding=1, bias=False
    )
    assert sum(p.numel() for p in (Input(*shape) >> other).parameters()) == K * F_**2 + C * K
    assert other.multiply_adds(shape) == C * K * 14**2 + F_**2 * K * 7**2
    with pytest.raises(ShapeError, match="known lengths"):
        layer.multiply_adds((32, None, 14))


def test_a_bias_stands_only_where_it_counts():
    def names(**options):
        return [*SeparableConvolution(4, 3, **options).parameter_shapes((3, 8, 8))]

    weights = ["depthwise_weight", "pointwise_weight"]
    assert names(bias=False) == names(bias=False, activation="relu") == weights
    assert names() == [*weights, "pointwise_bias"]
    assert set(names(activation="relu")) == {*weights, "depthwise_bias", "pointwise_bias"}
    assert names(order="pointwise_first") == [*weights[::-1], "depthwise_bias"]


@pytest.mark.parametrize("order", ["depthwise_first", "pointwise_first"])
def test_weights_start_by_what_one_output_sums(order):
    for weight, variance in (
        (HeNormal(gain=2, seed=0), 2 / 25),
        (XavierNormal(seed=0), 2 / (25 + 25)),
    ):
        layer = SeparableConvolution(300, 5, order=order, weight=weight)
        Input(300, 9, 9) >> layer
        assert layer.depthwise_weight.var().item() == pytest.approx(variance, rel=0.05)
    assert layer.pointwise_weight.var().item() == pytest.approx(2 / 600, rel=0.05)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"order": "both"}, "order must be 'depthwise_first' or 'pointwise_first', got 'both'"),
        (
            {"activation": "rleu"},
            "activation must be one of .* 'rleu'. Did you mean 'relu'",
        ),
        ({"activation": Relu(4)}, r"neither units nor parameters, got Relu\(4\)"),
        ({"activation": PRelu()}, r"neither units nor parameters, got PRelu\(\)"),
        ({"activation": ["relu"]}, r"activation must be one of .* got \['relu'\]"),
        ({"weight": "0.1"}, "SeparableConvolution: weight must be an initialiser"),
    ],
    ids=str,
)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        SeparableConvolution(8, 3, **options)


def test_any_function_runs_in_between():
    layer = SeparableConvolution(2, 1, activation=torch.square)
    network = noisy(Input(3, 4) >> layer)
    x = torch.randn(1, 3, 4, dtype=torch.float64)
    first = F.conv1d(x, layer.depthwise_weight, layer.depthwise_bias, groups=3)
    expected = F.conv1d(first**2, layer.pointwise_weight, layer.pointwise_bias)
    torch.testing.assert_close(network(x), expected)
