"""The scale of a forest plot holds what matters, and no wild change squeezes the others."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuropil.report.study.gain_scale import GainScale

GAINS = st.floats(-1e6, 1e6).filter(lambda x: x == 0 or abs(x) > 1e-6)
ROWS = st.lists(
    st.tuples(GAINS, GAINS, GAINS)
    .map(sorted)
    .map(lambda v: dict(zip(("low", "gain", "high"), v, strict=True))),
    max_size=12,
)
SMALLEST = st.one_of(st.none(), st.floats(1e-4, 1e3))


@given(ROWS, SMALLEST)
def test_zero_and_the_band_are_inside(rows, smallest):
    scale = GainScale.of(rows, smallest)
    assert scale.left <= 0 <= scale.right
    assert scale.left < scale.right
    if smallest:
        assert scale.left < -smallest < smallest < scale.right


@given(ROWS, SMALLEST)
def test_ticks_are_few_and_zero_is_one(rows, smallest):
    scale = GainScale.of(rows, smallest)
    assert 0 in scale.ticks
    assert 2 <= len(scale.ticks) <= 8
    slack = 1e-9 * (scale.right - scale.left)
    assert all(scale.left - slack <= tick <= scale.right + slack for tick in scale.ticks)


@given(ROWS, SMALLEST, GAINS, GAINS)
def test_places_are_ordered_and_never_outside(rows, smallest, first, second):
    scale = GainScale.of(rows, smallest)
    low, high = sorted([first, second])
    assert 0 <= scale.place(low) <= scale.place(high) <= 100
    assert (scale.place_if_shown(low) is None) == (not scale.left <= low <= scale.right)


def row(low, gain, high):
    return {"low": low, "gain": gain, "high": high}


def test_a_wild_change_does_not_widen_the_scale():
    tame = [row(-0.5, 0.1, 0.7), row(0.1, 0.4, 0.7), row(-0.7, -0.2, 0.3)]
    scale = GainScale.of(tame, 0.5)
    assert GainScale.of([*tame, row(-70.0, -60.0, -50.0)], 0.5) == scale
    assert (scale.left, scale.right) == (-0.75, 0.75)


def test_what_is_unknown_or_infinite_is_passed_over():
    rows = [row(None, None, None), row(-math.inf, 0.4, math.inf), row(None, 0.5, None)]
    scale = GainScale.of(rows, None)
    assert (scale.left, scale.right) == pytest.approx((0.0, 0.5))
    assert scale.place_if_shown(None) is None
    assert scale.place(math.inf) == 100
    nothing = GainScale.of([], None)
    assert (nothing.left, nothing.right) == (-1, 1)


def test_a_large_gain_is_shown_and_a_large_loss_is_not():
    usual = [{"low": -1.0, "gain": 1.0, "high": 3.0, "verdict": "cannot tell"}] * 3
    far = {"low": 40.0, "gain": 50.0, "high": 60.0}
    assert GainScale.of([*usual, far | {"verdict": "helps"}], 0.5).right >= 60
    loss = {key: -value for key, value in far.items()}
    assert GainScale.of([*usual, loss | {"verdict": "hurts"}], 0.5).left > -40
