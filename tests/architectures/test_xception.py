"""Xception: its pyramid, small pictures, dropout."""

import torch

from neuropil.architectures import xception
from neuropil.layers import Dropout

STAGES = ("stage1", "stage2", "stage3", "stage4")


def shapes(side: int) -> tuple:
    with torch.device("meta"):
        network = xception(5, input_shape=(1, side, side))
    assert network.output_shape == (5,)
    return network.upto(*STAGES).output_shapes


def test_stages_are_a_pyramid():
    sides = (74, 37, 19, 10)
    expected = tuple((c, n, n) for c, n in zip((128, 256, 728, 2048), sides, strict=True))
    assert shapes(299) == expected


def test_small_pictures_are_halved_once_less():
    assert [n for _, n, _ in shapes(32)] == [14, 7, 4, 2]
    assert [n for _, n, _ in shapes(64)] == [15, 8, 4, 2]


def test_dropout_stands_before_the_last_layer_unless_it_is_none():
    with torch.device("meta"):
        usual, without = xception(), xception(dropout=0)
    assert [layer.rate for layer in usual if isinstance(layer, Dropout)] == [0.5]
    assert not any(isinstance(layer, Dropout) for layer in without)
