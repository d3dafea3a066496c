"""What every public layer promises, tested for all of them by discovery.

A new layer adds one row to `ROWS`, a function that draws the layer and input shapes that it
takes, and, where it leaves axes free, one to `FREE`.
"""

from __future__ import annotations

import contextlib
import copy
import inspect
import pickle
import tempfile
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import pytest
import torch
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

import neuropil.layers
from neuropil.core import Layer, Network, Shape, ShapeError, join, parallel
from neuropil.core.block import Block
from neuropil.layers import (
    GRU,
    LSTM,
    RNN,
    AnchorBoxes,
    Attention,
    AveragePooling,
    BatchNorm,
    BlurPooling,
    BottleneckBlock,
    BoxGrid,
    CellAlignment,
    CellPadding,
    Concatenate,
    Convolution,
    Deconvolution,
    DenseBlock,
    DepthwiseConvolution,
    DropBlock,
    Dropout,
    EachRegion,
    Elementwise,
    Elu,
    Embedding,
    FireModule,
    Flatten,
    FlattenedConvolution,
    GatedAverage,
    GaussianNoise,
    Gelu,
    GlobalPooling,
    GroupConvolution,
    GroupNorm,
    GroupPooling,
    HardSigmoid,
    Identity,
    InceptionDenseBlock,
    InceptionModule,
    InceptionResNetBlock,
    Input,
    InstanceNorm,
    LayerNorm,
    LeakyRelu,
    LearnedColorspace,
    Linear,
    LocalResponseNorm,
    MaskPadding,
    MaxAveragePooling,
    MaxPooling,
    MixtureOfExperts,
    Module,
    NiNBlock,
    PRelu,
    RegionBoxes,
    RegionProposals,
    Relu,
    Reshape,
    ResidualBlock,
    RoiAlign,
    RoiPooling,
    Scale,
    SelectiveSearch,
    SeparableBlock,
    SeparableConvolution,
    Sigmoid,
    SkipConnection,
    SoftArgmax,
    Softmax,
    Softplus,
    SpatialPyramidPooling,
    SqueezeExcitation,
    StochasticDepth,
    Swish,
    Tanh,
    TransitionLayer,
    Transpose,
    UNetStage,
    UnitNorm,
    Upscale,
    XceptionBlock,
)

Draw: TypeAlias = Callable[[st.SearchStrategy[Any]], Any]
Case: TypeAlias = "tuple[Layer, tuple[Shape, ...]]"

BATCH = 3
PUBLIC = {
    name: thing
    for name in neuropil.layers.__all__
    if inspect.isclass(thing := getattr(neuropil.layers, name)) and issubclass(thing, Layer)
}

few = st.integers(1, 4)
lengths = st.integers(1, 6)
yes_or_no = st.booleans()
rates = st.floats(0, 0.9)
modes = st.sampled_from(["valid", "same", "full"])
orders = st.sampled_from(["depthwise_first", "pointwise_first"])
functions = st.sampled_from(["relu", "tanh", "hardsigmoid", "gelu", LeakyRelu(epsilon=0.3)])


def contract(max_examples: int) -> Callable[[Any], Any]:
    """Return a decorator: run the test on each public layer with drawn options and shapes."""
    wide = (HealthCheck.too_slow, HealthCheck.filter_too_much)
    checked = settings(
        max_examples=max_examples,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=wide,
    )

    def decorate(test: Any) -> Any:
        return pytest.mark.parametrize("name", sorted(PUBLIC))(checked(given(st.data())(test)))

    return decorate


# How each layer is drawn


def shape_of(draw: Draw, *ranks: int, least: int = 1) -> Shape:
    return tuple(draw(st.integers(least, 6)) for _ in range(draw(st.sampled_from(ranks))))


def simple(cls: Any, *ranks: int, least: int = 1, **options: Any) -> Any:
    """Return the row of a layer whose options do not depend on the shape."""

    def drawn(draw: Draw) -> Case:
        chosen = {name: draw(strategy) for name, strategy in options.items()}
        return cls(**chosen), (shape_of(draw, *ranks, least=least),)

    return drawn


def activation(cls: Any, **options: Any) -> Any:
    """Return the row of an activation, with units or without."""
    alone = simple(cls, 1, 2, 3, 4, **options)
    mapped = simple(cls, 1, 2, units=few, bias=yes_or_no, **options)
    return lambda draw: (mapped if draw(yes_or_no) else alone)(draw)


def reshape(draw: Draw) -> Case:
    sizes = draw(st.lists(few, min_size=1, max_size=4))
    given_shape = draw(st.permutations(sizes))
    if draw(yes_or_no):
        sizes[draw(st.integers(0, len(sizes) - 1))] = -1
    return Reshape(*sizes), (tuple(given_shape),)


def transpose(draw: Draw) -> Case:
    shape = shape_of(draw, 1, 2, 3, 4)
    axes = draw(st.permutations(range(len(shape))))
    axes = [axis - len(shape) if draw(yes_or_no) else axis for axis in axes]
    return Transpose(*axes) if draw(yes_or_no) else Transpose(), (shape,)


