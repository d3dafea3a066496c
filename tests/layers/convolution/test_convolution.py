"""Convolution against its definition, summed tap by tap, and against torch."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.layers.convolution.options import gives, layer_options

from neuropil.core import ShapeError
from neuropil.core.window import Window
from neuropil.init import Constant, HeNormal
from neuropil.layers import Convolution, Flatten, GlobalPooling, Input, Relu

TORCH = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
LONGEST = {1: 64, 2: 14, 3: 7}
drawn = settings(max_examples=120, derandomize=True, deadline=None, database=None)

padding_of_an_axis = st.one_of(
    st.sampled_from(["valid", "same", "full"]),
    st.integers(0, 4),
    st.tuples(st.integers(0, 4), st.integers(0, 4)),
)


@st.composite
def cases(draw):
    """Draw a convolution, one value per axis for each option, and the shape of its input."""
    rank = draw(st.sampled_from([1, 1, 2, 3]))
    longest = LONGEST[rank]
    axis = st.tuples(
        st.integers(1, longest),
        st.integers(1, min(11, longest)),
        st.integers(1, 5),
        st.integers(1, 3),
        padding_of_an_axis,
    )
    lengths, size, stride, dilation, padding = zip(
        *draw(st.lists(axis, min_size=rank, max_size=rank)), strict=True
    )
    groups = draw(st.sampled_from([1, 1, 2]))
    layer = Convolution(
        groups * draw(st.integers(1, 2)),
        size,
        **layer_options(stride, padding, dilation, groups),
        bias=draw(st.booleans()),
        weight=HeNormal(),
    )
    return layer, (groups * draw(st.integers(1, 2)), *lengths)


def axes_of(layer, shape):
    """Return (start, end), F, S, D of each axis."""
    options = layer.arguments
    padding = options["padding"]
    padding = [padding] if len(shape) == 2 else padding
    each = (options["kernel_size"], options["stride"], options["dilation"])
    return [
        (Window(*steps, pad).pads(length), *steps)
        for pad, length, *steps in zip(padding, shape[1:], *each, strict=True)
    ]


def by_definition(layer, x, weight, bias):
    """Return b[k] + Σ_c Σ_t w[k, c, t] x[c, S·o + D·t − P], or None where no window fits."""
    axes = axes_of(layer, x.shape)
    padded = np.pad(x, [(0, 0), *(pads for pads, *_ in axes)])
    begins = [
        [first for first in range(length) if first % S == 0 and first + D * (F - 1) < length]
        for length, (_, F, S, D) in zip(padded.shape[1:], axes, strict=True)
    ]
    if not all(begins):
        return None
    groups, per_group = layer.groups, weight.shape[1]
    y = np.zeros((len(weight), *map(len, begins)))
    for place in itertools.product(*(range(len(b)) for b in begins)):
        window = padded[
            :,
            *(
                slice(b[o], b[o] + D * (F - 1) + 1, D)
                for b, o, (_, F, _, D) in zip(begins, place, axes, strict=True)
            ),
        ]
        for k in range(len(weight)):
            group = k // (len(weight) // groups)
            part = window[group * per_group : (group + 1) * per_group]
            y[(k, *place)] = np.sum(weight[k] * part) + bias[k]
    return y


def built(layer, shape, generator=0):
    """Return a network of this layer with weights and biases that are all different from 0."""
    network = (Input(*shape) >> layer).double()
    draws = torch.Generator().manual_seed(generator)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_(generator=draws)
    return network


@given(cases())
@drawn
def test_shape_and_values_follow_the_definition(case):
    layer, shape = case
    x = np.random.default_rng(0).normal(size=shape)
    weight_shape = (
        layer.filters,
        shape[0] // layer.groups,
        *layer.arguments["kernel_size"],
    )
    fitting = by_definition(layer, x, np.zeros(weight_shape), np.zeros(layer.filters))
    if fitting is None:
        with pytest.raises(ShapeError, match=r"gives \(.*needs a .* of at least"):
            Input(*shape) >> layer
        return
    network = built(layer, shape)
    assert tuple(layer.weight.shape) == weight_shape
    bias = np.zeros(layer.filters) if layer.bias is None else layer.bias.detach().numpy()
    expected = by_definition(layer, x, layer.weight.detach().numpy(), bias)
    gives(network, x, expected)


@given(cases())
@drawn
def test_values_and_gradients_equal_torch(case):
    layer, shape = case
    try:
        network = built(layer, shape)
    except ShapeError:
        return
    axes = axes_of(layer, shape)
    x = torch.randn(2, *shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    x.requires_grad_()
    flat = [pad for pads, *_ in reversed(axes) for pad in pads]
    _, _, strides, dilations = zip(*axes, strict=True)
    expected = TORCH[len(axes)](
        F.pad(x, flat), layer.weight, layer.bias, strides, 0, dilations, layer.groups
    )
    got = network(x)
    torch.testing.assert_close(got, expected, rtol=1e-11, atol=1e-11)
    parameters = [x, *layer.parameters()]
    seed = torch.randn(
        got.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(2)
    )
    for ours, theirs in zip(
        torch.autograd.grad(got, parameters, seed),
        torch.autograd.grad(expected, parameters, seed),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("padding", ["valid", "same", "full", 2, (0, 3)], ids=str)
@torch.no_grad()
def test_every_size_up_to_64_gives_the_defined_values(padding):
    """The lengths all of them, each layer built once for a free one; the draws do the rest."""
    signal = np.random.default_rng(0).normal(size=64)
    x = torch.tensor(signal)[None, None]
    for size, stride, dilation in itertools.product((1, 2, 3, 6, 11), (1, 2, 3, 5), (1, 2, 3)):
        layer = Convolution(1, size, stride=stride, padding=padding, dilation=dilation)
        network = built(layer, (1, None))
        weight, bias = layer.weight.numpy().ravel(), layer.bias.item()
        extent = dilation * (size - 1) + 1
        for length in range(layer.windows(1)[0].least_length, 65):
            pads = Window(size, stride, dilation, padding).pads(length)
            padded = np.concatenate([np.zeros(pads[0]), signal[:length], np.zeros(pads[1])])
            seen = np.lib.stride_tricks.sliding_window_view(padded, extent)
            expected = seen[::stride, ::dilation] @ weight + bias
            got = network(x[:, :, :length]).numpy()[0, 0]
            assert got.shape == expected.shape
            assert abs(got - expected).max() < 1e-12, (layer, length)


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.parametrize("size", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("dilation", [1, 2])
def test_same_at_stride_one_is_torchs_same(size, dilation):
    layer = Convolution(2, size, padding="same", dilation=dilation)
    network = built(layer, (3, 9, 10))
    x = torch.randn(2, 3, 9, 10, dtype=torch.float64)
    expected = F.conv2d(x, layer.weight, layer.bias, padding="same", dilation=dilation)
    torch.testing.assert_close(network(x), expected)


def test_a_case_worked_by_hand():
    # Same, F = 3, S = 2, I = 4: O = 2, in all 2·2 − 4 + 3 − 2 = 1 zero, at the end.
    network = Input(1, 4) >> Convolution(1, 3, stride=2, padding="same", weight=Constant(1))
    assert network(torch.tensor([[[1.0, 2.0, 3.0, 4.0]]])).tolist() == [[[6.0, 7.0]]]
    # Full, D = 2: F' = 3, so that 2 zeros stand at each end.
    network = Input(1, 2) >> Convolution(1, 2, padding="full", dilation=2, weight=Constant(1))
    assert network(torch.tensor([[[1.0, 2.0]]])).tolist() == [[[1.0, 2.0, 1.0, 2.0]]]


def test_one_network_takes_any_size():
    def network(*lengths):
        return (
            Input(3, *lengths)
            >> Convolution(4, 3, stride=2, padding="same")
            >> Convolution(5, 2, stride=3, padding=((0, 1), "full"))
            >> GlobalPooling("avg")
        )

    free = network(None, None)
    assert [node.shape for node in free.nodes[1:]] == [(4, None, None), (5, None, None), (5,)]
    for lengths in ((32, 32), (64, 64), (33, 47), (5, 6)):
        fixed = network(*lengths)
        fixed.load_state_dict(free.state_dict())
        x = torch.randn(2, 3, *lengths)
        assert torch.equal(free(x), fixed(x))
        assert free.upto("convolution2")(x).shape[1:] == fixed.nodes[2].shape


def test_one_layer_may_stand_in_networks_of_different_size():
    layer = Convolution(4, 3, stride=2, padding="same")
    small, large = Input(1, 8, 8) >> layer, Input(1, 15, 15) >> layer
    x = torch.randn(1, 1, 8, 8)
    before = small(x)
    assert large(torch.randn(1, 1, 15, 15)).shape == (1, 4, 8, 8)
    assert torch.equal(small(x), before)
    with pytest.raises(ShapeError, match=r"already built for \(1, 8, 8\).*copy it first"):
        Input(1, 8) >> layer


def test_parameters_and_cost():
    network = Input(3, 32, 30) >> Convolution(8, 5)
    assert sum(p.numel() for p in network.parameters()) == (5 * 5 * 3 + 1) * 8
    layer = network.layers["convolution1"]
    assert layer.multiply_adds((3, 32, 30)) == 8 * 3 * 5 * 5 * 28 * 26
    depthwise = Convolution(6, (3, 1), groups=6, stride=2, bias=False)
    assert depthwise.parameter_shapes((6, 9, 9)) == {"weight": (6, 1, 3, 1)}
    assert depthwise.multiply_adds((6, 9, 9)) == 6 * 3 * 4 * 5
    with pytest.raises(ShapeError, match=r"needs known lengths to count .* got \(6, None, 9\)"):
        depthwise.multiply_adds((6, None, 9))


def test_weights_start_by_the_fan_in():
    layer = Convolution(64, 3, groups=2, weight=HeNormal(gain=2, seed=0))
    Input(128, 8, 8) >> layer
    assert layer.weight.var().item() == pytest.approx(2 / (64 * 9), rel=0.05)
    assert torch.equal(layer.bias, torch.zeros(64))


def test_a_layer_that_cannot_fit_names_both_layers_both_shapes_and_the_mend():
    with pytest.raises(
        ShapeError,
        match=r"^Relu\(10\) gives \(10\)\. Convolution\(8, 3\) needs a signal \(C, L\), an "
        r"image \(C, H, W\) or a volume \(C, D, H, W\), got \(10\): put Reshape\(1, 10\) "
        r"before it .*, or move it before .* Flatten\(\)\.$",
    ):
        Input(3, 32, 32) >> Convolution(8, 3) >> Flatten() >> Relu(10) >> Convolution(8, 3)


@pytest.mark.parametrize(
    ("shape", "layer", "message"),
    [
        ((3, 4, 9), Convolution(8, 5), r"a height of at least 5, got \(3, 4, 9\): make"),
        ((3, 9, 4), Convolution(8, (1, 5)), r"needs a width of at least 5, got \(3, 9, 4\)"),
        ((3, 4), Convolution(8, 3, dilation=2), r"needs a length of at least 5, got \(3, 4\)"),
        ((3, 4), Convolution(8, 5, padding=(0, 0)), "needs a length of at least 5, got"),
        ((3, 1, 9, 9), Convolution(8, 3), r"needs a depth of at least 3, got \(3, 1, 9, 9\)"),
        ((3, 9, 9), Convolution(8, (3, 3, 3)), r"has 3 numbers, \(3, 3, 3\), for 2 axes"),
        ((3, 9), Convolution(8, 3, padding=(1, 1, 1)), "padding has 3 entries"),
        (
            (3, 9, 9),
            Convolution(8, 3, groups=2),
            r"channels that its 2 groups divide, got \(3, 9, 9\)",
        ),
        ((None, 9, 9), Convolution(8, 3), r"needs a known number of channels, got \(None, 9"),
        ((1, 2, 3, 4, 5), Convolution(8, 1), r"got \(1, 2, 3, 4, 5\): merge axes with Reshape"),
    ],
    ids=str,
)
def test_inputs_that_do_not_fit_are_refused_at_the_join(shape, layer, message):
    with pytest.raises(ShapeError, match=message) as caught:
        Input(*shape) >> layer
    assert repr(layer) in str(caught.value)
    assert layer.built_for is None


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((0, 3), {}, "Convolution: filters must be a whole number from 1 .*, got 0"),
        ((8, 0), {}, "Convolution: kernel_size must be .*, got 0"),
        ((8, np.array([3, 3])), {}, r"kernel_size must be .*, got 'array\(\[3, 3\]\)'"),
        ((8, 3.0), {}, "kernel_size must be a whole number .*, got 3.0"),
        ((8, 3), {"stride": 0}, "Convolution: stride must be .*, got 0"),
        ((8, 3), {"padding": "some"}, "Convolution: padding must be one of .*, got 'some'"),
        ((8, 3), {"padding": (0, -1)}, "Convolution: padding must be .* from 0 .*, got -1"),
        ((8, 3), {"groups": 3}, "filters must be a multiple of groups, got 8 and 3"),
        ((8, (3, 3)), {"stride": (1, 1, 1)}, "must agree on 1, 2 or 3 axes, got .* 2 and 3"),
        ((8, (3, 3, 3, 3)), {}, "must agree on 1, 2 or 3 axes, got values for 4"),
        (
            (8, 3),
            {"weight": "0.1"},
            "weight must be an initialiser, .* got '0.1'",
        ),
    ],
    ids=str,
)
def test_options_out_of_range_are_refused_by_the_constructor(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        Convolution(*arguments, **options)


def test_options_for_one_rank_are_taken_at_that_rank():
    assert Convolution(8, 3, stride=(1, 2)).output_shape((3, 9, 9)) == (8, 7, 4)
    assert Convolution(8, 3, padding=(1, 2)).output_shape((3, 9)) == (8, 10)
    assert Convolution(8, 3, padding=(1, 2)).output_shape((3, 9, 9)) == (8, 9, 11)
    assert Convolution(8, [3, 1], padding=[[0, 1], 0]).output_shape((3, 9, 9)) == (8, 8, 9)


def test_repr_is_the_call():
    layer = Convolution(8, (3, 5), stride=2, padding=((1, 2), "same"), bias=False)
    assert repr(layer) == (
        "Convolution(8, (3, 5), stride=2, padding=((1, 2), 'same'), bias=False)"
    )
    assert repr(Convolution(8, 3)) == "Convolution(8, 3)"
