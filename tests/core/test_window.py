"""Window arithmetic against counting windows one by one, over the whole grid that matters."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import pytest

from neuropil.core import ShapeError
from neuropil.core.window import Reach, Window, axis_paddings, windows

SIZES, STRIDES, DILATIONS, LENGTHS = range(1, 12), range(1, 6), range(1, 4), range(1, 65)
PADDINGS = ("valid", "same", "full", 1, 3, (0, 2), (4, 1))
GRID = tuple(itertools.product(SIZES, STRIDES, DILATIONS))


def zeros(length: int, size: int, stride: int, dilation: int, padding: object):
    """Return the zeros at both ends as the sheet defines them."""
    extent = dilation * (size - 1) + 1
    if padding == "same":
        total = max(0, stride * math.ceil(length / stride) - length + extent - stride)
        return math.floor(total / 2), math.ceil(total / 2)
    if padding == "full":
        return extent - 1, extent - 1
    if padding == "valid":
        return 0, 0
    return padding if isinstance(padding, tuple) else (padding, padding)


def firsts(length: int, extent: int, stride: int, start: int, end: int) -> list[int]:
    """Return where each window begins: counted, not calculated."""
    found, first = [], -start
    while first + extent <= length + end:
        found.append(first)
        first += stride
    return found


def length_or_none(window: Window, length: int) -> int | None:
    try:
        return window.output_length(length)
    except ShapeError:
        return None


@pytest.mark.parametrize("padding", PADDINGS, ids=str)
def test_output_length_is_the_number_of_windows(padding):
    for size, stride, dilation in GRID:
        window = Window(size, stride, dilation, padding)
        for length in LENGTHS:
            pads = zeros(length, size, stride, dilation, padding)
            assert window.pads(length) == pads
            counted = len(firsts(length, window.extent, stride, *pads))
            assert length_or_none(window, length) == (counted or None), (window, length)
            if padding == "same":
                assert counted == math.ceil(length / stride)


@pytest.mark.parametrize("padding", ["valid", "same", "full", 1, (0, 2)], ids=str)
def test_rounding_up_lets_a_window_run_over_by_less_than_a_stride(padding):
    for size, stride, dilation in GRID:
        window = Window(size, stride, dilation, padding, ceil=True)
        for length in LENGTHS:
            start, end = window.pads(length)
            if max(start, end) >= window.extent:
                continue  # windows of nothing but padding: no layer that rounds up takes them
            counted, first = 0, -start
            while first < length and first + window.extent - (length + end) < stride:
                counted, first = counted + 1, first + stride
            assert length_or_none(window, length) == (counted or None), (window, length)


@pytest.mark.parametrize("ceil", [False, True])
@pytest.mark.parametrize("padding", PADDINGS, ids=str)
def test_least_length_is_the_least(padding, ceil):
    for size, stride, dilation in GRID:
        window = Window(size, stride, dilation, padding, ceil)
        least = window.least_length
        assert window.output_length(least) >= 1
        if least > 1:
            with pytest.raises(ShapeError, match=f"at least {least}, got {least - 1}$"):
                window.output_length(least - 1)


@pytest.mark.parametrize("padding", PADDINGS, ids=str)
def test_the_transposed_form_turns_lengths_around(padding):
    for size, stride, dilation in GRID:
        window = Window(size, stride, dilation, padding)
        for length in LENGTHS:
            output = length_or_none(window, length)
            if output is None:
                continue
            if padding == "same":
                back = window.transposed_length(output)
                assert back == stride * output
                assert window.output_length(back) == output
            else:
                # All lengths from which as many windows come differ by output padding only.
                missing = length - stride * (output - 1) - window.extent + sum(window.pads(0))
                assert 0 <= missing < stride
                assert window.transposed_length(output, missing) == length


@pytest.mark.parametrize("padding", PADDINGS, ids=str)
def test_the_transposed_form_cuts_what_the_other_pads(padding):
    for size, stride, dilation in GRID:
        window = Window(size, stride, dilation, padding)
        start, end = window.transposed_crop
        if padding != "same":
            assert (start, end) == window.pads(64)
            continue
        # S·I positions lie after the cut at the start; filters reach S(I − 1) + F' of them.
        pads = zeros(10 * stride, size, stride, dilation, "same")
        assert start == pads[0]
        assert stride * 9 + window.extent - start - end == stride * 10


def test_a_transposed_form_of_nothing_is_refused():
    assert Window(3, padding="full").transposed_length(3) == 1
    with pytest.raises(ShapeError, match=r"padding 2 \+ 2 removes the whole output of 4"):
        Window(3, padding="full").transposed_length(2)


def test_what_a_window_sees():
    for size, stride, dilation, padding in itertools.product(
        (1, 2, 5), (1, 2, 3), (1, 2), PADDINGS
    ):
        window = Window(size, stride, dilation, padding)
        for length in (12, 13, 14):
            reach = window.reach(length)
            assert reach.size == window.extent
            begins = firsts(length, window.extent, stride, *window.pads(length))
            assert begins == [reach.start + reach.jump * o for o in range(len(begins))]


def test_what_a_transposed_window_sees():
    for size, stride, dilation, padding in itertools.product(
        (1, 2, 4, 5), (1, 2, 3), (1, 2), ("valid", "same", 1, (0, 1))
    ):
        window = Window(size, stride, dilation, padding)
        length = 9
        outputs = length_or_none_transposed(window, length)
        start, reach = window.transposed_crop[0], window.transposed_reach()
        spans = [0]
        for o in range(outputs):
            seen = [
                i
                for i in range(length)
                for tap in range(size)
                if stride * i + dilation * tap == o + start
            ]
            first = math.ceil(reach.start + reach.jump * o)
            assert set(seen) <= set(range(first, first + reach.size)), (window, o)
            spans.append(max(seen) - min(seen) + 1 if seen else 0)
        if dilation == 1:
            assert max(spans) == reach.size, window


def length_or_none_transposed(window: Window, length: int) -> int:
    try:
        return window.transposed_length(length) or 0
    except ShapeError:
        return 0


def test_free_lengths_stay_free():
    for padding in PADDINGS:
        window = Window(3, 2, 1, padding)
        assert window.output_length(None) is None
        assert window.transposed_length(None) is None
    assert Window(3, 2).reach(None) == Reach(3, Fraction(2), Fraction(0))
    assert Window(3, 2, padding="same").reach(None) == Reach(3, Fraction(2), None)


def test_a_blind_window_sees_nothing_but_padding():
    for size, stride, dilation in itertools.product((1, 2, 3), (1, 2), (1, 2, 3)):
        for padding in (0, 1, 2, "same", "full", (0, 2)):
            window = Window(size, stride, dilation, padding)
            if max(window.pads(1)) >= window.extent:
                assert window.is_blind(None)
                continue
            assert not window.is_blind(None)
            for length in range(window.least_length, 9):
                begins = firsts(length, window.extent, stride, *window.pads(length))
                blind = any(
                    not any(0 <= first + dilation * tap < length for tap in range(size))
                    for first in begins
                )
                assert window.is_blind(length) == blind, (window, length)


@pytest.mark.parametrize(
    ("padding", "rank", "one_an_axis"),
    [
        ("same", 2, ("same", "same")),
        (1, 3, (1, 1, 1)),
        ((1, 2), 1, ((1, 2),)),
        ((1, 2), 2, (1, 2)),
        (((1, 2),), 1, ((1, 2),)),
        (("same", (0, 1)), 2, ("same", (0, 1))),
        ([1, [0, 3]], 2, (1, (0, 3))),
    ],
    ids=str,
)
def test_paddings_are_read_axis_by_axis(padding, rank, one_an_axis):
    assert axis_paddings(padding, rank) == one_an_axis


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"size": (3, 3, 3)}, ShapeError, r"the filter size has 3 numbers, \(3, 3, 3\), for 2"),
        ({"size": 3, "stride": (1,)}, ShapeError, "stride has 1 numbers"),
        ({"size": 3, "padding": (1, 1, 1)}, ShapeError, r"padding has 3 entries, \(1, 1, 1\)"),
        ({"size": 0}, ValueError, "filter size must be a whole number from 1 .*, got 0"),
        ({"size": 3, "stride": 0}, ValueError, "stride must be .* from 1 .*, got 0"),
        ({"size": 3, "dilation": 1.5}, ValueError, "dilation must be a whole .* got 1.5"),
        ({"size": 3, "padding": -1}, ValueError, "padding must be .* from 0 .*, got -1"),
        ({"size": 3, "padding": "some"}, ValueError, "one of .* or numbers, got 'some'"),
        ({"size": 3, "padding": ((1, -2), 0)}, ValueError, "padding must be .*, got -2"),
    ],
    ids=str,
)
def test_what_cannot_be_a_window_is_said(options, error, message):
    with pytest.raises(error, match=message):
        windows(2, **options)