def window(draw: Draw, rank: int) -> dict[str, Any]:
    """Return stride, dilation and padding: one value, or one per axis."""
    numbers = st.integers(0, 2)
    paddings = st.one_of(modes, numbers, st.tuples(numbers, numbers))
    each = st.tuples(*[paddings] * rank)
    if rank == 1:
        paddings = st.one_of(modes, numbers, st.tuples(numbers, numbers))
    else:
        paddings = st.one_of(modes, numbers, each)
    return {
        "stride": per_axis(draw, st.integers(1, 3), rank),
        "dilation": per_axis(draw, st.integers(1, 2), rank),
        "padding": draw(paddings),
    }


def per_axis(draw: Draw, strategy: Any, rank: int) -> Any:
    return draw(strategy | st.tuples(*[strategy] * rank))


def filters(cls: Any, *, grouped: bool = True, **extra: Any) -> Any:
    """Return the row of a layer with filters."""

    def drawn(draw: Draw) -> Case:
        shape = shape_of(draw, 2, 3, 4, least=3)
        rank = len(shape) - 1
        groups = draw(st.integers(1, 2)) if grouped else 1
        options = window(draw, rank) | {"bias": draw(yes_or_no)}
        options |= {"groups": groups} if grouped else {}
        options |= {name: draw(strategy) for name, strategy in extra.items()}
        size = per_axis(draw, st.integers(1, 3), rank)
        first = [] if cls is DepthwiseConvolution else [draw(few) * groups]
        layer = made(cls, *first, size, **options)
        return taking(layer, (draw(few) * groups, *shape[1:]))

    return drawn


def pooling(cls: Any, *extra: str, dilated: bool = False) -> Any:
    """Return the row of a layer that pools in windows."""

    def drawn(draw: Draw) -> Case:
        shape = shape_of(draw, 2, 3, 4, least=3)
        options = window(draw, len(shape) - 1)
        if not dilated:
            del options["dilation"]
        options |= {name: draw(yes_or_no) for name in ("ceil_mode", *extra)}
        size = per_axis(draw, st.integers(1, 3), len(shape) - 1)
        return taking(made(cls, size, **options), shape)

    return drawn


def made(cls: Any, *values: Any, **options: Any) -> Any:
    """Return the layer, or draw again where it refuses the combination of options."""
    with refusals_drawn_again():
        return cls(*values, **options)


def taking(layer: Layer, *shapes: Shape) -> Case:
    """Return the case, or draw again where the layer refuses the shape."""
    with refusals_drawn_again():
        layer.output_shape(*shapes)
    return layer, shapes


@contextlib.contextmanager
def refusals_drawn_again() -> Iterator[None]:
    try:
        yield
    except ValueError:
        reject()


def block(cls: Any, *values: Any, **options: Any) -> Any:
    """Return the row of a block of convolutions in any style."""

    def drawn(draw: Draw) -> Case:
        chosen = {name: draw(strategy) for name, strategy in options.items()}
        chosen["activation"] = draw(st.sampled_from(["relu", "tanh", None]))
        chosen["normalization"] = draw(st.sampled_from(["batch", "layer", None]))
        chosen["place"] = draw(st.sampled_from(["before", "after", "first"]))
        layer = cls(*(draw(strategy) for strategy in values), **chosen)
        return taking(layer, shape_of(draw, 2, 3, 4, least=4))

    return drawn


def upscale(draw: Draw) -> Case:
    shape = shape_of(draw, 2, 3, 4)
    factor = per_axis(draw, st.integers(1, 3), len(shape) - 1)
    return Upscale(factor, draw(st.sampled_from(["nearest", "bilinear"]))), (shape,)


def blur_pooling(draw: Draw) -> Case:
    shape = shape_of(draw, 2, 3, 4)
    sizes, strides = (per_axis(draw, st.integers(1, most), len(shape) - 1) for most in (7, 3))
    padding = draw(st.sampled_from(["reflect", "edge", "zeros", "valid"]))
    return taking(made(BlurPooling, sizes, stride=strides, padding=padding), shape)


def group_convolution(draw: Draw) -> Case:
    group, order = draw(st.sampled_from([("p4", 4), ("p4m", 8)]))
    channels, height, width = shape_of(draw, 3, least=3)
    layer = made(
        GroupConvolution,
        draw(few),
        draw(st.integers(1, 3)),
        group=group,
        stride=draw(st.integers(1, 2)),
        padding=draw(st.one_of(modes, st.integers(0, 2))),
        dilation=draw(st.integers(1, 2)),
        bias=draw(yes_or_no),
    )
    lifted = (order,) if draw(yes_or_no) else ()
    return taking(layer, (channels, *lifted, height, width))


def group_norm(draw: Draw) -> Case:
    groups = draw(few)
    positions = shape_of(draw, 0, 1, 2, 3)
    channels = groups * draw(st.integers(2, 3))
    return GroupNorm(groups, affine=draw(yes_or_no)), ((channels, *positions),)


def drop_block(draw: Draw) -> Case:
    shape = shape_of(draw, 2, 3, 4)
    return DropBlock(draw(rates), per_axis(draw, few, len(shape) - 1)), (shape,)


def elementwise(draw: Draw) -> Case:
    operation = draw(st.sampled_from(["add", "multiply", "maximum", "mean", "subtract"]))
    shape = shape_of(draw, 1, 2, 3, 4)
    number = 2 if operation == "subtract" else draw(st.integers(1, 3))
    stretched = [tuple(1 if draw(yes_or_no) else n for n in shape) for _ in range(number)]
    return Elementwise(operation), tuple(stretched)


