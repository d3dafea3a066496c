"""What every public layer promises, tested for all of them by discovery.

A new layer adds one row to `ROWS`, a function that draws the layer and input shapes that it
takes, and, where it leaves axes free, one to `FREE`.
"""

from __future__ import annotations

import contextlib
import copy
import inspect
import itertools
import pickle
import tempfile
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import pytest
import torch
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

import neuropil.layers
from neuropil.core import Layer, Network, Shape, ShapeError, join, parallel
from neuropil.layers import (
    AveragePooling,
    BatchNorm,
    Concatenate,
    Convolution,
    Deconvolution,
    DropBlock,
    Dropout,
    Elementwise,
    Elu,
    Flatten,
    GatedAverage,
    GaussianNoise,
    Gelu,
    GlobalPooling,
    GroupNorm,
    HardSigmoid,
    Identity,
    Input,
    InstanceNorm,
    LayerNorm,
    LeakyRelu,
    Linear,
    LocalResponseNorm,
    MaxAveragePooling,
    MaxPooling,
    Module,
    PRelu,
    Relu,
    Reshape,
    Sigmoid,
    Softmax,
    Softplus,
    SpatialPyramidPooling,
    Swish,
    Tanh,
    Transpose,
    Upscale,
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
    """Return stride, dilation and padding: one value, or one an axis."""
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


def filters(cls: Any) -> Any:
    """Return the row of a layer with filters."""

    def drawn(draw: Draw) -> Case:
        shape = shape_of(draw, 2, 3, 4, least=3)
        rank = len(shape) - 1
        groups = draw(st.integers(1, 2))
        options = window(draw, rank) | {"groups": groups, "bias": draw(yes_or_no)}
        size = per_axis(draw, st.integers(1, 3), rank)
        layer = made(cls, draw(few) * groups, size, **options)
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


def upscale(draw: Draw) -> Case:
    shape = shape_of(draw, 2, 3, 4)
    factor = per_axis(draw, st.integers(1, 3), len(shape) - 1)
    return Upscale(factor, draw(st.sampled_from(["nearest", "bilinear"]))), (shape,)


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


ROWS: dict[str, Callable[[Draw], Case]] = {
    "AveragePooling": pooling(AveragePooling, "count_include_pad"),
    "BatchNorm": simple(BatchNorm, 1, 2, 3, 4, affine=yes_or_no, momentum=st.floats(0, 1)),
    "Concatenate": concatenate,
    "Convolution": filters(Convolution),
    "Deconvolution": filters(Deconvolution),
    "DropBlock": drop_block,
    "Dropout": simple(Dropout, 1, 2, 3, 4, rate=rates, per_channel=yes_or_no),
    "Elementwise": elementwise,
    "Elu": activation(Elu, alpha=st.floats(0.1, 2)),
    "Flatten": simple(Flatten, 1, 2, 3, 4),
    "GatedAverage": gated_average,
    "GaussianNoise": simple(GaussianNoise, 1, 2, 3, 4, std=st.floats(0, 2)),
    "Gelu": activation(Gelu, approximate=st.sampled_from(["none", "tanh"])),
    "GlobalPooling": simple(
        GlobalPooling, 2, 3, 4, mode=st.sampled_from(["avg", "max", "both"])
    ),
    "GroupNorm": group_norm,
    "HardSigmoid": activation(HardSigmoid),
    "Identity": simple(Identity, 1, 2, 3, 4),
    "Input": lambda draw: (Input(*shape_of(draw, 1, 2, 3, 4)), ()),
    "InstanceNorm": simple(InstanceNorm, 2, 3, 4, least=2, affine=yes_or_no),
    "LayerNorm": simple(LayerNorm, 1, 2, least=2, affine=yes_or_no),
    "LeakyRelu": activation(LeakyRelu, epsilon=st.floats(0, 1)),
    "Linear": activation(Linear),
    "LocalResponseNorm": simple(LocalResponseNorm, 1, 2, 3, 4, size=lengths),
    "MaxAveragePooling": pooling(MaxAveragePooling, "count_include_pad"),
    "MaxPooling": pooling(MaxPooling, dilated=True),
    "Module": module,
    "PRelu": activation(PRelu, shared=yes_or_no, epsilon=st.floats(-1, 1)),
    "Relu": activation(Relu),
    "Reshape": reshape,
    "Sigmoid": activation(Sigmoid),
    "Softmax": activation(Softmax, axis=st.sampled_from([None, 0, -1])),
    "Softplus": activation(Softplus, beta=st.floats(0.5, 2)),
    "SpatialPyramidPooling": simple(
        SpatialPyramidPooling,
        *(2, 3, 4),
        levels=st.lists(few, min_size=1, max_size=3).map(tuple),
        mode=st.sampled_from(["max", "avg"]),
    ),
    "Swish": activation(Swish, beta=st.floats(-2, 2), learn_beta=yes_or_no),
    "Tanh": activation(Tanh),
    "Transpose": transpose,
    "Upscale": upscale,
}

# Input shapes with free axes, and what comes out.
FREE: list[tuple[Layer, tuple[Shape, ...], Shape]] = [
    (AveragePooling(2), ((3, None, 9),), (3, None, 4)),
    (BatchNorm(), ((3, None, None),), (3, None, None)),
    (Concatenate(), ((3, None), (4, None)), (7, None)),
    (Concatenate(-1), ((3, None), (3, 2)), (3, None)),
    (Convolution(8, 3), ((3, None, 9),), (8, None, 7)),
    (Deconvolution(8, 3), ((3, None, 9),), (8, None, 11)),
    (DropBlock(0.1), ((3, None, 9),), (3, None, 9)),
    (Dropout(0.1), ((3, None),), (3, None)),
    (Elementwise(), ((3, None), (3, None)), (3, None)),
    (Elementwise("multiply"), ((3, None, 4), (3, 1, 1)), (3, None, 4)),
    (Elu(), ((3, None),), (3, None)),
    (Flatten(), ((3, None),), (None,)),
    (GatedAverage(), ((2,), (3, None), (3, None)), (3, None)),
    (GaussianNoise(), ((3, None),), (3, None)),
    (Gelu(), ((3, None),), (3, None)),
    (GlobalPooling(), ((3, None, None),), (3,)),
    (GroupNorm(3), ((3, None),), (3, None)),
    (HardSigmoid(5), ((None, 3),), (None, 5)),
    (Identity(), ((3, None),), (3, None)),
    (Input(3, None), (), (3, None)),
    (InstanceNorm(), ((3, None),), (3, None)),
    (LayerNorm(), ((None, 3),), (None, 3)),
    (LeakyRelu(), ((3, None),), (3, None)),
    (Linear(5), ((None, 3),), (None, 5)),
    (LocalResponseNorm(), ((3, None),), (3, None)),
    (MaxAveragePooling(2), ((3, None, 9),), (3, None, 4)),
    (MaxPooling(2), ((3, None, 9),), (3, None, 4)),
    (Module(nn.Conv2d(3, 8, 3)), ((3, None, 9),), (8, None, 7)),
    (PRelu(shared=False), ((3, None),), (3, None)),
    (PRelu(5, shared=False), ((None, 3),), (None, 5)),
    (Relu(5), ((None, 3),), (None, 5)),
    (Reshape(3, -1), ((3, None, 2),), (3, None)),
    (Sigmoid(), ((3, None),), (3, None)),
    (Softmax(), ((3, None, None),), (3, None, None)),
    (Softplus(), ((3, None),), (3, None)),
    (SpatialPyramidPooling((1, 2)), ((3, None, None),), (15,)),
    (Swish(), ((3, None),), (3, None)),
    (Tanh(5), ((None, 3),), (None, 5)),
    (Transpose(1, 0), ((3, None),), (None, 3)),
    (Upscale(2), ((3, None, 9),), (3, None, 18)),
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
        return [torch.randint(0, 9, (batch, *shape)) for shape in shapes]
    generator = torch.Generator().manual_seed(1)
    return [torch.randn(batch, *s, generator=generator, **options) for s in shapes]


def network_of(layer: Layer, shapes: tuple[Shape, ...]) -> Network:
    """Return a network of the layer and what it needs in front."""
    if not shapes:
        return join(layer)
    dtype = "int64" if layer.dtype_taken == "int" else "float"
    return parallel(*(Input(*shape, dtype=dtype) for shape in shapes)) >> layer


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
    own = {n: tuple(p.shape) for n, p in layer.named_parameters(recurse=False)}
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
        if isinstance(layer, Module):
            with pytest.raises(ValueError, match="cannot be saved"):
                network.save(folder)
            return
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
        concrete = shapes or (layer.output_shape(),)
        output = layer.train()(*(torch.empty(BATCH, *shape) for shape in concrete))
    assert all(value.is_meta for value in layer.state_dict().values())
    assert output.shape == (BATCH, *layer.output_shape(*shapes))


@contract(max_examples=5)
def test_double_precision_agrees_with_single(name, data):
    layer, shapes = drawn(name, data)
    layer.eval()
    inputs = inputs_for(layer, shapes)
    expected = layer(*inputs)
    if layer.dtype_taken != "int":
        inputs = [value.double() for value in inputs]
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
    with FlopCounterMode(display=False) as counter:
        layer.eval()(*inputs_for(layer, shapes))
    assert 2 * BATCH * layer.multiply_adds(*shapes) == counter.get_total_flops()


@contract(max_examples=5)
def test_gradients_are_those_of_finite_differences(name, data):
    layer, shapes = drawn(name, data)
    if layer.dtype_taken == "int":
        return
    noisy = ("Dropout", "DropBlock", "GaussianNoise")
    layer.double().train(name not in noisy)
    inputs = inputs_for(layer, shapes, dtype=torch.float64)
    names = [n for n, _ in layer.named_parameters()]
    # Off the zeros and ones that some of them start from.
    values = [p.detach() + 0.1 for p in layer.parameters()]
    count = len(inputs)

    def run(*tensors: Tensor) -> Tensor:
        own = dict(zip(names, tensors[count:], strict=True))
        return torch.func.functional_call(layer, own, tensors[:count])

    tensors = [value.requires_grad_() for value in itertools.chain(inputs, values)]
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
    seen = layer.reaches(*shapes)
    assert seen is None or len(seen) in (0, len(layer.output_shape(*shapes)) - 1)
