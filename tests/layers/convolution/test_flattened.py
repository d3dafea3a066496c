"""Flattened convolution against the full one with filters of rank 1."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from torch import nn

from neuropil.core import ShapeError
from neuropil.layers import Convolution, FlattenedConvolution, Input

AXES = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}
SIZES = {1: (3,), 2: (3, 2), 3: (2, 3, 1)}


def product(layer, rank):
    """Return the filters that the one-dimensional ones multiply to."""
    along = layer.pointwise_weight
    for axis in AXES[rank]:
        filters = getattr(layer, f"{axis}_weight")
        along = along * (filters if layer.pointwise_first else filters.transpose(0, 1))
    return along


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("order", ["pointwise_first", "depthwise_first"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"padding": "same", "stride": 2},
        {"padding": "full", "dilation": 2},
        {"padding": 2, "stride": 3, "bias": False},
    ],
    ids=str,
)
def test_it_is_the_full_convolution_of_rank_one(rank, order, options):
    shape, size = (4, 7, 8, 6)[: rank + 1], SIZES[rank]
    layer = FlattenedConvolution(5, size, order=order, **options)
    plain = Convolution(5, size, **options)
    network, full = (Input(*shape) >> layer).double(), (Input(*shape) >> plain).double()
    for parameter in layer.parameters():
        nn.init.normal_(parameter)
    with torch.no_grad():
        plain.weight.copy_(product(layer, rank))
        if plain.bias is not None:
            last = "pointwise" if order == "depthwise_first" else AXES[rank][-1]
            plain.bias.copy_(getattr(layer, f"{last}_bias"))
    x = torch.randn(2, *shape, dtype=torch.float64, requires_grad=True)
    got, expected = network(x), full(x)
    assert got.shape[1:] == network.output_shape
    torch.testing.assert_close(got, expected, rtol=1e-11, atol=1e-11)
    torch.testing.assert_close(
        *(torch.autograd.grad(y.sin().sum(), x)[0] for y in (got, expected))
    )
    assert layer.reaches(shape) == plain.reaches(shape)


def test_the_definition_summed_by_hand():
    layer = FlattenedConvolution(2, (2, 3))
    network = (Input(3, 4, 5) >> layer).double()
    for parameter in layer.parameters():
        nn.init.normal_(parameter)
    x = np.random.default_rng(0).normal(size=(3, 4, 5))
    alpha = layer.pointwise_weight.detach().numpy()[:, :, 0, 0]
    beta = layer.height_weight.detach().numpy()[:, 0, :, 0]
    gamma = layer.width_weight.detach().numpy()[:, 0, 0, :]
    expected = np.zeros((2, 3, 3)) + layer.width_bias.detach().numpy()[:, None, None]
    for k, row, column in np.ndindex(expected.shape):
        for c, i, j in itertools.product(range(3), range(2), range(3)):
            value = alpha[k, c] * beta[k, i] * gamma[k, j] * x[c, row + i, column + j]
            expected[k, row, column] += value
    torch.testing.assert_close(network(torch.tensor(x)[None])[0], torch.tensor(expected))


def test_parameters_and_cost():
    layer = FlattenedConvolution(64, (5, 3), bias=False)
    shapes = layer.parameter_shapes((32, 9, 9))
    assert list(shapes) == ["pointwise_weight", "height_weight", "width_weight"]
    assert sum(np.prod(shape) for shape in shapes.values()) == 64 * (32 + 5 + 3)
    cost = 64 * (32 * 9 * 9 + 5 * (5 * 9) + 3 * (5 * 7))
    assert layer.multiply_adds((32, 9, 9)) == cost
    sheet = FlattenedConvolution(64, (5, 3), order="depthwise_first")
    shapes = sheet.parameter_shapes((32, 9, 9))
    assert list(shapes)[:3] == ["height_weight", "width_weight", "pointwise_weight"]
    assert shapes["height_weight"] == (32, 1, 5, 1)
    assert shapes["pointwise_bias"] == (64,)
    assert [*FlattenedConvolution(8, 3).parameter_shapes((2, 9, 9, 9))][:2] == [
        "pointwise_weight",
        "depth_weight",
    ]


@pytest.mark.parametrize("order", ["pointwise_first", "depthwise_first"])
def test_the_product_of_all_filters_follows_the_rule_of_he(order):
    torch.manual_seed(0)
    network = Input(64, 32, 32) >> FlattenedConvolution(256, 5, order=order, bias=False)
    variance = network(torch.randn(2, 64, 32, 32)).var().item()
    assert variance == pytest.approx(2, rel=0.3)  # a rectifier halves it


def test_what_does_not_fit_is_refused():
    with pytest.raises(ShapeError, match=r"FlattenedConvolution\(8, 5\) needs a width of"):
        Input(3, 9, 4) >> FlattenedConvolution(8, 5)
    with pytest.raises(ShapeError, match="known number of channels"):
        Input(None, 9, 9) >> FlattenedConvolution(8, 5)
    with pytest.raises(ValueError, match="FlattenedConvolution: order must be"):
        FlattenedConvolution(8, 5, order="horizontal")
    with pytest.raises(ValueError, match="FlattenedConvolution: filters must be"):
        FlattenedConvolution(0, 5)
