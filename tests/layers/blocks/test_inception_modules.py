"""Inception blocks against hand-written torch, counts by formula, and their tables."""

import copy
import math

import hypothesis.strategies as st
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from torch import Tensor

from neuropil.core import Network, ShapeError
from neuropil.layers import (
    BatchNorm,
    Convolution,
    GroupNorm,
    InceptionDenseBlock,
    InceptionModule,
    InceptionResNetBlock,
    Input,
    PRelu,
)

TABLE = ((4, 1),), ((3, 1), (5, 3)), ((2, 1), (6, 5)), ("max", (7, 1))
SPLIT = ((4, 1), (((5, (1, 3)),), ((6, (3, 1)),)))


def count(layer, shape) -> int:
    return sum(map(math.prod, layer.parameter_shapes(shape).values()))


def unit(x: Tensor, block: torch.nn.Module, number: int, **options) -> Tensor:
    """Return relu(batch_norm(convolution)) in test mode, by the block's own parameters."""
    state = block.state_dict()
    x = F.conv2d(x, state[f"convolution{number}.weight"], **options)
    norm = [state[f"batchnorm{number}.{k}"] for k in ("running_mean", "running_var")]
    affine = [state[f"batchnorm{number}.{k}"] for k in ("weight", "bias")]
    return F.relu(F.batch_norm(x, *norm, *affine))


def built(block, *shape):
    """Return a block in test mode whose every parameter and statistic counts."""
    generator = torch.Generator().manual_seed(0)
    block.build(shape)
    for name, value in block.state_dict().items():
        if value.is_floating_point():
            low, high = (0.5, 1.5) if name.endswith("var") else (-1, 1)
            value.uniform_(low, high, generator=generator)
    return block.eval(), torch.randn(2, *shape, generator=generator)


def same(one: Tensor, two: Tensor) -> None:
    torch.testing.assert_close(one, two, rtol=1e-5, atol=1e-5)


def test_a_module_is_its_branches_side_by_side():
    module, x = built(InceptionModule(*TABLE), 8, 6, 7)
    expected = [
        unit(x, module, 1),
        unit(unit(x, module, 2), module, 3, padding=1),
        unit(unit(x, module, 4), module, 5, padding=2),
        unit(F.max_pool2d(x, 3, 1, 1), module, 6),
    ]
    same(module(x), torch.cat(expected, 1))


@pytest.mark.parametrize("counted", [True, False])
def test_a_branch_splits_and_goes_on(counted):
    steps = (*SPLIT, ("avg", 3), (2, 1))
    module, x = built(InceptionModule(steps, SPLIT, count_include_pad=counted), 8, 6, 7)
    ones = unit(x, module, 1)
    halves = unit(ones, module, 2, padding=(0, 1)), unit(ones, module, 3, padding=(1, 0))
    pooled = F.avg_pool2d(torch.cat(halves, 1), 3, 1, 1, count_include_pad=counted)
    ones = unit(x, module, 5)
    ends = unit(ones, module, 6, padding=(0, 1)), unit(ones, module, 7, padding=(1, 0))
    same(module(x), torch.cat([unit(pooled, module, 4), *ends], 1))


def test_a_step_with_a_stride_takes_no_padding_unless_told():
    module, x = built(InceptionModule(((4, 3, 2),), (("max", 3, 2),)), 8, 7, 9)
    same(module(x), torch.cat([unit(x, module, 1, stride=2), F.max_pool2d(x, 3, 2)], 1))
    padded = InceptionModule(((4, 3, 2, 1),), ((4, 1, 2),), (("avg", 3, 2, "same"),))
    assert padded.output_shape((8, 7, 9)) == (16, 4, 5)
    assert InceptionModule(((4, 3, 1, 0),)).output_shape((8, 7, 9)) == (4, 5, 7)


@pytest.mark.parametrize("scale", [1.0, 0.2])
@pytest.mark.parametrize("activates", [True, False])
def test_the_residual_block_adds_a_damped_linear_image(scale, activates):
    options = {"scale": scale, "activates": activates}
    block, x = built(InceptionResNetBlock(((4, 1),), ((3, 1), (5, 3)), **options), 8, 6, 7)
    joined = torch.cat([unit(x, block, 1), unit(unit(x, block, 2), block, 3, padding=1)], 1)
    state = block.state_dict()
    linear = F.conv2d(joined, state["convolution4.weight"], state["convolution4.bias"])
    expected = x + scale * linear
    same(block(x), F.relu(expected) if activates else expected)


