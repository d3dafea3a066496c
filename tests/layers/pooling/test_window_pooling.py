"""Pooling against its definition, window by window, and against torch where torch can."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from neuropil.core import ShapeError
from neuropil.core.window import Window
from neuropil.layers import AveragePooling, Convolution, Input, MaxAveragePooling, MaxPooling

KINDS = (MaxPooling, AveragePooling, MaxAveragePooling)
TORCH = {
    "max": {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d},
    "avg": {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d},
}
LONGEST = {1: 64, 2: 12, 3: 6}
drawn = settings(max_examples=120, derandomize=True, deadline=None, database=None)


@st.composite
def axes(draw, longest):
    """Draw I, F, S, D, P of one axis; less padding than a window is wide."""
    size = draw(st.integers(1, min(11, longest)))
    dilation = draw(st.integers(1, 3))
    pad = st.integers(0, min(4, dilation * (size - 1)))
    padding = draw(st.sampled_from(["valid", "same", "full"]) | pad | st.tuples(pad, pad))
    return draw(st.integers(1, longest)), size, draw(st.integers(1, 5)), dilation, padding


@st.composite
def cases(draw):
    """Draw options, one value per axis for each, and the shape of the input."""
    rank = draw(st.sampled_from([1, 1, 2, 3]))
    each = axes(LONGEST[rank])
    drawn_axes = draw(st.lists(each, min_size=rank, max_size=rank))
    lengths, size, stride, dilation, padding = zip(*drawn_axes, strict=True)
    options = {
        "size": size,
        "stride": stride,
        "padding": padding if rank > 1 else padding[0],
        "ceil_mode": draw(st.booleans()),
    }
    return options, dilation, draw(st.booleans()), (2, *lengths)


def values(shape):
    """Return numbers that all differ, most of them below zero, so that padding would win."""
    count = math.prod(shape)
    return np.random.default_rng(0).permutation(count).reshape(shape) / count - 0.9


def windows(length, size, stride, dilation, padding, ceil):
    """Return each window of an axis: the positions on the input, and how many on padding."""
    start, end = Window(size, stride, dilation, padding).pads(length)
    extent, found, first = dilation * (size - 1) + 1, [], -start
    over = stride - 1 if ceil else 0
    while first + extent - over <= length + end and (first < length or not ceil):
        taps = range(first, first + extent, dilation)
        inside = [tap for tap in taps if 0 <= tap < length]
        found.append((inside, sum(-start <= tap < length + end for tap in taps)))
        first += stride
    return found


def by_definition(x, options, dilation, include):
    """Return the largest value and the mean of each window; None where one sees nothing."""
    padding = options["padding"]
    padding = padding if x.ndim > 2 else [padding]
    steps = zip(x.shape[1:], options["size"], options["stride"], dilation, padding, strict=True)
    along = [windows(*axis, options["ceil_mode"]) for axis in steps]
    if not all(along) or any(not inside for axis in along for inside, _ in axis):
        return None
    shape = (len(x), *map(len, along))
    largest, mean = np.empty(shape), np.empty(shape)
    for place in itertools.product(*map(range, shape[1:])):
        chosen = [axis[o] for axis, o in zip(along, place, strict=True)]
        seen = x[np.ix_(range(len(x)), *(inside for inside, _ in chosen))]
        over = tuple(range(1, x.ndim))
        count = math.prod(n for _, n in chosen) if include else seen[0].size
        largest[(slice(None), *place)] = seen.max(over)
        mean[(slice(None), *place)] = seen.sum(over) / count
    return largest, mean


@given(cases())
@drawn
def test_max_pooling_follows_the_definition(case):
    options, dilation, _, shape = case
    layer = MaxPooling(**options, dilation=dilation)
    x = values(shape)
    expected = by_definition(x, options, dilation, include=True)
    if expected is None:
        with pytest.raises(ShapeError, match=r"needs a .* of at least"):
            layer.output_shape(shape)
        return
    assert layer.output_shape(shape) == expected[0].shape
    got = layer(torch.tensor(x)[None])[0]
    torch.testing.assert_close(got, torch.tensor(expected[0]), rtol=0, atol=0)


@given(cases())
@drawn
def test_average_pooling_and_the_sum_follow_the_definition(case):
    options, _, include, shape = case
    rank = len(shape) - 1
    limited = options["padding"] if rank > 1 else (options["padding"],)
    assume(
        all(
            isinstance(pad, str) or np.max(pad) < size
            for pad, size in zip(limited, options["size"], strict=True)
        )
    )
    average = AveragePooling(**options, count_include_pad=include)
    both = MaxAveragePooling(**options, count_include_pad=include)
    x = values(shape)
    expected = by_definition(x, options, (1,) * rank, include)
    if expected is None:
        with pytest.raises(ShapeError, match=r"needs a .* of at least"):
            average.output_shape(shape)
        return
    assert average.output_shape(shape) == both.output_shape(shape) == expected[1].shape
    batch = torch.tensor(x)[None]
    mean, total = torch.tensor(expected[1])[None], torch.tensor(sum(expected))[None]
    torch.testing.assert_close(average(batch), mean, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(both(batch), total, rtol=1e-12, atol=1e-12)


@given(cases(), st.data())
@drawn
def test_values_equal_torch(case, data):
    options, dilation, include, shape = case
    rank = len(shape) - 1
    # Torch takes numbers up to half a window.
    pads = tuple(data.draw(st.integers(0, size // 2)) for size in options["size"])
    options["padding"] = pads if rank > 1 else pads[0]
    x = torch.tensor(values(shape))[None]
    size, stride, ceil = options["size"], options["stride"], options["ceil_mode"]
    calls = {
        MaxPooling(**options, dilation=dilation): (
            lambda: TORCH["max"][rank](x, size, stride, pads, dilation, ceil)
        ),
        AveragePooling(**options, count_include_pad=include): (
            lambda: TORCH["avg"][rank](x, size, stride, pads, ceil, include)
        ),
    }
    for layer, peer in calls.items():
        try:
            shape_ours = layer.output_shape(shape)
        except ShapeError as error:
            if "so that no window" in str(error):
                assert torch.isinf(peer()).any()  # where torch gives −∞ we say so before
            else:
                with pytest.raises(RuntimeError):
                    peer()
            continue
        if rank == 3 and isinstance(layer, AveragePooling) and any(np.less(shape[1:], size)):
            continue  # torch refuses these, at this rank only
        assert shape_ours == peer().shape[1:]
        assert torch.equal(layer(x), peer())


@pytest.mark.parametrize("padding", ["valid", "same", "full", 1, (0, 1), (2, 1)], ids=str)
@pytest.mark.parametrize("ceil_mode", [False, True])
def test_every_size_up_to_64_gives_the_defined_values(padding, ceil_mode):
    signal = values((1, 64))
    x = torch.tensor(signal)[None]
    for size, stride in itertools.product((3, 4, 7), (1, 2, 3, 5)):
        options = {"size": (size,), "stride": (stride,), "padding": padding}
        options["ceil_mode"] = ceil_mode
        networks = [Input(1, None) >> kind(**options) for kind in KINDS]
        for length in range(1, 65, 3):
            part = signal[:, :length]
            expected = by_definition(part, options, (1,), include=True)
            if expected is None:
                continue
            for network, wanted in zip(networks, (*expected, sum(expected)), strict=True):
                got = network(x[:, :, :length].float())[0]
                torch.testing.assert_close(got, torch.tensor(wanted).float())


def test_cases_worked_by_hand():
    x = torch.tensor([[[-1.0, -5.0, -2.0, -4.0, -3.0]]])
    # Same, F = 3, S = 2: O = 3, one zero at each end, which never is the largest.
    assert MaxPooling(3, stride=2, padding="same")(x).tolist() == [[[-1.0, -2.0, -3.0]]]
    # Full, F = 2, S = 1, with (−1 + 0)/2 at the start.
    assert AveragePooling(2, stride=1, padding="full")(x).tolist() == [
        [[-0.5, -3.0, -3.5, -3.0, -3.5, -1.5]]
    ]
    # The last window has −3 and one position after everything, which does not count.
    assert AveragePooling(2, ceil_mode=True)(x).tolist() == [[[-3.0, -3.0, -3.0]]]
    # Two zeros at the end: of a window that runs over by one, two positions count.
    pooled = AveragePooling(3, padding=(0, 2), ceil_mode=True)(x[:, :, :4])
    assert pooled.tolist()[0][0] == pytest.approx([-8 / 3, -4 / 3])
    assert MaxAveragePooling(2)(x[:, :, :4]).tolist() == [[[-4.0, -5.0]]]


def test_gradients_pass_where_windows_are_left_out():
    for kind in KINDS:
        options = {} if kind is MaxPooling else {"count_include_pad": False}
        layer = kind(3, stride=2, padding=(2, 1), ceil_mode=True, **options)
        x = torch.tensor(values((2, 1, 6, 7))).requires_grad_()
        assert torch.autograd.gradcheck(layer, x)


def test_one_layer_takes_any_size_and_rank():
    layer = MaxAveragePooling(3, stride=2, padding="same")
    assert layer.output_shape((4, None, 9)) == (4, None, 5)
    assert (Input(4, 9, 9) >> layer).output_shape == (4, 5, 5)
    assert (Input(4, 12) >> layer).output_shape == (4, 6)
    for shape in ((4, 9, 9), (4, 8, 9), (4, 12), (4, 3, 4, 5)):
        assert layer(torch.zeros(2, *shape)).shape[1:] == layer.output_shape(shape)


def test_the_stride_is_the_size_unless_given():
    assert MaxPooling((2, 3)).output_shape((1, 8, 9)) == (1, 4, 3)
    assert MaxPooling(2, stride=1).output_shape((1, 8, 9)) == (1, 7, 8)
    assert repr(MaxPooling(2, stride=1, padding="same")) == (
        "MaxPooling(2, stride=1, padding='same')"
    )


def test_pooling_has_no_parameters_and_no_cost():
    network = Input(3, 8, 8) >> Convolution(4, 3) >> MaxPooling(2)
    assert list(network.state_dict()) == ["convolution1.weight", "convolution1.bias"]
    assert MaxPooling(2).multiply_adds((4, 6, 6)) == 0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((0,), {}, "size must be a whole number from 1 .*, got 0"),
        ((2,), {"stride": 0}, "stride must be a whole number from 1 .*, got 0"),
        ((2,), {"padding": 2}, "padding 2 is as wide as a window.*give at most 1 at each end"),
        ((2,), {"padding": (0, 3)}, "is as wide as a window"),
        ((2,), {"padding": "none"}, "one of .* or numbers, got 'none'"),
        (((2, 2),), {"stride": (1, 1, 1)}, "must agree on 1, 2 or 3 axes"),
    ],
    ids=str,
)
def test_options_out_of_range_are_refused_by_the_constructor(kind, arguments, options, message):
    with pytest.raises(ValueError, match=f"{kind.__name__}: .*{message}"):
        kind(*arguments, **options)


@pytest.mark.parametrize(
    ("shape", "layer", "message"),
    [
        ((10,), MaxPooling(2), r"needs a signal .* got \(10\): put Reshape\(1, 10\) before it"),
        ((3, 4, 1), MaxPooling(2), r"a width of at least 2, got \(3, 4, 1\)"),
        ((3, 9), AveragePooling((2, 2)), r"has 2 numbers, \(2, 2\), for 1 axes"),
        (
            (1, 2),
            MaxPooling(2, padding=1, dilation=3),
            "at least its dilation, 3, so that no window",
        ),
    ],
    ids=str,
)
def test_inputs_that_do_not_fit_are_refused_at_the_join(shape, layer, message):
    with pytest.raises(ShapeError, match=message) as caught:
        Input(*shape) >> layer
    assert repr(layer) in str(caught.value)
