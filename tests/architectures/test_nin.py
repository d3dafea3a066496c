"""Network in network: the Caffe model zoo's counts."""

import pytest
import torch

from neuropil.analysis import count_parameters
from neuropil.architectures import nin


def on_meta(*args, **options):
    with torch.device("meta"):
        return nin(*args, **options)


def block(channels, size, *filters):
    """Return the parameters of a convolution and two of 1×1, by hand."""
    one, two, three = filters
    return (size * size * channels + 1) * one + (one + 1) * two + (two + 1) * three


def test_the_network_for_imagenet():
    blocks = [(3, 11, 96, 96, 96), (96, 5, 256, 256, 256), (256, 3, 384, 384, 384)]
    expected = sum(block(*row) for row in [*blocks, (384, 3, 1024, 1024, 1000)])
    assert count_parameters(on_meta()) == expected
    shapes = on_meta().upto("stage1", "stage2", "stage3", "stage4").output_shapes
    assert [shape[1] for shape in shapes if shape] == [54, 27, 13, 6]


def test_the_network_for_small_pictures():
    blocks = [(3, 5, 192, 160, 96), (96, 5, 192, 192, 192), (192, 3, 192, 192, 10)]
    network = on_meta(10, input_shape=(3, 32, 32))
    assert count_parameters(network) == sum(block(*row) for row in blocks)
    assert network.upto("stage3").output_shape == (10, 8, 8)


@pytest.mark.parametrize("shape", [(1, 40, 56), (3, 64, 64), (3, None, None)])
def test_it_takes_pictures_of_any_size(shape):
    assert on_meta(7, input_shape=shape).output_shape == (7,)