def test_a_residual_block_damped_to_nothing_is_its_input():
    block, x = built(InceptionResNetBlock(*TABLE, scale=0), 8, 6, 7)
    same(block(x), F.relu(x))
    plain, _ = built(InceptionResNetBlock(*TABLE, scale=0, shortcut=None), 8, 6, 7)
    same(plain(x), torch.zeros_like(x))


def test_a_dense_block_shows_each_module_all_that_came_before():
    block, x = built(InceptionDenseBlock(((4, 1),), ((3, 1), (5, 3)), steps=3), 8, 6, 7)
    seen = [x]
    for number in (1, 2, 3):
        module = getattr(block, f"inceptionmodule{number}")
        seen.append(module(torch.cat(seen, 1)))
    same(block(x), torch.cat(seen, 1))
    assert [part.shape[1] for part in seen] == [8, 9, 9, 9]


# Counts


def convolutions(table, channels: int) -> int:
    """Return the weights of chains of convolutions, two numbers more for each BatchNorm."""
    total = 0
    for branch in table:
        width = channels
        for step in branch:
            if step != "max":
                filters, size = step
                total += filters * (width * size**2 + 2)
                width = filters
    return total


@given(st.integers(1, 40), st.integers(1, 4))
@settings(max_examples=25, deadline=None, derandomize=True, database=None)
def test_parameters_follow_the_formulas(channels, steps):
    shape, width = (channels, 5, 5), 4 + 5 + 6 + 7
    assert count(InceptionModule(*TABLE), shape) == convolutions(TABLE, channels)
    residual = convolutions(TABLE, channels) + width * channels + channels
    assert count(InceptionResNetBlock(*TABLE, scale=0.1), shape) == residual
    dense = sum(convolutions(TABLE, channels + k * width) for k in range(steps))
    assert count(InceptionDenseBlock(*TABLE, steps=steps), shape) == dense


def test_multiply_adds_are_those_of_the_convolutions():
    sizes = 8 * 4 + 8 * 3 + 9 * 3 * 5 + 8 * 2 + 25 * 2 * 6 + 8 * 7
    assert InceptionModule(*TABLE).multiply_adds((8, 6, 7)) == 42 * sizes


def test_the_first_paper_counts_its_module_3a_alike():
    table = ((64, 1),), ((96, 1), (128, 3)), ((16, 1), (32, 5)), ("max", (32, 1))
    module = InceptionModule(*table, normalization=None)
    # Weights of figure 3(a)'s layers, and a bias for each of their filters.
    weights = 192 * 64 + 192 * 96 + 9 * 96 * 128 + 192 * 16 + 25 * 16 * 32 + 192 * 32
    assert count(module, (192, 28, 28)) == weights + 64 + 96 + 128 + 16 + 32 + 32 == 163_696
    assert module.output_shape((192, 28, 28)) == (256, 28, 28)


# Options

BLOCKS = [
    InceptionModule(*TABLE),
    InceptionResNetBlock(*TABLE, scale=0.1),
    InceptionDenseBlock(*TABLE, steps=2),
]


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: type(block).__name__)
@pytest.mark.parametrize("place", ["before", "after", "first"])
def test_the_style_is_that_of_every_convolution(block, place):
    options = {"activation": PRelu(), "normalization": "group", "place": place}
    given = {k: v for k, v in block.arguments.items() if k in ("scale", "steps")}
    wide = tuple(
        tuple(s if isinstance(s, str) else (32 * s[0], s[1]) for s in row) for row in TABLE
    )
    styled = type(block)(*wide, **given, **options)
    parts = [type(part) for part in (Input(32, 4, 4) >> styled).modules()]
    convolved, normal, active = map(parts.count, (Convolution, GroupNorm, PRelu))
    extra = isinstance(block, InceptionResNetBlock)
    assert convolved == 6 * given.get("steps", 1) + extra
    assert normal == convolved - (extra and place != "first")
    assert active == convolved
    assert BatchNorm not in parts


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: type(block).__name__)
def test_a_block_survives_being_copied_printed_and_saved(block, tmp_path):
    network = (Input(8, 6, 6) >> block.fresh()).eval()
    x = torch.randn(2, 8, 6, 6)
    network.save(tmp_path)
    for other in (copy.deepcopy(network), Network.load(tmp_path).eval()):
        torch.testing.assert_close(other(x), network(x), rtol=0, atol=0)
    read = Network.parse(repr(network))
    assert repr(read) == repr(network)
    assert [*read.state_dict()] == [*network.state_dict()]


