"""Pooling to a fixed length against NumPy, torch and bins worked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from neuropil.core import ShapeError
from neuropil.layers import (
    Convolution,
    Flatten,
    GlobalPooling,
    Input,
    Relu,
    SpatialPyramidPooling,
)

drawn = settings(max_examples=60, derandomize=True, deadline=None, database=None)
shapes = st.lists(st.integers(1, 9), min_size=2, max_size=4).map(tuple)


def normal(*shape):
    return np.random.default_rng(0).normal(size=shape)


@given(shapes | st.just((3, 2, 3, 2, 3)))
@drawn
def test_global_pooling_equals_numpy(shape):
    x = normal(2, *shape)
    over = tuple(range(2, x.ndim))
    wanted = {"avg": x.mean(over), "max": x.max(over)}
    wanted["both"] = np.concatenate([wanted["avg"], wanted["max"]], 1)
    for mode, expected in wanted.items():
        layer = GlobalPooling(mode)
        assert layer.output_shape(shape) == expected.shape[1:]
        np.testing.assert_allclose(layer(torch.tensor(x)), expected, rtol=1e-12)


def test_global_pooling_makes_free_axes_known():
    network = Input(3, None, None) >> Convolution(8, 3) >> GlobalPooling("both") >> Relu(5)
    assert network.output_shape == (5,)
    for size in (32, 64):
        assert network(torch.zeros(2, 3, size, size)).shape == (2, 5)
    assert GlobalPooling("max").output_shape((None, None)) == (None,)
    assert GlobalPooling("both").output_shape((None, 4)) == (None,)


def test_the_mean_is_the_default():
    assert repr(GlobalPooling()) == "GlobalPooling()"
    assert GlobalPooling()(torch.tensor([[[1.0, 3.0]]])).tolist() == [[2.0]]


def bins(length, n):
    """Return the bins of a level as the docstring gives them."""
    return [
        range(math.floor(k * length / n), math.ceil((k + 1) * length / n)) for k in range(n)
    ]


def test_bins_worked_by_hand():
    assert [list(part) for part in bins(5, 2)] == [[0, 1, 2], [2, 3, 4]]
    x = torch.tensor([[[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]]])
    # Level 2 over 3 × 3: rows and columns 0–1 and 1–2.
    assert SpatialPyramidPooling((1, 2))(x).tolist() == [[9.0, 5.0, 6.0, 8.0, 9.0]]
    means = SpatialPyramidPooling((1, 2), "avg")(x)
    assert means.tolist() == [[5.0, 3.0, 4.0, 6.0, 7.0]]
    # Channels come before bins: each level is flattened from (C, n).
    two = torch.tensor([[[1.0, 2.0], [3.0, 4.0]]])
    assert SpatialPyramidPooling((1, 2))(two).tolist() == [[2.0, 4.0, 1.0, 2.0, 3.0, 4.0]]


@given(shapes, st.lists(st.integers(1, 5), min_size=1, max_size=3).map(tuple))
@drawn
def test_a_pyramid_is_the_pooling_of_its_bins(shape, levels):
    x = normal(*shape)
    for mode, reduce in (("max", np.max), ("avg", np.mean)):
        layer = SpatialPyramidPooling(levels, mode)
        expected = []
        for n in levels:
            grid = [bins(length, n) for length in shape[1:]]
            for c in range(shape[0]):
                for place in np.ndindex(*[n] * (x.ndim - 1)):
                    part = (axis[k] for axis, k in zip(grid, place, strict=True))
                    expected.append(reduce(x[np.ix_([c], *part)]))
        assert layer.output_shape(shape) == (len(expected),)
        got = layer(torch.tensor(x)[None])[0]
        np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-12)


def test_a_pyramid_is_adaptive_pooling():
    x = torch.tensor(normal(2, 3, 13, 10))
    levels = (1, 2, 4)
    parts = [F.adaptive_max_pool2d(x, n).flatten(1) for n in levels]
    assert torch.equal(SpatialPyramidPooling(levels)(x), torch.cat(parts, 1))


def test_a_pyramid_gives_one_length_for_any_size():
    network = Input(3, None, None) >> SpatialPyramidPooling((1, 2, 4)) >> Relu(5)
    assert network.nodes[1].shape == (3 * (1 + 4 + 16),)
    for lengths in ((4, 4), (13, 10), (1, 2), (64, 33)):
        assert network(torch.randn(2, 3, *lengths)).shape == (2, 5)
    assert SpatialPyramidPooling(3).output_shape((2, None, 5, 7)) == (2 * 27,)
    assert SpatialPyramidPooling().output_shape((None, 5)) == (None,)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: GlobalPooling("sum"),
            "GlobalPooling: mode must be one of 'avg', 'max', 'both'",
        ),
        (
            lambda: SpatialPyramidPooling(mode="both"),
            "mode must be 'max' or 'avg', got 'both",
        ),
        (lambda: SpatialPyramidPooling(()), "levels must not be empty"),
        (
            lambda: SpatialPyramidPooling((1, 0)),
            "levels must be a whole number from 1 .* got 0",
        ),
        (lambda: SpatialPyramidPooling(2.0), "levels must be a whole number .* got 2.0"),
    ],
)
def test_options_out_of_range_are_refused_by_the_constructor(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("layer", [GlobalPooling(), SpatialPyramidPooling()], ids=str)
def test_an_input_without_positions_is_refused(layer):
    with pytest.raises(
        ShapeError, match=r"Flatten\(\) gives \(12\)\. .* got \(12\): .*Flatten"
    ):
        Input(3, 4) >> Flatten() >> layer


def test_each_output_sees_everything():
    assert GlobalPooling().reaches((3, 8, 8)) is None
    assert SpatialPyramidPooling().reaches((3, 8, 8)) is None