def concatenate(draw: Draw) -> Case:
    shape = shape_of(draw, 1, 2, 3, 4)
    axis = draw(st.integers(-len(shape), len(shape) - 1))
    place = axis % len(shape)
    parts = draw(st.lists(lengths, min_size=1, max_size=3))
    return Concatenate(axis), tuple((*shape[:place], n, *shape[place + 1 :]) for n in parts)


def gated_average(draw: Draw) -> Case:
    shape = shape_of(draw, 1, 2, 3)
    experts = draw(few)
    shapes = [shape] * experts
    gate = draw(st.integers(-experts - 1, experts))
    shapes.insert(gate % (experts + 1), (experts,))
    return GatedAverage(gate), tuple(shapes)


def module(draw: Draw) -> Case:
    width = draw(few)
    options: list[tuple[Layer, Shape]] = [
        (Module(nn.Linear(width, 4)), (2, width)),
        (Module(nn.Sequential(nn.Conv1d(width, 4, 3), nn.BatchNorm1d(4))), (width, 5)),
        (Module(nn.Embedding(9, width), dtype="int64"), (4,)),
        (Module(nn.Sequential(nn.Flatten(), nn.LayerNorm(2 * width))), (2, width)),
    ]
    layer, shape = draw(st.sampled_from(options))
    return layer, (shape,)


def recurrent(cls: Any, states: int, **options: Any) -> Any:
    """Return the row of a recurrent layer, with starts or without."""

    def drawn(draw: Draw) -> Case:
        chosen = {name: draw(strategy) for name, strategy in options.items()}
        ways = [{}, {"bidirectional": True}, {"backward": True}]
        chosen |= draw(st.sampled_from(ways)) | {"bias": draw(yes_or_no)}
        learned = draw(yes_or_no)
        layer = cls(draw(few), only_last=draw(yes_or_no), learn_start=learned, **chosen)
        start = (layer.units * layer.directions,)
        given = 0 if learned else draw(st.integers(0, states))
        return layer, (shape_of(draw, 2), *[start] * given)

    return drawn


def attention(draw: Draw) -> Case:
    heads, causal, width = draw(few), draw(yes_or_no), draw(few)
    units = heads * draw(few)
    options = {"causal": causal, "bias": draw(yes_or_no), "dropout": draw(rates)}
    query = (draw(lengths), units if draw(yes_or_no) else width)
    length = query[0] if causal else draw(lengths)
    others = [
        (length, draw(st.sampled_from([query[1], 3]))) for _ in range(draw(st.integers(0, 2)))
    ]
    if draw(yes_or_no):
        others.append((others[0][0] if others else query[0],))
    given = None if query[1] == units and draw(yes_or_no) else units
    return Attention(heads, units=given, **options), (query, *others)


def embedding(draw: Draw) -> Case:
    padding = draw(st.none() | st.integers(0, 8))
    return Embedding(9, draw(few), padding_idx=padding), (shape_of(draw, 1),)


def inception(cls: Any, **extra: Any) -> Any:
    """Return the row of a block of branches that keep the lengths of the input."""
    steps = st.tuples(few, st.integers(1, 3)) | st.sampled_from(["max", "avg", ("max", 2)])
    chains = st.lists(steps, min_size=1, max_size=2).map(tuple)
    splits = st.tuples(chains, chains).map(lambda split: ((2, 1), split))
    tables = st.lists(chains | splits, min_size=1, max_size=3)
    options = {
        "count_include_pad": yes_or_no,
        "activation": st.sampled_from(["tanh", "swish"]),
        "normalization": st.sampled_from(["batch", None]),
        "place": st.sampled_from(["before", "after", "first"]),
        **extra,
    }

    def drawn(draw: Draw) -> Case:
        chosen = {name: draw(strategy) for name, strategy in options.items()}
        return cls(*draw(tables), **chosen), (shape_of(draw, 2, 3, least=2),)

    return drawn


def mixture_of_experts(draw: Draw) -> Case:
    count, per_position, units = draw(few), draw(yes_or_no), draw(few)
    options = {"top_k": draw(st.none() | st.integers(1, count))}
    shape = shape_of(draw, *((2,) if per_position else (1, 2, 3)))
    small = Tanh(units) if len(shape) == 1 or per_position else GlobalPooling() >> Linear(units)
    expert = small >> Linear(3)
    if draw(yes_or_no):
        return MixtureOfExperts(expert, count, per_position=per_position, **options), (shape,)
    experts = (expert, *[small >> Tanh() >> Linear(3)] * (count - 1))
    return MixtureOfExperts(experts, per_position=per_position), (shape,)


def global_pooling(draw: Draw) -> Case:
    shape = shape_of(draw, 2, 3, 4)
    mode = draw(st.sampled_from(["avg", "max", "both"]))
    return GlobalPooling(mode), (shape, shape[1:])[: draw(st.integers(1, 2))]


def mask_padding(draw: Draw) -> Case:
    shape = shape_of(draw, 2, 3, 4)
    return MaskPadding(), (shape, shape[1:])