def test_a_layer_given_as_normalization_is_copied_for_each_convolution():
    module, _ = built(InceptionModule(*TABLE, normalization=BatchNorm(eps=0.5)), 8, 6, 6)
    norms = [part for name, part in module.named_children() if name.startswith("batchnorm")]
    assert len(norms) == 6
    assert {norm.eps for norm in norms} == {0.5}


@pytest.mark.parametrize("shape", [(8, 16), (8, 4, 5, 6)], ids=str)
def test_signals_and_volumes_have_branches_too(shape):
    for block in BLOCKS:
        block = block.fresh()
        expected = block.output_shape(shape)
        assert expected[1:] == shape[1:]
        block.build(shape)
        assert block(torch.randn(2, *shape)).shape == (2, *expected)


# What is refused


@pytest.mark.parametrize(
    ("branches", "said"),
    [
        ((), "InceptionModule needs branches, such as"),
        ((64,), "a branch is a tuple of steps, such as .* got 64"),
        (((),), r"a branch is a tuple of steps, .* got \(\)"),
        (((64, 1),), r"a step is .* got 64 in \(64, 1\)"),
        ((("mean",),), r"'max', 'avg', .* got \('mean', 3\)"),
        ((("max", 3, 2),), "a step is .* got 3 in"),
        ((((64,),),), r"a step is .* got \(64,\)"),
        ((((64, 1, 1, 0, 1),),), "a step is .* got"),
        ((((0, 1),),), r"step \(0, 1\): Convolution: filters must be a whole number"),
        ((((64, 0),),), r"step \(64, 0\): .*from 1"),
        (((("max", 3, 1, "some"),),), r"step \('max', 3, 1, 'some'\): "),
        ((((64, 1), ()),), r"a step is .* got \(\)"),
    ],
)
def test_a_table_that_is_none_is_refused_where_it_is_written(branches, said):
    with pytest.raises(ValueError, match=said):
        InceptionModule(*branches)


def test_branches_of_different_lengths_are_refused():
    with pytest.raises(ShapeError, match=r"Inside InceptionModule.*Concatenate"):
        Input(8, 7, 7) >> InceptionModule(((4, 3, 2),), ((4, 1),))
    with pytest.raises(ShapeError, match=r"Inside InceptionResNetBlock.*Elementwise"):
        Input(8, 7, 7) >> InceptionResNetBlock(((4, 3, 2),))
    with pytest.raises(ShapeError, match=r"Inside InceptionDenseBlock.*Concatenate"):
        Input(8, 7, 7) >> InceptionDenseBlock(((4, 3, 2),), steps=2)


def test_wrong_options_are_refused():
    with pytest.raises(ValueError, match="InceptionResNetBlock: shortcut must be 'identity'"):
        InceptionResNetBlock(*TABLE, shortcut="projection")
    with pytest.raises(ValueError, match="InceptionResNetBlock: scale must be a number"):
        InceptionResNetBlock(*TABLE, scale="big")
    with pytest.raises(ValueError, match="InceptionDenseBlock: steps must be a whole number"):
        InceptionDenseBlock(*TABLE, steps=0)
    with pytest.raises(ValueError, match="InceptionModule: activation must be one of"):
        InceptionModule(*TABLE, activation="rely")
    with pytest.raises(ShapeError, match="InceptionModule"):
        Input(8) >> InceptionModule(*TABLE)
    with pytest.raises(ShapeError, match=r"InceptionResNetBlock.* a known number of channels"):
        InceptionResNetBlock(*TABLE).output_shape((None, 7, 7))
