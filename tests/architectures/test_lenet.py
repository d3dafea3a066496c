"""LeNet-5: the paper's counts, and pictures without a border."""

import pytest

from neuropil.analysis import count_parameters
from neuropil.architectures import lenet5
from neuropil.layers import AveragePooling, MaxPooling


def test_it_has_the_weights_of_its_layers():
    # C1, C3 with all channels, C5, F6 and the last one.
    counts = (26 * 6, (25 * 6 + 1) * 16, 401 * 120, 121 * 84, 85 * 10)
    assert count_parameters(lenet5()) == sum(counts) == 61706


def test_pictures_of_28_pixels_get_a_border():
    assert lenet5(input_shape=(1, 28, 28)).upto("stage1").output_shape == (6, 14, 14)
    assert count_parameters(lenet5(input_shape=(1, 28, 28))) == 61706


def test_the_pooling_is_an_option():
    kinds = [type(layer) for layer in lenet5(pooling="max")]
    assert kinds.count(MaxPooling) == 2
    assert AveragePooling not in kinds
    with pytest.raises(ValueError, match="pooling must be one of 'max'"):
        lenet5(pooling="median")
