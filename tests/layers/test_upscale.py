"""Enlarging against NumPy and torch."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from neuropil.core import ShapeError
from neuropil.layers import Input, MaxPooling, Upscale

drawn = settings(max_examples=60, derandomize=True, deadline=None, database=None)


@st.composite
def cases(draw):
    """Draw one factor an axis, and the shape of an input."""
    rank = draw(st.integers(1, 3))
    lengths = [draw(st.integers(1, 7)) for _ in range(rank)]
    return tuple(draw(st.integers(1, 5)) for _ in range(rank)), (2, *lengths)


def linear(x, factors):
    """Return the values at (o + ½)/f − ½, axis by axis; beyond the ends the outermost."""
    for axis, f in enumerate(factors, 1):
        length = x.shape[axis]
        at = (np.arange(f * length) + 0.5) / f - 0.5
        x = np.apply_along_axis(lambda v, at=at: np.interp(at, np.arange(len(v)), v), axis, x)
    return x


def repeated(x, factors):
    """Return each value as often as the factors say."""
    for axis, f in enumerate(factors, 1):
        x = np.repeat(x, f, axis)
    return x


@given(cases())
@drawn
def test_values_equal_numpy(case):
    factors, shape = case
    x = np.random.default_rng(0).normal(size=shape)
    for mode, reference in (("nearest", repeated), ("bilinear", linear)):
        layer = Upscale(factors, mode)
        expected = reference(x, factors)
        assert layer.output_shape(shape) == expected.shape
        got = layer(torch.tensor(x)[None])[0]
        np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
def test_values_equal_torch(mode):
    x = torch.randn(2, 3, 5, 6)
    assert torch.equal(Upscale(2, mode)(x), F.interpolate(x, scale_factor=2, mode=mode))


def test_nearest_is_exact_where_torchs_rounding_is_not():
    x = torch.arange(100.0)[None, None]
    wrong = F.interpolate(x, scale_factor=41)
    expected = x.repeat_interleave(41, 2)
    assert not torch.equal(wrong, expected)
    assert torch.equal(Upscale(41)(x), expected)
    for factor in range(1, 65):
        assert torch.equal(Upscale(factor)(x), x.repeat_interleave(factor, 2)), factor


def test_one_layer_takes_any_size_and_rank():
    layer = Upscale(2, "bilinear")
    assert layer.output_shape((4, None, 9)) == (4, None, 18)
    for shape in itertools.accumulate((5, 6, 7), lambda a, b: (*a, b), initial=(3,)):
        if len(shape) > 1:
            assert layer(torch.zeros(2, *shape)).shape[1:] == layer.output_shape(shape)
    network = Input(1, None, None) >> MaxPooling(2) >> Upscale((2, 4))
    assert network.output_shape == (1, None, None)
    assert network(torch.zeros(1, 1, 6, 8)).shape == (1, 1, 6, 16)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Upscale(0), "Upscale: factor must be a whole number from 1 .*, got 0"),
        (lambda: Upscale(1.5), "Upscale: factor must be a whole number .*, got 1.5"),
        (lambda: Upscale((2, 0)), "Upscale: factor must be a whole number .*, got 0"),
        (lambda: Upscale(2, "cubic"), "mode must be 'nearest' or 'bilinear', got 'cubic'"),
    ],
)
def test_options_out_of_range_are_refused_by_the_constructor(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("shape", "layer", "message"),
    [
        ((10,), Upscale(2), r"Upscale\(2\) needs a signal \(C, L\), .*, got \(10\)"),
        ((3, 9), Upscale((2, 2)), r"Upscale\(\(2, 2\)\): factor has 2 numbers, .* for 1 axes"),
    ],
    ids=str,
)
def test_inputs_that_do_not_fit_are_refused_at_the_join(shape, layer, message):
    with pytest.raises(ShapeError, match=message):
        Input(*shape) >> layer
