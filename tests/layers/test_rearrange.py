"""Layers that only move numbers about, held against NumPy."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from neuropil.core import ShapeError
from neuropil.layers import Flatten, Identity, Input, Relu, Reshape, Transpose

quietly = settings(max_examples=40, derandomize=True, deadline=None, database=None)


def samples(shape, batch=2):
    """Return whole numbers, each once."""
    return torch.arange(batch * int(np.prod(shape))).reshape(batch, *shape)


@quietly
@given(st.data())
def test_reshape_is_numpys(data):
    sizes = data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    shape = tuple(data.draw(st.permutations(sizes)))
    if data.draw(st.booleans()):
        sizes[data.draw(st.integers(0, len(sizes) - 1))] = -1
    x = samples(shape)
    expected = np.stack([sample.reshape(sizes) for sample in x.numpy()])
    np.testing.assert_array_equal((Reshape(*sizes))(x), expected)
    assert (Input(*shape) >> Reshape(*sizes)).output_shape == expected.shape[1:]


@quietly
@given(st.data())
def test_transpose_is_numpys(data):
    shape = tuple(data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=4)))
    axes = data.draw(st.permutations(range(len(shape))))
    axes = [axis - len(shape) * data.draw(st.integers(0, 1)) for axis in axes]
    x = samples(shape)
    expected = np.stack([np.transpose(sample, axes) for sample in x.numpy()])
    np.testing.assert_array_equal(Transpose(*axes)(x), expected)
    reverse = np.stack([np.transpose(sample) for sample in x.numpy()])
    np.testing.assert_array_equal(Transpose()(x), reverse)


def test_flatten_is_numpys_ravel():
    x = samples((2, 3, 4))
    np.testing.assert_array_equal(Flatten()(x), [sample.ravel() for sample in x.numpy()])
    moved = Transpose(2, 0, 1)(x)
    np.testing.assert_array_equal(Flatten()(moved), [s.ravel() for s in moved.numpy()])


def test_identity_gives_the_very_tensor():
    x = samples((3,))
    assert Identity()(x) is x


@pytest.mark.parametrize(
    ("layer", "given_shape", "expected"),
    [
        (Reshape(-1), (3, None), (None,)),
        (Reshape(3, -1), (3, None, None), (3, None)),
        (Reshape(6, -1), (3, None, 4), (6, None)),
        (Reshape(-1, 4), (None, 6), (None, 4)),
        (Reshape(2, -1, 5), (None, 3, None), (2, None, 5)),
        (Flatten(), (3, None), (None,)),
        (Flatten(), (7,), (7,)),
        (Transpose(2, 0, 1), (3, None, 4), (4, 3, None)),
    ],
    ids=str,
)
def test_free_lengths(layer, given_shape, expected):
    assert layer.output_shape(given_shape) == expected


def test_free_lengths_that_fit_are_merged_as_by_numpy():
    network = Input(None, 6, dtype="int64") >> Reshape(-1, 4)
    for steps in (2, 4, 6):
        x = samples((steps, 6))
        np.testing.assert_array_equal(network(x), x.numpy().reshape(len(x), -1, 4))
        assert network(x[:0]).shape == (0, steps * 6 // 4, 4)
    message = r"Reshape\(-1, 4\) needs a multiple of 4 elements, got \(3, 6\): that is 18;"
    with pytest.raises(ShapeError, match=message):
        network(samples((3, 6)))


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (Reshape(2, 5), (3, 4), r"10 elements, got \(3, 4\): that is 12; choose lengths"),
        (Reshape(5, -1), (3, 4), r"a multiple of 5 elements, got \(3, 4\): that is 12"),
        (
            Reshape(3, 4),
            (3, None),
            r"-1 as one length of the new shape, got \(3, None\): write -1",
        ),
        (Transpose(1, 0), (3, 4, 5), r"input of 2 axes, got \(3, 4, 5\): give each .* 0 to 2"),
        (Transpose(0, 0), (3, 4), "give each of the axes 0 to 1 once"),
        (Transpose(0, 2), (3, 4), "give each of the axes 0 to 1 once"),
    ],
    ids=str,
)
def test_what_does_not_fit_is_refused_with_the_mend(layer, shape, message):
    with pytest.raises(ShapeError, match=message):
        Input(*shape) >> layer


def test_options_out_of_range_are_refused():
    for make, message in [
        (Reshape, r"needs a shape, such as Reshape\(1, 28, 28\)"),
        (lambda: Reshape(-1, -1), r"only one length may be -1, got \(-1, -1\)"),
        (
            lambda: Reshape(0, 3),
            "Reshape: a length of shape must be a whole number from 1 .* 0",
        ),
        (lambda: Reshape((2, 3)), r"must be a whole number from 1 .*, got \(2, 3\)"),
        (lambda: Transpose(0.5), "Transpose: one of axes must be a whole number .*, got 0.5"),
    ]:
        with pytest.raises(ValueError, match=message):
            make()


def test_an_empty_batch_keeps_its_axes():
    network = Input(4, 3) >> Reshape(2, -1) >> Flatten() >> Relu(5)
    assert network(torch.zeros(0, 4, 3)).shape == (0, 5)
    assert Reshape(2, -1)(torch.zeros(0, 4, 3)).shape == (0, 2, 6)


def test_only_moving_axes_changes_what_a_position_sees():
    assert Transpose(0, 1, 2).reaches((3, 4, 5)) == ()
    assert Transpose(1, 0, 2).reaches((3, 4, 5)) is None
    assert Flatten().reaches((3, 4, 5)) is None
