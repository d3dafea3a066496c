"""CaffeNet for 128 pixels: the paper's sizes and its switches."""

import pytest
import torch

from neuropil.analysis import count_parameters
from neuropil.architectures import caffenet128
from neuropil.layers import (
    AveragePooling,
    Dropout,
    Elu,
    LocalResponseNorm,
    MaxAveragePooling,
    MaxPooling,
)


def on_meta(*args, **options):
    with torch.device("meta"):
        return caffenet128(*args, **options)


def kinds(network):
    return [type(layer) for layer in network]


def test_it_has_the_weights_of_its_layers():
    # Two groups halve the channels that a filter sees.
    convolutions = 364 * 96 + 1201 * 256 + 2305 * 384 + 1729 * 384 + 1729 * 256
    dense = (256 * 9 + 1) * 2048 + 2049 * 2048 + 2049 * 1000
    assert count_parameters(on_meta()) == convolutions + dense


@pytest.mark.parametrize("side", [32, 64, 96, 128])
def test_first_filters_fit_the_picture(side):
    network = on_meta(5, input_shape=(3, side, side))
    assert network.upto("convolution1").output_shape == (96, 30, 30)
    assert network.upto("stage3").output_shape == (256, 3, 3)


@pytest.mark.parametrize(
    ("pooling", "kind"),
    [("max", MaxPooling), ("average", AveragePooling), ("max_average", MaxAveragePooling)],
)
def test_the_pooling_is_a_switch(pooling, kind):
    assert kinds(on_meta(5, pooling=pooling)).count(kind) == 3


def test_without_pooling_the_convolutions_shrink():
    network = on_meta(5, pooling=None)
    assert network.upto("stage1", "stage2", "stage3").output_shapes == (
        (96, 15, 15),
        (256, 8, 8),
        (256, 4, 4),
    )


def test_other_switches():
    network = on_meta(
        5, activation="elu", normalization="batch", local_response_norm=True, dropout=0, width=2
    )
    found = kinds(network)
    assert [found.count(kind) for kind in (Elu, LocalResponseNorm, Dropout)] == [7, 2, 0]
    assert network.layers["convolution1"].weight.shape[0] == 192
    assert network.layers["linear1"].weight.shape[0] == 4096


def test_the_convolutional_head_has_the_weights_of_the_dense_one():
    dense, convolutional = (on_meta(5, head=head) for head in ("dense", "convolutional"))
    assert count_parameters(dense) == count_parameters(convolutional)
    assert on_meta(5, head="convolutional", input_shape=(1, None, 200)).output_shape == (5,)


def test_wrong_options_are_refused():
    with pytest.raises(ValueError, match="head must be one of 'dense', 'convolutional'"):
        on_meta(head="none")
    with pytest.raises(ValueError, match="Did you mean 'average'"):
        on_meta(pooling="averag")
