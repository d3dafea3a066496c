"""Transposed convolution against its definition, torch, and the gradient of convolution."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.layers.convolution.options import gives, layer_options

from neuropil.core import ShapeError
from neuropil.core.window import Window
from neuropil.init import Constant, HeNormal, XavierNormal
from neuropil.layers import Convolution, Deconvolution, Input

TORCH = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}
LONGEST = {1: 64, 2: 9, 3: 5}
drawn = settings(max_examples=100, derandomize=True, deadline=None, database=None)

numbers = st.integers(0, 3)
padding_of_an_axis = st.one_of(
    st.sampled_from(["valid", "same", "full"]), numbers, st.tuples(numbers, numbers)
)


@st.composite
def options_of_an_axis(draw, longest):
    """Draw I, F, S, D, padding and output padding."""
    size, stride, dilation = draw(st.integers(1, 6)), draw(st.integers(1, 5)), draw(numbers) + 1
    padding = draw(padding_of_an_axis)
    most = 0 if padding == "same" else max(stride, dilation) - 1
    return (
        draw(st.integers(1, longest)),
        size,
        stride,
        dilation,
        padding,
        draw(st.integers(0, most)),
    )


@st.composite
def cases(draw):
    """Draw a layer with one value per axis for each option, and the shape of its input."""
    rank = draw(st.sampled_from([1, 1, 2, 3]))
    axis = options_of_an_axis(LONGEST[rank])
    axes = draw(st.lists(axis, min_size=rank, max_size=rank))
    lengths, size, stride, dilation, padding, added = zip(*axes, strict=True)
    groups = draw(st.sampled_from([1, 1, 2]))
    layer = Deconvolution(
        groups * draw(st.integers(1, 2)),
        size,
        **layer_options(stride, padding, dilation, groups),
        bias=draw(st.booleans()),
        output_padding=added,
    )
    return layer, (groups * draw(st.integers(1, 2)), *lengths), axes


def by_definition(x, weight, bias, groups, axes):
    """Put the filter down at each input position and add up; None where nothing is left."""
    lengths, outputs, cuts, steps = [], [], [], []
    for length, size, stride, dilation, padding, added in axes:
        start, end = Window(size, stride, dilation, padding).transposed_crop
        lengths.append(length)
        cuts.append(start)
        steps.append((size, stride, dilation))
        outputs.append(stride * (length - 1) + dilation * (size - 1) + 1 - start - end + added)
    if min(outputs) < 1:
        return None
    per_group = weight.shape[1]
    y = np.zeros((groups * per_group, *outputs)) + bias.reshape(-1, *[1] * len(axes))
    for place in itertools.product(*map(range, lengths)):
        for tap in itertools.product(*(range(size) for size, _, _ in steps)):
            o = tuple(
                S * i + D * t - start
                for i, t, (_, S, D), start in zip(place, tap, steps, cuts, strict=True)
            )
            if all(0 <= position < limit for position, limit in zip(o, outputs, strict=True)):
                for c in range(len(weight)):
                    first = c // (len(weight) // groups) * per_group
                    y[(slice(first, first + per_group), *o)] += (
                        weight[(c, slice(None), *tap)] * x[(c, *place)]
                    )
    return y


def built(layer, shape):
    """Return a network of this layer with weights and biases that are all different from 0."""
    network = (Input(*shape) >> layer).double()
    draws = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_(generator=draws)
    return network


def normal(*shape):
    draws = torch.Generator().manual_seed(1)
    return torch.randn(*shape, dtype=torch.float64, generator=draws)


@given(cases())
@drawn
def test_shape_and_values_follow_the_definition(case):
    layer, shape, axes = case
    assume(math.prod(shape) * math.prod(size for _, size, *_ in axes) < 20_000)
    weight_shape = (shape[0], layer.filters // layer.groups, *(size for _, size, *_ in axes))
    x = normal(*shape).numpy()
    nothing = np.zeros(layer.filters)
    if by_definition(x, np.zeros(weight_shape), nothing, layer.groups, axes) is None:
        with pytest.raises(ShapeError, match=r"Deconvolution\(.*removes the whole output of"):
            Input(*shape) >> layer
        return
    network = built(layer, shape)
    assert tuple(layer.weight.shape) == weight_shape
    bias = nothing if layer.bias is None else layer.bias.detach().numpy()
    weight = layer.weight.detach().numpy()
    expected = by_definition(x, weight, bias, layer.groups, axes)
    gives(network, x, expected)


@given(cases())
@drawn
def test_values_and_gradients_equal_torch(case):
    layer, shape, axes = case
    pads = [Window(*axis[1:-1]).transposed_crop for axis in axes]
    # What torch can do: the same cut at both ends, of an output that is there before.
    assume(all(start == end for start, end in pads))
    try:
        network = built(layer, shape)
    except ShapeError:
        return
    _, _, strides, dilations, _, added = zip(*axes, strict=True)
    x = normal(2, *shape).requires_grad_()
    expected = TORCH[len(axes)](
        x,
        layer.weight,
        layer.bias,
        strides,
        [start for start, _ in pads],
        added,
        layer.groups,
        dilations,
    )
    got = network(x)
    torch.testing.assert_close(got, expected, rtol=1e-11, atol=1e-11)
    parameters = [x, *layer.parameters()]
    for ours, theirs in zip(
        torch.autograd.grad(got.square().sum(), parameters),
        torch.autograd.grad(expected.square().sum(), parameters),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("padding", ["valid", "same", "full", 1, (0, 2), (3, 1)], ids=str)
def test_it_is_the_gradient_of_convolution(padding):
    for size, stride, dilation in itertools.product((1, 2, 3, 5), (1, 2, 3, 4), (1, 2)):
        forth = Convolution(
            2, size, stride=stride, padding=padding, dilation=dilation, bias=False
        )
        back = Deconvolution(
            3, size, stride=stride, padding=padding, dilation=dilation, bias=False
        )
        length = 12
        try:
            output = built(forth, (3, length)).output_shape
        except ShapeError:
            continue
        if padding != "same":
            # The length whose windows end with the input, so that no output padding is needed.
            length -= (
                length + sum(forth.windows(1)[0].pads(0)) - dilation * (size - 1) - 1
            ) % stride
        network = built(back, output)
        assert network.output_shape == (3, length)
        back.load_state_dict(forth.state_dict())
        x = normal(1, 3, length).requires_grad_()
        y = forth(x)
        seed = normal(*y.shape)
        (gradient,) = torch.autograd.grad(y, x, seed)
        torch.testing.assert_close(network(seed), gradient)


def test_cases_worked_by_hand():
    def put_down(**options):
        network = Input(1, 2) >> Deconvolution(1, 3, stride=2, weight=Constant(1), **options)
        return network(torch.tensor([[[1.0, 10.0]]])).tolist()[0][0]

    assert put_down() == [1.0, 1.0, 11.0, 10.0, 10.0]
    assert put_down(padding="same") == [1.0, 1.0, 11.0, 10.0]
    assert put_down(padding=1) == [1.0, 11.0, 10.0]
    assert put_down(padding=1, output_padding=1) == [1.0, 11.0, 10.0, 10.0]
    assert put_down(padding=(2, 0)) == [11.0, 10.0, 10.0]
    # S > F': what no filter reaches is only the bias.
    network = Input(1, 2) >> Deconvolution(1, 1, stride=3, padding="same", weight=Constant(1))
    assert network(torch.tensor([[[1.0, 10.0]]])).tolist() == [[[1, 0, 0, 10, 0, 0]]]


def test_one_network_takes_any_size():
    def network(*lengths):
        return (
            Input(3, *lengths)
            >> Deconvolution(4, 3, stride=2, padding="same")
            >> Deconvolution(2, 4, stride=3, padding=((0, 1), 1), output_padding=(2, 0))
        )

    free = network(None, None)
    assert free.output_shape == (2, None, None)
    for lengths in ((4, 4), (7, 3)):
        fixed = network(*lengths)
        fixed.load_state_dict(free.state_dict())
        x = torch.randn(2, 3, *lengths)
        assert torch.equal(free(x), fixed(x))
        assert free(x).shape[1:] == fixed.output_shape


def test_fans_count_what_one_output_sums():
    layer = Deconvolution(8, 4, stride=2, groups=2, weight=HeNormal(gain=1, seed=0))
    Input(64, 5, 5) >> layer
    assert layer.fans() == (32 * 16 / 4, 4 * 16)
    assert layer.weight.var().item() == pytest.approx(4 / (32 * 16), rel=0.05)
    # So variance is kept: away from the border as much comes out as goes in.
    layer = Deconvolution(64, 4, stride=2, padding="same", weight=HeNormal(gain=1, seed=1))
    y = (Input(64, 20, 20) >> layer)(torch.randn(4, 64, 20, 20))
    assert y[:, :, 2:-2, 2:-2].var().item() == pytest.approx(1, rel=0.1)
    layer = Deconvolution(16, 5, weight=XavierNormal(seed=0))
    Input(48, 9) >> layer
    assert layer.weight.var().item() == pytest.approx(2 / (5 * (48 + 16)), rel=0.05)


def test_parameters_and_cost():
    layer = Deconvolution(6, (3, 2), stride=2, groups=2)
    assert layer.parameter_shapes((4, 9, 8)) == {"weight": (4, 3, 3, 2), "bias": (6,)}
    assert layer.multiply_adds((4, 9, 8)) == 4 * 3 * 3 * 2 * 9 * 8
    assert "bias" not in Deconvolution(6, 3, bias=False).parameter_shapes((4, 9))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"output_padding": 1}, "must be smaller than stride 1 or dilation 1, got 1"),
        ({"output_padding": 3, "stride": 3, "dilation": 2}, "stride 3 or dilation 2, got 3"),
        ({"output_padding": -1}, "Deconvolution: output_padding must be .* from 0 .* got -1"),
        (
            {"output_padding": 1, "stride": 2, "padding": "same"},
            "allows no output_padding, got 1",
        ),
        ({"output_padding": (1, 0), "stride": (2, 2, 2)}, "must agree on 1, 2 or 3 axes"),
        ({"filters": 0}, "Deconvolution: filters must be a whole number from 1"),
    ],
    ids=str,
)
def test_options_out_of_range_are_refused_by_the_constructor(options, message):
    with pytest.raises(ValueError, match=message):
        Deconvolution(**{"filters": 8, "kernel_size": 3, **options})


@pytest.mark.parametrize(
    ("shape", "layer", "message"),
    [
        ((3,), Deconvolution(8, 3), r"needs a signal .* got \(3\): put Reshape\(1, 3\)"),
        ((3, 9, 9), Deconvolution(8, 3, groups=2), "channels that its 2 groups divide"),
        ((3, 9), Deconvolution(8, 3, stride=2, output_padding=(1, 1)), "output_padding has 2"),
        (
            (3, 2),
            Deconvolution(8, 3, padding=2),
            r"padding 2 \+ 2 removes the whole output of 4",
        ),
    ],
    ids=str,
)
def test_inputs_that_do_not_fit_are_refused_at_the_join(shape, layer, message):
    with pytest.raises(ShapeError, match=message) as caught:
        Input(*shape) >> layer
    assert repr(layer) in str(caught.value)
