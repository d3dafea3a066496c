"""Separable blocks: a hand-written peer, the formula, options and refusals."""

import pytest
import torch
from torch import nn

from neuropil.core import ShapeError
from neuropil.layers import Input, SeparableBlock


def hand_written(channels: int, filters: int, stride: int, size: int, *, between: bool):
    """Return the block as one writes it in torch."""
    depthwise = nn.Conv2d(
        channels, channels, size, stride, size // 2, groups=channels, bias=False
    )
    middle = [nn.BatchNorm2d(channels), nn.ReLU()] if between else []
    pointwise = nn.Conv2d(channels, filters, 1, bias=False)
    return nn.Sequential(depthwise, *middle, pointwise, nn.BatchNorm2d(filters), nn.ReLU())


@pytest.mark.parametrize("between", [True, False])
@pytest.mark.parametrize(("stride", "size"), [(1, 3), (2, 3), (1, 5), (3, 1)])
def test_it_is_what_one_writes_by_hand(between, stride, size):
    torch.manual_seed(0)
    ours = SeparableBlock(7, stride=stride, kernel_size=size, between=between)
    ours.build((4, 9, 8))
    theirs = hand_written(4, 7, stride, size, between=between)
    theirs.load_state_dict(
        dict(zip(theirs.state_dict(), ours.state_dict().values(), strict=True))
    )
    x = torch.randn(2, 4, 9, 8)
    output = ours(x)
    torch.testing.assert_close(output, theirs(x), rtol=0, atol=0)
    assert output.shape[1:] == ours.output_shape((4, 9, 8))


def test_weights_are_counted_by_the_formula():
    block = SeparableBlock(7, kernel_size=5, normalization=None)
    block.build((4, 9, 8))
    assert sum(p.numel() for p in block.parameters() if p.ndim > 1) == 25 * 4 + 4 * 7
    assert block.multiply_adds((4, 9, 8)) == (25 * 4 + 4 * 7) * 9 * 8


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"place": "first"}, "norm act depthwise norm act convolution"),
        ({"place": "after"}, "depthwise act norm convolution act norm"),
        ({"place": "first", "between": False}, "norm act depthwise convolution"),
        ({"activation": None, "normalization": None}, "depthwise convolution"),
    ],
    ids=str,
)
def test_options_choose_the_layers(options, expected):
    block = SeparableBlock(4, **options)
    block.build((4, 5, 5))
    short = {"BatchNorm": "norm", "Relu": "act", "DepthwiseConvolution": "depthwise"}
    kinds = [type(layer).__name__ for layer in block.children()]
    assert " ".join(short.get(kind, kind.lower()) for kind in kinds) == expected


def test_wrong_options_and_shapes_are_refused():
    with pytest.raises(ValueError, match="kernel_size must be odd, got 4"):
        SeparableBlock(8, kernel_size=4)
    with pytest.raises(ValueError, match="SeparableBlock: filters"):
        SeparableBlock(0)
    with pytest.raises(ValueError, match="SeparableBlock: stride"):
        SeparableBlock(8, stride=0)
    with pytest.raises(ShapeError, match="known number of channels"):
        Input(None, 8, 8) >> SeparableBlock(8)
