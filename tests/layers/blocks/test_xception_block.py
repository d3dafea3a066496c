"""Xception's block: timm's outputs, shortcuts, options, refusals."""

import pytest
import torch
from tests.reference import timm

from neuropil.core import ShapeError
from neuropil.layers import Input, XceptionBlock

SHAPE = (4, 9, 8)


def built(filters, **options):
    torch.manual_seed(0)
    block = XceptionBlock(filters, **options)
    block.build(SHAPE)
    return block


def timms_order(names: list[str], *, projects: bool) -> list[str]:
    """Return timm's names in our order: what brings the input to the sum comes last."""
    skips = [name for name in names if name.startswith("skip")]
    return [name for name in names if name not in skips] + skips * projects


@pytest.mark.parametrize(
    ("filters", "options", "peer"),
    [
        ((4, 4, 4), {}, {"reps": 3}),
        ((6, 6), {"stride": 2}, {"reps": 2, "strides": 2}),
        ((6, 6), {"opening": False}, {"reps": 2, "start_with_relu": False}),
        ((4, 6), {"stride": 2}, {"reps": 2, "strides": 2, "grow_first": False}),
    ],
    ids=str,
)
def test_it_is_timms(filters, options, peer):
    timm()
    from timm.models.xception import Block

    ours, theirs = built(filters, **options), Block(SHAPE[0], filters[-1], **peer)
    names = timms_order([*theirs.state_dict()], projects=theirs.skip is not None)
    theirs.load_state_dict(dict(zip(names, ours.state_dict().values(), strict=True)))
    x = torch.randn(2, *SHAPE)
    output = ours(x)
    assert output.shape[1:] == ours.output_shape(SHAPE)
    torch.testing.assert_close(output, theirs(x.clone()), rtol=0, atol=0)


def test_a_branch_of_zeros_makes_it_the_identity():
    block = built((4, 4, 4), normalization=None)
    for parameter in block.parameters():
        parameter.data.zero_()
    x = torch.randn(2, *SHAPE)
    torch.testing.assert_close(block(x), x, rtol=0, atol=0)


def test_weights_are_counted_by_the_formula():
    block = built((5, 7), stride=2, normalization=None)
    branch = 9 * 4 + 4 * 5 + 9 * 5 + 5 * 7
    assert sum(p.numel() for p in block.parameters() if p.ndim > 1) == branch + 4 * 7
    assert block.multiply_adds(SHAPE) == branch * 9 * 8 + 4 * 7 * 5 * 4


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, "act depthwise conv norm act depthwise conv norm identity add"),
        ({"opening": False}, "depthwise conv norm act depthwise conv norm identity add"),
        ({"place": "first"}, "norm act depthwise conv norm act depthwise conv identity add"),
        ({"place": "after"}, "act depthwise conv act norm depthwise conv norm identity add"),
        ({"shortcut": None}, "act depthwise conv norm act depthwise conv norm"),
        (
            {"shortcut": "zeros", "stride": 2},
            "act depthwise conv norm act depthwise conv norm pool zeros add",
        ),
        (
            {"shortcut": "projection", "normalization": None},
            "act depthwise conv act depthwise conv conv add",
        ),
        (
            {"place": "first", "shortcut": "projection"},
            "norm act depthwise conv norm act depthwise conv conv add",
        ),
    ],
    ids=str,
)
def test_options_choose_the_layers(options, expected):
    short = {
        "BatchNorm": "norm",
        "Convolution": "conv",
        "DepthwiseConvolution": "depthwise",
        "Elementwise": "add",
        "MaxPooling": "pool",
        "Relu": "act",
        "ZeroShortcut": "zeros",
    }
    kinds = [type(layer).__name__ for layer in built((4, 4), **options).children()]
    assert " ".join(short.get(kind, kind.lower()) for kind in kinds) == expected


def test_one_number_is_one_convolution():
    assert built(4).parameter_shapes(SHAPE) == built((4,)).parameter_shapes(SHAPE)


def test_samples_skip_the_branch_in_training():
    block = built((4, 4), stochastic_depth=0.5)
    x = torch.randn(64, *SHAPE)
    skipped = (block(x) == x).flatten(1).all(1).float().mean()
    assert 0.2 < skipped < 0.8
    assert not (block.eval()(x) == x).flatten(1).all(1).any()


def test_wrong_options_and_shapes_are_refused():
    with pytest.raises(ValueError, match="XceptionBlock: filters must be at least one"):
        XceptionBlock(())
    with pytest.raises(ValueError, match="XceptionBlock: filters"):
        XceptionBlock((0, 8))
    with pytest.raises(ValueError, match="XceptionBlock: stride"):
        XceptionBlock(8, stride=0)
    with pytest.raises(ShapeError, match="shortcut='identity' needs 8 channels"):
        Input(*SHAPE) >> XceptionBlock(8, shortcut="identity")
