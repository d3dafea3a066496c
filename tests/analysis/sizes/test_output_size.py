"""The compatibility calculator against windows that are counted one by one."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuropil.analysis import output_size

SIZES = list(itertools.product(range(1, 13), range(1, 5), range(1, 4), range(1, 3)))


def counted(length, filter_size, stride, start, end, dilation):
    """Return how many windows fit, and how many inputs at the end none of them reaches."""
    extent = dilation * (filter_size - 1) + 1
    firsts = [
        first for first in range(-start, length + end, stride) if first + extent <= length + end
    ]
    reached = firsts[-1] + extent if firsts else 0
    return len(firsts), length + end - reached


def pads(padding, extent):
    modes = {"valid": (0, 0), "full": (extent - 1, extent - 1)}
    if isinstance(padding, int):
        return padding, padding
    return modes[padding] if isinstance(padding, str) else padding


@pytest.mark.parametrize("padding", ["valid", "full", 0, 1, (0, 1), (2, 1)])
def test_output_of_every_small_size(padding):
    for length, size, stride, dilation in SIZES:
        start, end = pads(padding, dilation * (size - 1) + 1)
        output, left_out = counted(length, size, stride, start, end, dilation)
        found = output_size(length, size, stride, padding, dilation)
        assert tuple(found.solutions) == ((output,) if output else ())
        assert tuple(found.exact) == ((output,) if output and not left_out else ())
        for near in found.nearest:
            assert near.exact
            assert counted(near.input, size, stride, start, end, dilation) == (near.output, 0)


def test_output_with_same_padding():
    for length, size, stride, dilation in SIZES:
        found = output_size(length, size, stride, "same", dilation)
        assert found.exact == found.solutions == (-(-length // stride),)


@settings(deadline=None)
@given(
    unknown=st.sampled_from(["input", "filter", "stride", "dilation"]),
    sizes=st.fixed_dictionaries(
        {
            "input": st.integers(1, 20),
            "filter": st.integers(2, 6),
            "stride": st.integers(1, 5),
            "dilation": st.integers(1, 3),
            "padding": st.sampled_from(["valid", "full", 1, (1, 0)]),
            "output": st.integers(2, 12),
        }
    ),
)
def test_every_unknown_is_what_trying_all_values_finds(unknown, sizes):
    limit = 100

    def tried(value):
        trial = {**sizes, unknown: value}
        start, end = pads(trial["padding"], trial["dilation"] * (trial["filter"] - 1) + 1)
        length, size, stride = trial["input"], trial["filter"], trial["stride"]
        return counted(length, size, stride, start, end, trial["dilation"])

    found = output_size(**{**sizes, unknown: None})
    fitting = [v for v in range(1, limit) if tried(v)[0] == sizes["output"]]
    assert list(found.solutions) == fitting
    assert list(found.exact) == [v for v in fitting if tried(v)[1] == 0]
    if not fitting:
        for near in found.nearest:
            assert tried(getattr(near, unknown))[0] == near.output != sizes["output"]
            neighbours = {getattr(near, unknown) - 1, getattr(near, unknown) + 1}
            beyond = [
                (tried(v)[0] - sizes["output"]) * (near.output - sizes["output"]) < 0
                for v in neighbours
                if 1 <= v < limit
            ]
            # The next value is already on the other side, or there is none.
            assert any(beyond) or len(found.nearest) == 1


@given(
    length=st.integers(1, 20),
    size=st.integers(1, 6),
    stride=st.integers(1, 4),
    output=st.integers(1, 24),
)
def test_padding_is_what_trying_all_finds(length, size, stride, output):
    found = output_size(length, size, stride, padding=None, output=output)
    totals = [
        total
        for total in range(2 * size - 1)
        if counted(length, size, stride, total // 2, total - total // 2, 1)[0] == output
    ]
    assert [p * 2 if isinstance(p, int) else sum(p) for p in found.solutions] == totals
    assert all(isinstance(p, int) or p[1] == p[0] + 1 for p in found.solutions)


def test_the_cheat_sheets_cases():
    assert output_size(input=32, filter=5, stride=2, padding="same").solutions == (16,)
    assert str(output_size(input=32, filter=5, stride=2, padding=0)) == (
        "output = 14: (32 − 5 + 0 + 0) / 2 + 1 = 14.5 is not whole, so the last 1 of the input "
        "is left out. Nearest that fit exactly: input 31 (output 14), input 33 (output 15)."
    )
    assert str(output_size(input=227, filter=11, stride=4)) == (
        "output = 55: (227 − 11 + 0 + 0) / 4 + 1."
    )
    assert str(output_size(input=32, filter=5, stride=2, padding="same")) == (
        "output = 16: ⌈32 / 2⌉, with padding 1 + 2."
    )


def test_inputs_for_an_output():
    found = output_size(input=None, filter=5, stride=2, padding=0, output=14)
    assert (found.unknown, found.solutions, found.exact) == ("input", (31, 32), (31,))
    assert str(found) == "input = 31 exactly, or 32 with the last 1 of the input left out."
    found = output_size(filter=5, stride=4, padding="same", output=14)
    assert found.exact == found.solutions == (53, 54, 55, 56)
    assert str(found) == "input = 53 to 56."


def test_paddings_for_an_output():
    assert str(output_size(32, 5, padding=None, output=32)) == "padding = 2."
    assert str(output_size(32, 4, padding=None, output=32)) == (
        "padding = 1 at the start and 2 at the end."
    )
    found = output_size(32, 3, stride=2, padding=None, output=16)
    assert (found.solutions, found.exact) == (((0, 1), 1), ((0, 1),))


def test_no_whole_solution_names_the_nearest():
    found = output_size(input=32, filter=5, stride=None, output=20)
    assert found.solutions == found.exact == ()
    assert [(near.stride, near.output) for near in found.nearest] == [(1, 28), (2, 14)]
    assert str(found) == (
        "no whole stride gives an output of 20: stride 1 gives 28, stride 2 gives 14."
    )
    found = output_size(input=32, filter=5, stride=None, output=14)
    assert (found.solutions, found.exact) == ((2,), ())
    assert [near.input for near in found.nearest] == [31, 33]


def test_a_filter_that_does_not_fit():
    found = output_size(input=3, filter=5)
    assert found.solutions == ()
    assert [near.input for near in found.nearest] == [5]
    assert "a filter over 5 does not fit an input of 3" in str(found)
    assert "the filter does not fit" in str(output_size(32, 40, stride=None, output=2))


def test_endless_solutions_stay_short():
    found = output_size(input=32, filter=5, stride=None, output=1)
    assert found.solutions[0] == 28
    assert "stride = 28 or more" in str(found)
    assert str(output_size(input=5, filter=5, stride=None, output=1)) == "stride = any."
    assert str(output_size(input=32, stride=2, padding="same", output=16)) == "filter = any."
    huge = output_size(10**9, 10**9, stride=10**9, padding=None, output=2)
    assert huge.solutions[0] == 5 * 10**8
    assert len(huge.solutions) > 10**8
    assert huge.solutions[1:3][0] == (5 * 10**8, 5 * 10**8 + 1)


@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        ({"input": 32, "filter": 5, "output": 3}, "but none is"),
        ({"filter": 5}, "but input and output are"),
        ({"input": 0, "filter": 5}, "output_size: input must be a whole number from 1"),
        ({"input": 32, "filter": 2.5}, "output_size: filter must be a whole number.*got 2.5"),
        ({"input": 32, "filter": 5, "stride": -1}, "output_size: stride must be"),
        ({"input": 32, "filter": 5, "dilation": True}, "output_size: dilation must be"),
        ({"input": 32, "filter": 5, "padding": "some"}, "padding must be one of"),
        ({"input": 32, "filter": 5, "padding": -1}, "padding must be a whole number from 0"),
        ({"filter": 5, "output": 0}, "output_size: output must be"),
        ({"filter": 5, "output": "many"}, "output_size: output must be"),
    ],
)
def test_bad_values(sizes, words):
    with pytest.raises(ValueError, match=words):
        output_size(**sizes)