def box_grid(draw: Draw) -> Case:
    strides = draw(st.sampled_from([(4,), (2, 4), (1, 2, 4)]))
    groups = st.lists(st.tuples(few, few), min_size=1, max_size=2).map(tuple)
    anchors = tuple(draw(groups) for _ in strides)
    layer = BoxGrid(draw(few), anchors=anchors, strides=strides)
    _, height, width = shape_of(draw, 3)
    ratios = [strides[-1] // stride for stride in strides]
    return layer, tuple((draw(few), height * ratio, width * ratio) for ratio in ratios)


def soft_argmax(draw: Draw) -> Case:
    sides = st.floats(1, 2)
    return SoftArgmax(extent=(draw(sides), draw(sides))), (shape_of(draw, 3),)


def cell_alignment(draw: Draw) -> Case:
    return CellAlignment(draw(few)), (shape_of(draw, 3), shape_of(draw, 3))


def skip_connection(draw: Draw) -> Case:
    short = shape_of(draw, 3)
    padding = draw(st.sampled_from(["same", "valid"]))
    long = (draw(few), *(side + draw(st.integers(0, 3)) for side in short[1:]))
    return SkipConnection(padding), (short, long) if padding == "same" else (long, short)


def anchor_boxes(draw: Draw) -> Case:
    strides = draw(st.sampled_from([(4,), (2, 4)]))
    groups = st.lists(st.tuples(few, few), min_size=1, max_size=2).map(tuple)
    layer = AnchorBoxes(tuple(draw(groups) for _ in strides), strides=strides)
    return layer, tuple(shape_of(draw, 3) for _ in strides)


def region_proposals(draw: Draw) -> Case:
    layer = RegionProposals(draw(few), iou=draw(st.floats(0.1, 1)))
    return layer, ((draw(lengths), 9), shape_of(draw, 3))


def region_boxes(draw: Draw) -> Case:
    count = draw(lengths)
    anchors = ((draw(lengths), 9),) * draw(st.integers(0, 1))
    return RegionBoxes(draw(few)), ((count, draw(few)), (count, 4), *anchors)


def each_region(draw: Draw) -> Case:
    network = Linear(draw(few)) >> Tanh() if draw(yes_or_no) else Tanh(draw(few))
    return EachRegion(network), (shape_of(draw, 2),)


def selective_search(draw: Draw) -> Case:
    _, height, width = shape_of(draw, 3)
    return SelectiveSearch(draw(few)), ((draw(st.sampled_from([1, 3])), height, width),)


def regions(cls: Any, **options: Any) -> Any:
    """Return the row of a layer that cuts features to boxes."""

    def drawn(draw: Draw) -> Case:
        chosen = {name: draw(strategy) for name, strategy in options.items()}
        layer = cls(draw(few), stride=draw(st.floats(0.1, 2)), **chosen)
        return layer, (shape_of(draw, 3), (draw(few), 4))

    return drawn


ROWS: dict[str, Callable[[Draw], Case]] = {
    "AnchorBoxes": anchor_boxes,
    "Attention": attention,
    "AveragePooling": pooling(AveragePooling, "count_include_pad"),
    "BatchNorm": simple(BatchNorm, 1, 2, 3, 4, affine=yes_or_no, momentum=st.floats(0, 1)),
    "BlurPooling": blur_pooling,
    "BottleneckBlock": block(
        BottleneckBlock,
        few.map(lambda n: 2 * n),
        stride=few,
        expansion=st.just(2),
        shortcut=st.sampled_from(["auto", "projection", None]),
    ),
    "BoxGrid": box_grid,
    "CellAlignment": cell_alignment,
    "CellPadding": simple(CellPadding, 3, cell=few, margin=st.integers(0, 3)),
    "Concatenate": concatenate,
    "Convolution": filters(Convolution),
    "Deconvolution": filters(Deconvolution),
    "DepthwiseConvolution": filters(DepthwiseConvolution, grouped=False, multiplier=few),
    "DenseBlock": block(DenseBlock, st.integers(1, 2), few, bottleneck=st.none() | few),
    "DropBlock": drop_block,
    "Dropout": simple(Dropout, 1, 2, 3, 4, rate=rates, per_channel=yes_or_no),
    "EachRegion": each_region,
    "Elementwise": elementwise,
    "Elu": activation(Elu, alpha=st.floats(0.1, 2)),
    "Embedding": embedding,
    "Flatten": simple(Flatten, 1, 2, 3, 4),
    "FireModule": block(
        FireModule, few, few, few, shortcut=st.sampled_from(["auto", "projection", None])
    ),
    "FlattenedConvolution": filters(FlattenedConvolution, grouped=False, order=orders),
    "GRU": recurrent(GRU, 1),
    "GatedAverage": gated_average,
    "GaussianNoise": simple(GaussianNoise, 1, 2, 3, 4, std=st.floats(0, 2)),
    "Gelu": activation(Gelu, approximate=st.sampled_from(["none", "tanh"])),
    "GlobalPooling": global_pooling,
    "GroupConvolution": group_convolution,
    "GroupNorm": group_norm,
    "GroupPooling": simple(GroupPooling, 4, mode=st.sampled_from(["max", "avg"])),
    "HardSigmoid": activation(HardSigmoid),
    "Identity": simple(Identity, 1, 2, 3, 4),
    "InceptionDenseBlock": inception(InceptionDenseBlock, steps=st.integers(1, 2)),
    "InceptionModule": inception(InceptionModule),
    "InceptionResNetBlock": inception(
        InceptionResNetBlock,
        scale=st.floats(0.1, 2),
        activates=yes_or_no,
        shortcut=st.sampled_from(["identity", None]),
    ),
    "Input": lambda draw: (Input(*shape_of(draw, 1, 2, 3, 4)), ()),
    "InstanceNorm": simple(InstanceNorm, 2, 3, 4, least=2, affine=yes_or_no),
    "LSTM": recurrent(LSTM, 2, peepholes=yes_or_no),
    "RNN": recurrent(RNN, 1, activation=st.sampled_from(["tanh", "relu"])),
    "LayerNorm": simple(LayerNorm, 1, 2, least=2, affine=yes_or_no),
    "LeakyRelu": activation(LeakyRelu, epsilon=st.floats(0, 1)),
    "LearnedColorspace": simple(
        LearnedColorspace,
        *(2, 3, 4),
        channels=few,
        hidden=few,
        activation=functions,
        bias=yes_or_no,
    ),
    "Linear": activation(Linear),
    "LocalResponseNorm": simple(LocalResponseNorm, 1, 2, 3, 4, size=lengths),
    "MaskPadding": mask_padding,
    "MaxAveragePooling": pooling(MaxAveragePooling, "count_include_pad"),
    "MaxPooling": pooling(MaxPooling, dilated=True),
    "MixtureOfExperts": mixture_of_experts,
    "Module": module,
    "NiNBlock": block(
        NiNBlock,
        few | st.tuples(few, few, few),
        st.integers(1, 3),
        stride=few,
        padding=modes,
    ),
    "PRelu": activation(PRelu, shared=yes_or_no, epsilon=st.floats(-1, 1)),
    "RegionBoxes": region_boxes,
    "RegionProposals": region_proposals,
    "Relu": activation(Relu, maximum=st.none() | st.floats(0.5, 6)),
    "Reshape": reshape,
    "RoiAlign": regions(RoiAlign, samples=few),
    "RoiPooling": regions(RoiPooling),
    "Scale": simple(Scale, 1, 2, 3, 4, factor=st.floats(-2, 2)),
    "SelectiveSearch": selective_search,
    "SeparableConvolution": filters(
        SeparableConvolution, grouped=False, order=orders, activation=functions | st.none()
    ),
    "ResidualBlock": block(
        ResidualBlock,
        few,
        stride=few,
        dilation=st.integers(1, 2),
        shortcut=st.sampled_from(["auto", "projection", None]),
    ),
    "SeparableBlock": block(SeparableBlock, few, stride=few, between=yes_or_no),
    "Sigmoid": activation(Sigmoid),
    "SoftArgmax": soft_argmax,
    "Softmax": activation(Softmax, axis=st.sampled_from([None, 0, -1])),
    "Softplus": activation(Softplus, beta=st.floats(0.5, 2)),
    "SpatialPyramidPooling": simple(
        SpatialPyramidPooling,
        *(2, 3, 4),
        levels=st.lists(few, min_size=1, max_size=3).map(tuple),
        mode=st.sampled_from(["max", "avg"]),
    ),
    "SqueezeExcitation": simple(
        SqueezeExcitation,
        *(2, 3, 4),
        ratio=few,
        units=few | st.none(),
        activation=functions,
        gate=functions,
        bias=yes_or_no,
    ),
    "StochasticDepth": simple(StochasticDepth, 1, 2, 3, 4, rate=rates),
    "Swish": activation(Swish, beta=st.floats(-2, 2), learn_beta=yes_or_no),
    "Tanh": activation(Tanh),
    "TransitionLayer": block(TransitionLayer, st.floats(0.01, 1)),
    "Transpose": transpose,
    "SkipConnection": skip_connection,
    "UNetStage": block(
        UNetStage,
        few,
        st.none() | few.map(UNetStage),
        up=st.sampled_from(["deconvolution", "nearest", "bilinear"]),
    ),
    "UnitNorm": simple(UnitNorm, 1, 2),
    "Upscale": upscale,
    "XceptionBlock": block(
        XceptionBlock,
        few | st.lists(few, min_size=1, max_size=3).map(tuple),
        stride=few,
        opening=yes_or_no,
        shortcut=st.sampled_from(["auto", "projection", None]),
    ),
}

# Input shapes with free axes, and what comes out.
FREE: list[tuple[Layer, tuple[Shape, ...], Shape]] = [
    (AnchorBoxes([[(2, 3)]], strides=[8]), ((3, None, 9),), (None, 9)),
    (Attention(2), ((None, 4),), (None, 4)),
    (Attention(2), ((None, 4), (None, 3), (None,)), (None, 4)),
    (AveragePooling(2), ((3, None, 9),), (3, None, 4)),
    (BatchNorm(), ((3, None, None),), (3, None, None)),
    (BlurPooling(), ((3, None, 9),), (3, None, 5)),
    (BoxGrid(1, anchors=[[(2, 3)]], strides=[8]), ((3, None, 9),), (None, 9, 6)),
    (CellAlignment(4), ((3, 2, 2), (1, None, 9)), (3, None, 3)),
    (CellPadding(4), ((3, None, 9),), (3, None, 12)),
    (Concatenate(), ((3, None), (4, None)), (7, None)),
    (Concatenate(-1), ((3, None), (3, 2)), (3, None)),
    (Convolution(8, 3), ((3, None, 9),), (8, None, 7)),
    (Deconvolution(8, 3), ((3, None, 9),), (8, None, 11)),
    (DepthwiseConvolution(3, multiplier=2), ((3, None, 9),), (6, None, 7)),
    (DenseBlock(2, 4), ((3, None, 9),), (11, None, 9)),
    (DropBlock(0.1), ((3, None, 9),), (3, None, 9)),
    (Dropout(0.1), ((3, None),), (3, None)),
    (EachRegion(Convolution(8, 3)), ((4, 3, None, 9),), (4, 8, None, 7)),
    (Elementwise(), ((3, None), (3, None)), (3, None)),
    (Elementwise("multiply"), ((3, None, 4), (3, 1, 1)), (3, None, 4)),
    (Elu(), ((3, None),), (3, None)),
    (Embedding(9, 4), ((None,),), (None, 4)),
    (Flatten(), ((3, None),), (None,)),
    (GRU(5), ((None, 3),), (5,)),
    (LSTM(5, only_last=False), ((None, 3),), (None, 5)),
    (RNN(5, backward=True, only_last=False), ((None, 3),), (None, 5)),
    (FireModule(1, 2, 3), ((3, None, 9),), (5, None, 9)),
    (FlattenedConvolution(8, 3), ((3, None, 9),), (8, None, 7)),
    (GatedAverage(), ((2,), (3, None), (3, None)), (3, None)),
    (GaussianNoise(), ((3, None),), (3, None)),
    (Gelu(), ((3, None),), (3, None)),
    (GlobalPooling(), ((3, None, None),), (3,)),
    (GlobalPooling(), ((3, None, None), (None, None)), (3,)),
    (GroupConvolution(8, 3), ((3, None, 9),), (8, 4, None, 7)),
    (GroupConvolution(8, 3), ((3, 4, None, 9),), (8, 4, None, 7)),
    (GroupNorm(3), ((3, None),), (3, None)),
    (GroupPooling(), ((3, 4, None, 9),), (3, None, 9)),
    (HardSigmoid(5), ((None, 3),), (None, 5)),
    (Identity(), ((3, None),), (3, None)),
    (InceptionDenseBlock(((4, 3),), steps=2), ((3, None, 9),), (11, None, 9)),
    (InceptionModule(((4, 1),), ("max",)), ((3, None, 9),), (7, None, 9)),
    (InceptionResNetBlock(((4, 3),), scale=0.1), ((3, None, 9),), (3, None, 9)),
    (Input(3, None), (), (3, None)),
    (InstanceNorm(), ((3, None),), (3, None)),
    (LayerNorm(), ((None, 3),), (None, 3)),
    (LearnedColorspace(), ((1, None, 9),), (3, None, 9)),
    (LeakyRelu(), ((3, None),), (3, None)),
    (Linear(5), ((None, 3),), (None, 5)),
    (LocalResponseNorm(), ((3, None),), (3, None)),
    (MaskPadding(), ((3, None, None), (None, None)), (3, None, None)),
    (MaxAveragePooling(2), ((3, None, 9),), (3, None, 4)),
    (MaxPooling(2), ((3, None, 9),), (3, None, 4)),
    (MixtureOfExperts(Linear(5), 2, per_position=True), ((None, 3),), (None, 5)),
    (Module(nn.Conv2d(3, 8, 3)), ((3, None, 9),), (8, None, 7)),
    (NiNBlock(4, 3), ((3, None, 9),), (4, None, 7)),
    (PRelu(shared=False), ((3, None),), (3, None)),
    (PRelu(5, shared=False), ((None, 3),), (None, 5)),
    (RegionBoxes(2), ((4, 3), (4, 4), (None, 9)), (None, 11)),
    (RegionProposals(4), ((None, 9), (3, None, 9)), (4, 4)),
    (Relu(5), ((None, 3),), (None, 5)),
    (Reshape(3, -1), ((3, None, 2),), (3, None)),
    (ResidualBlock(8, stride=2), ((3, None, 9),), (8, None, 5)),
    (BottleneckBlock(8), ((3, None, 9),), (8, None, 9)),
    (RoiAlign(2), ((3, None, 9), (5, 4)), (5, 3, 2, 2)),
    (RoiPooling(2), ((3, 4, 9), (None, 4)), (None, 3, 2, 2)),
    (StochasticDepth(0.5), ((3, None),), (3, None)),
    (Scale(2), ((3, None),), (3, None)),
    (SelectiveSearch(4), ((3, None, 9),), (4, 4)),
    (SeparableConvolution(8, 3), ((3, None, 9),), (8, None, 7)),
    (SeparableBlock(8, stride=2), ((3, None, 9),), (8, None, 5)),
    (Sigmoid(), ((3, None),), (3, None)),
    (SoftArgmax(), ((3, None, 9),), (3, 2)),
    (Softmax(), ((3, None, None),), (3, None, None)),
    (Softplus(), ((3, None),), (3, None)),
    (SpatialPyramidPooling((1, 2)), ((3, None, None),), (15,)),
    (SqueezeExcitation(), ((3, None),), (3, None)),
    (Swish(), ((3, None),), (3, None)),
    (Tanh(5), ((None, 3),), (None, 5)),
    (TransitionLayer(), ((6, None, 9),), (3, None, 4)),
    (Transpose(1, 0), ((3, None),), (None, 3)),
    (SkipConnection(), ((3, None, 9), (4, None, 12)), (7, None, 9)),
    (UNetStage(4, UNetStage(8)), ((3, None, 9),), (4, None, 9)),
    (UnitNorm(), ((None, 3),), (None, 3)),
    (Upscale(2), ((3, None, 9),), (3, None, 18)),
    (XceptionBlock((4, 8), stride=2), ((3, None, 9),), (8, None, 5)),
]


def drawn(name: str, data: st.DataObject) -> Case:
    """Return a layer and shapes, the layer built."""
    torch.manual_seed(0)
    layer, shapes = ROWS[name](data.draw)
    layer.build(*shapes)
    return layer, shapes


def inputs_for(
    layer: Layer, shapes: tuple[Shape, ...], batch: int = BATCH, **options: Any
) -> list[Tensor]:
    """Return random inputs; free axes must have been given lengths."""
    shapes = shapes or (layer.output_shape(),)
    if layer.dtype_taken == "int":
        return [torch.randint(0, 9, (batch, *shape), device="cpu") for shape in shapes]
    generator = torch.Generator("cpu").manual_seed(1)
    return [
        torch.randint(0, 2, (batch, *s), generator=generator, device="cpu")
        if place and layer.is_mask(s)
        else torch.randn(batch, *s, generator=generator, **options)
        for place, s in enumerate(shapes)
    ]


def network_of(layer: Layer, shapes: tuple[Shape, ...]) -> Network:
    """Return a network of the layer and what it needs in front."""
    if not shapes:
        return join(layer)

    def source(place: int, shape: Shape) -> Layer:
        whole = layer.dtype_taken == "int" or (place > 0 and layer.is_mask(shape))
        return Input(*shape, dtype="int64" if whole else "float")

    return parallel(*map(source, range(len(shapes)), shapes)) >> layer


def same(one: Tensor, two: Tensor) -> None:
    torch.testing.assert_close(one, two, rtol=0, atol=0)


def answer(layer: Layer, shapes: tuple[Shape, ...]) -> Shape | str:
    """Return the output's shape, or the reason why there is none."""
    try:
        layer.parameter_shapes(*shapes)
        return layer.output_shape(*shapes)
    except ShapeError as error:
        return str(error)


# What all of them promise


def test_every_public_layer_has_a_row():
    assert set(ROWS) == set(PUBLIC)


def test_every_layer_that_takes_free_axes_is_listed():
    assert {type(layer).__name__ for layer, _, _ in FREE} == set(PUBLIC)


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_the_docstring_says_what_a_user_needs(name):
    text = inspect.getdoc(PUBLIC[name]) or ""
    parts = [text.find(part) for part in ("Shape:", "Args:", "Example:", ">>>")]
    assert -1 not in parts
    assert parts == sorted(parts)
    for argument in inspect.signature(PUBLIC[name]).parameters:
        assert f"{argument}:" in text


@contract(max_examples=15)
def test_output_and_parameters_have_the_shapes_foretold(name, data):
    layer, shapes = drawn(name, data)
    made_of_layers = isinstance(layer, Block | EachRegion | MixtureOfExperts)
    own = {n: tuple(p.shape) for n, p in layer.named_parameters(recurse=made_of_layers)}
    assert own == layer.parameter_shapes(*shapes)
    layer.train(data.draw(yes_or_no))
    output = layer(*inputs_for(layer, shapes))
    assert output.shape == (BATCH, *layer.output_shape(*shapes))
    assert output.isfinite().all()


@contract(max_examples=15)
def test_any_shape_is_refused_or_gives_what_was_foretold(name, data):
    draw = data.draw
    layer, _ = ROWS[name](draw)
    fewest, most = layer.inputs_taken
    number = draw(st.integers(fewest, 3 if most is None else most))
    axes = st.lists(lengths | st.none(), min_size=1, max_size=5).map(tuple)
    shape = draw(axes)
    shapes = tuple(shape if draw(st.integers(0, 3)) else draw(axes) for _ in range(number))
    foretold = answer(layer, shapes)
    free = draw(lengths)
    concrete = tuple(tuple(free if n is None else n for n in shape) for shape in shapes)
    exact = answer(layer, concrete)
    if isinstance(foretold, str) or isinstance(exact, str):
        who = type(layer).__name__
        assert all(who in said for said in (foretold, exact) if isinstance(said, str))
        return
    assert len(exact) == len(foretold)
    assert all(want in (None, have) for want, have in zip(foretold, exact, strict=True))
    layer.build(*shapes)
    output = layer.eval()(*inputs_for(layer, concrete))
    assert output.shape == (BATCH, *exact)


@pytest.mark.parametrize(("layer", "shapes", "expected"), FREE, ids=repr)
def test_a_free_axis_stays_free(layer, shapes, expected):
    layer = layer.fresh()
    assert layer.output_shape(*shapes) == expected
    if not isinstance(layer, Block):  # analysis asks their parts
        layer.reaches(*shapes)
    layer.build(*shapes)
    for free in (16, 23):
        concrete = [tuple(free if n is None else n for n in shape) for shape in shapes]
        output = (
            layer(*inputs_for(layer, tuple(concrete)))
            if shapes
            else layer(torch.ones(BATCH, *(n or free for n in expected)))
        )
        assert all(w in (None, h) for w, h in zip(expected, output.shape[1:], strict=True))


@contract(max_examples=5)
def test_an_empty_batch_gives_an_empty_batch(name, data):
    layer, shapes = drawn(name, data)
    output = layer.eval()(*inputs_for(layer, shapes, batch=0))
    assert output.shape == (0, *layer.output_shape(*shapes))


@contract(max_examples=10)
def test_what_is_printed_can_be_read(name, data):
    layer, _ = ROWS[name](data.draw)
    if isinstance(layer, Module):
        assert repr(layer).startswith("Module(")
        assert "\n" not in repr(layer)
        return
    (read,) = Network.parse(repr(layer))
    assert type(read) is type(layer)
    assert repr(read.arguments) == repr(layer.arguments)


@contract(max_examples=4)
def test_copies_and_pickles_give_equal_outputs(name, data):
    layer, shapes = drawn(name, data)
    inputs = inputs_for(layer.eval(), shapes)
    expected = layer(*inputs)
    same(copy.deepcopy(layer)(*inputs), expected)
    same(pickle.loads(pickle.dumps(layer))(*inputs), expected)
    same(layer.fresh()(*inputs), expected)


@contract(max_examples=3)
def test_a_saved_network_gives_equal_outputs(name, data):
    torch.manual_seed(0)
    layer, shapes = ROWS[name](data.draw)
    network = network_of(layer, shapes).eval()
    with tempfile.TemporaryDirectory() as folder:
        network.save(folder)
        loaded = Network.load(folder).eval()
    inputs = inputs_for(layer, shapes)
    same(loaded(*inputs), network(*inputs))
    assert list(loaded.state_dict()) == list(network.state_dict())


@contract(max_examples=5)
def test_the_meta_device_needs_no_memory(name, data):
    layer, shapes = ROWS[name](data.draw)
    if isinstance(layer, Module):
        return  # its parameters are where its maker put them
    with torch.device("meta"):
        layer.build(*shapes)
        layer.reset_parameters(torch.Generator("cpu"))
        inputs = [value.to("meta") for value in inputs_for(layer, shapes, device="cpu")]
        output = layer.train()(*inputs)
    assert all(value.is_meta for value in layer.state_dict().values())
    assert output.shape == (BATCH, *layer.output_shape(*shapes))


@contract(max_examples=5)
def test_double_precision_agrees_with_single(name, data):
    layer, shapes = drawn(name, data)
    layer.eval()
    inputs = inputs_for(layer, shapes)
    expected = layer(*inputs)
    inputs = [value.double() if value.is_floating_point() else value for value in inputs]
    output = layer.double()(*inputs)
    assert output.dtype == torch.float64
    torch.testing.assert_close(output.float(), expected, rtol=1e-4, atol=1e-5)


@contract(max_examples=3)
def test_integers_pass_where_they_may(name, data):
    layer, shapes = drawn(name, data)
    if layer.dtype_taken != "any":
        return
    output = layer(*(torch.ones(BATCH, *shape, dtype=torch.int64) for shape in shapes))
    assert output.dtype == torch.int64


@contract(max_examples=6)
def test_the_cost_is_what_torch_counts(name, data):
    layer, shapes = drawn(name, data)
    if getattr(layer, "peepholes", False):
        return  # torch counts no product of single numbers
    # Torch counts what its fused kernels do only where it takes them apart.
    layer, whole = layer.double().eval(), inputs_for(layer, shapes)
    inputs = [x.double() if x.is_floating_point() else x for x in whole]
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        layer(*inputs)
    assert 2 * BATCH * layer.multiply_adds(*shapes) == counter.get_total_flops()


@contract(max_examples=5)
def test_gradients_are_those_of_finite_differences(name, data):
    layer, shapes = drawn(name, data)
    if layer.dtype_taken == "int" or name in ("RegionProposals", "SelectiveSearch"):
        return  # regions pass no gradient on
    noisy = ("Attention", "Dropout", "DropBlock", "GaussianNoise", "StochasticDepth")
    layer.double().train(name not in noisy)
    inputs = inputs_for(layer, shapes, dtype=torch.float64)
    names = [n for n, _ in layer.named_parameters()]
    # Off the zeros and ones that some of them start from.
    values = [p.detach() + 0.1 for p in layer.parameters()]
    count = len(inputs)

    def run(*tensors: Tensor) -> Tensor:
        own = dict(zip(names, tensors[count:], strict=True))
        return torch.func.functional_call(layer, own, tensors[:count])

    tensors = [*inputs, *values]
    for tensor in tensors:
        tensor.requires_grad_(tensor.is_floating_point())
    assert torch.autograd.gradcheck(run, tensors, fast_mode=True)


@contract(max_examples=5)
def test_equal_seeds_draw_equal_parameters(name, data):
    layer, _ = drawn(name, data)

    def redrawn(seed: int) -> list[Tensor]:
        layer.reset_parameters(torch.Generator().manual_seed(seed))
        return [p.detach().clone() for p in layer.parameters()]

    one, other, again = redrawn(1), redrawn(2), redrawn(1)
    for first, third in zip(one, again, strict=True):
        same(first, third)
    if "weight" in layer.initializers and one[0].ndim > 1:
        assert not torch.equal(one[0], other[0])


@contract(max_examples=5)
def test_what_one_output_sees_can_be_asked(name, data):
    layer, shapes = drawn(name, data)
    if isinstance(layer, Block):
        with pytest.raises(NotImplementedError, match="receptive_field"):
            layer.reaches(*shapes)
        return
    seen = layer.reaches(*shapes)
    assert seen is None or len(seen) in (0, len(layer.output_shape(*shapes)) - 1)
