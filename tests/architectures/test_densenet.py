"""Densely connected networks: their growth, pyramids, small pictures, dropout."""

import pytest
import torch

from neuropil.architectures import densenet121, densenet161, densenet169, densenet201
from neuropil.layers import DenseBlock, Dropout

NETWORKS = [
    (densenet121, (256, 512, 1024, 1024)),
    (densenet161, (384, 768, 2112, 2208)),
    (densenet169, (256, 512, 1280, 1664)),
    (densenet201, (256, 512, 1792, 1920)),
]


@pytest.mark.parametrize(("network", "channels"), NETWORKS, ids=lambda x: str(x)[:24])
@pytest.mark.parametrize(("side", "first"), [(224, 56), (64, 16), (32, 32)])
def test_stages_are_a_pyramid(network, channels, side, first):
    with torch.device("meta"):
        made = network(7, input_shape=(1, side, side))
    shapes = made.upto("stage1", "stage2", "stage3", "stage4").output_shapes
    assert shapes == tuple((c, first >> k, first >> k) for k, c in enumerate(channels))
    assert made.output_shape == (7,)


def test_lengths_may_be_free():
    with torch.device("meta"):
        network = densenet121(input_shape=(3, None, None))
        assert network(torch.empty(1, 3, 40, 70)).shape == (1, 1000)


def test_dropout_stands_in_every_layer():
    with torch.device("meta"):
        network = densenet121(input_shape=(3, 32, 32), dropout=0.2)
    dropouts = [layer for layer in network.modules() if isinstance(layer, Dropout)]
    assert len(dropouts) == 6 + 12 + 24 + 16
    assert {layer.rate for layer in dropouts} == {0.2}


def test_activation_and_normalization_can_be_chosen():
    with torch.device("meta"):
        network = densenet121(
            input_shape=(3, 32, 32), activation="swish", normalization="group"
        )
    kinds = {type(layer).__name__ for layer in network.modules()}
    assert {"Swish", "GroupNorm"} <= kinds
    assert not {"Relu", "BatchNorm"} & kinds
    assert sum(isinstance(layer, DenseBlock) for layer in network) == 4
