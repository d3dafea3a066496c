"""Blurred downsampling against SciPy's correlation, and what a blur must do."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage

from neuropil.core import ShapeError
from neuropil.layers import BlurPooling, Convolution, Flatten, Input

# From the paper, section 3.2: what Pascal's triangle gives.
TAPS = {
    1: [1],
    2: [1, 1],
    3: [1, 2, 1],
    4: [1, 3, 3, 1],
    5: [1, 4, 6, 4, 1],
    6: [1, 5, 10, 10, 5, 1],
    7: [1, 6, 15, 20, 15, 6, 1],
}
MODES = {"reflect": "mirror", "edge": "nearest", "zeros": "constant"}


def blurred(x, size, mode):
    """Return each axis after batch and channels correlated with the binomial filter."""
    taps = np.array(TAPS[size]) / sum(TAPS[size])
    for axis in range(2, x.ndim):
        # SciPy's window of even length begins one earlier than ours.
        origin = -1 if size % 2 == 0 else 0
        x = ndimage.correlate1d(x, taps, axis, mode=mode, origin=origin)
    return x


@pytest.mark.parametrize("size", TAPS)
@pytest.mark.parametrize("padding", MODES)
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_it_is_scipys_blur_thinned_out(size, padding, stride, rank):
    shape = (3, *(9, 8, 7)[:rank])
    layer = BlurPooling(size, stride=stride, padding=padding)
    network = (Input(*shape) >> layer).double()
    x = np.random.default_rng(0).normal(size=(2, *shape))
    every = (slice(None), slice(None), *(slice(None, None, stride),) * rank)
    expected = blurred(x, size, MODES[padding])[every]
    assert network.output_shape == expected.shape[1:]
    assert network.output_shape[1:] == tuple(-(-n // stride) for n in shape[1:])
    torch.testing.assert_close(network(torch.tensor(x)), torch.tensor(expected))
    torch.testing.assert_close(layer.float()(torch.tensor(x).float()).double(),
                               torch.tensor(expected), rtol=1e-4, atol=1e-5)  # fmt: skip


def test_valid_is_the_inner_part():
    x = torch.randn(1, 2, 11, 10, dtype=torch.float64)
    whole = BlurPooling(5, stride=1)(x)
    inner = BlurPooling(5, stride=1, padding="valid")(x)
    torch.testing.assert_close(inner, whole[:, :, 2:-2, 2:-2])
    assert BlurPooling(4, padding="valid").output_shape((2, 11, None)) == (2, 4, None)


@pytest.mark.parametrize("size", [2, 3, 4, 5, 6, 7])
def test_the_finest_pattern_is_gone_and_the_mean_stays(size):
    checks = torch.tensor([1.0, -1.0]).repeat(10)
    checks = checks[:, None] * checks
    layer = BlurPooling(size, padding="valid")
    assert layer(checks[None, None]).abs().max() < 1e-6
    torch.testing.assert_close(layer(torch.ones(1, 1, 20, 20)).unique(), torch.ones(1))


def test_each_axis_has_its_own_filter():
    """So that a group axis may stay as it is."""
    x = torch.randn(2, 3, 4, 9, 8)
    got = BlurPooling((1, 3, 3), stride=(1, 2, 2))(x)
    expected = BlurPooling(3)(x.flatten(1, 2)).unflatten(1, (3, 4))
    torch.testing.assert_close(got, expected)


def test_one_layer_may_stand_in_networks_of_any_rank():
    layer = BlurPooling()
    signal, image = Input(2, 8) >> layer, Input(3, 8, 8) >> layer
    assert signal(torch.ones(1, 2, 8)).shape == (1, 2, 4)
    assert image(torch.ones(1, 3, 8, 8)).shape == (1, 3, 4, 4)
    assert not layer.state_dict()
    image.double()
    image.reset_parameters()
    assert image(torch.ones(1, 3, 8, 8, dtype=torch.float64)).unique().tolist() == [1]


def test_what_was_made_without_memory_works_once_it_has_some():
    with torch.device("meta"):
        network = Input(3, 9, 9) >> Convolution(4, 3) >> BlurPooling()
    peer = Input(3, 9, 9) >> Convolution(4, 3) >> BlurPooling()
    network.to_empty(device="cpu").load_state_dict(peer.state_dict())
    x = torch.randn(1, 3, 9, 9)
    assert torch.equal(network(x), peer(x))
    for buffer in network.buffers():
        buffer.fill_(torch.nan)
    network.reset_parameters()
    assert network(x).isfinite().all()


def test_its_cost_and_reach_are_those_of_its_window():
    layer = BlurPooling(5)
    assert layer.multiply_adds((3, 8, 10)) == 25 * 3 * 4 * 5
    reach, _ = layer.reaches((3, 8, 10))
    assert (reach.size, reach.jump, reach.start) == (5, 2, -2)
    assert layer.parameter_shapes((3, 8, 10)) == {}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"size": 0}, "BlurPooling: size must be .* got 0"),
        ({"size": 8}, "BlurPooling: size must be a whole number from 1 to 7, got 8"),
        ({"size": (3, 10**9)}, "a whole number from 1 to 7, got 1000000000"),
        ({"stride": 0}, "BlurPooling: stride must be"),
        ({"padding": "same"}, "BlurPooling: padding must be one of 'reflect', .* got 'same'"),
        ({"padding": 1}, "BlurPooling: padding must be one of 'reflect', .* got 1"),
    ],
    ids=str,
)
def test_options_out_of_range_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        BlurPooling(**arguments)


def test_inputs_too_short_are_refused():
    with pytest.raises(ShapeError, match=r"needs a width of at least 4, got \(3, 9, 3\): refl"):
        Input(3, 9, 3) >> BlurPooling(7)
    with pytest.raises(ShapeError, match="needs a height of at least 3, got"):
        Input(3, 2, 9) >> BlurPooling(3, padding="valid")
    with pytest.raises(ShapeError, match="needs a signal"):
        Input(3, 9, 9) >> Flatten() >> BlurPooling()
    assert BlurPooling(7, padding="edge").output_shape((3, 9, 1)) == (3, 5, 1)
