"""The line search against its published evaluations, and the conditions it promises."""

import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuropil.optim.line_search.strong_wolfe import strong_wolfe


def rational(t):
    return -t / (t * t + 2), (t * t - 2) / (t * t + 2) ** 2


def steep_well(t, b=0.004):
    return (t + b) ** 5 - 2 * (t + b) ** 4, 5 * (t + b) ** 4 - 8 * (t + b) ** 3


def wavy(t, b=0.01, waves=39):
    if abs(t - 1) < b:
        value, slope = (t - 1) ** 2 / (2 * b) + b / 2, (t - 1) / b
    else:
        value, slope = abs(t - 1), math.copysign(1.0, t - 1)
    share, frequency = 1 - b, waves * math.pi / 2
    value += share / frequency * math.sin(frequency * t)
    return value, slope + share * math.cos(frequency * t)


def yanai(b1, b2):
    g1, g2 = (math.sqrt(1 + b * b) - b for b in (b1, b2))

    def function(t):
        r1, r2 = math.hypot(1 - t, b2), math.hypot(t, b1)
        return g1 * r1 + g2 * r2, g1 * (t - 1) / r1 + g2 * t / r2

    return function


# Moré and Thuente 1994, tables I to VI: evaluations from the first trials 10⁻³, 10⁻¹, 10, 10³.
PUBLISHED = {
    "I": (rational, 0.001, 0.1, (6, 3, 1, 4)),
    "II": (steep_well, 0.1, 0.100001, (12, 8, 8, 11)),
    "III": (wavy, 0.1, 0.100001, (12, 12, 10, 13)),
    "IV": (yanai(0.001, 0.001), 0.001, 0.00100001, (4, 1, 3, 4)),
    "V": (yanai(0.01, 0.001), 0.001, 0.00100001, (6, 3, 7, 8)),
    "VI": (yanai(0.001, 0.01), 0.001, 0.00100001, (13, 11, 8, 11)),
}


def search(function, step=1.0, **options):
    value, slope = function(0.0)
    return strong_wolfe(lambda t: (*function(t), ("at", t)), step, value, slope, **options)


@pytest.mark.parametrize("table", PUBLISHED)
def test_it_takes_the_published_evaluations(table):
    function, c1, c2, published = PUBLISHED[table]
    found = [search(function, step, c1=c1, c2=c2) for step in (1e-3, 1e-1, 1e1, 1e3)]
    assert all(line.success for line in found)
    assert tuple(line.evaluations for line in found) == published


waves = st.tuples(st.floats(-3, 3), st.floats(0.1, 6), st.floats(0, 6))


@settings(max_examples=300, deadline=None)
@given(
    st.floats(0.01, 10),
    st.lists(waves, max_size=4),
    st.floats(0.05, 0.95),
    st.floats(1e-4, 1e3),
    st.booleans(),
)
def test_it_ends_where_both_conditions_hold(bowl, sines, c2, step, logarithm):
    def smooth(t):
        value = bowl * (t - 1) ** 2 + sum(a * math.sin(w * t + c) for a, w, c in sines)
        slope = 2 * bowl * (t - 1) + sum(a * w * math.cos(w * t + c) for a, w, c in sines)
        return (math.log(value + 20), slope / (value + 20)) if logarithm else (value, slope)

    sign = -math.copysign(1.0, smooth(0.0)[1]) or 1.0

    def function(t):
        value, slope = smooth(sign * t)
        return value, sign * slope

    value, slope = function(0.0)
    if slope > -1e-3:
        return
    found = search(function, step, c1=1e-4, c2=c2, max_evaluations=100)
    assert found.success
    assert found.value <= value + 1e-4 * found.step * slope
    assert abs(found.slope) <= c2 * abs(slope)
    assert found[1:3] == function(found.step)
    assert found.payload == ("at", found.step)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.floats(-2, 2) | st.sampled_from([math.nan, math.inf, -math.inf]),
            st.floats(-3, 3) | st.just(math.nan),
        ),
        min_size=20,
        max_size=20,
    ),
    st.floats(1e-3, 1e3),
)
def test_whatever_the_function_answers_it_is_never_worse(answers, step):
    given = iter(answers)
    seen = {0.0: (0.0, -1.0)}

    def phi(t):
        seen[t] = next(given)
        return (*seen[t], t)

    found = strong_wolfe(phi, step, 0.0, -1.0)
    assert found.evaluations <= 20
    assert (found.value, found.slope) == seen[found.step]
    assert found.payload == (found.step or None)
    finite = [v for v, s in seen.values() if math.isfinite(v) and math.isfinite(s)]
    assert found.value <= 0
    if not found.success:
        assert found.value == min(finite)


def test_a_parabola_needs_two_evaluations():
    found = search(lambda t: ((t - 3) ** 2, 2 * (t - 3)), c2=0.01)
    assert (found.step, found.evaluations, found.reason) == (3.0, 2, "wolfe")


@pytest.mark.parametrize("outside", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("step", [0.5, 1.0, 1e3, 1e6])
def test_a_place_that_is_not_finite_is_too_far(outside, step):
    def barrier(t):
        if t >= 1:
            return outside, outside
        return -math.log(1 - t) - 5 * t, 1 / (1 - t) - 5

    found = search(barrier, step, c2=0.1)
    assert found.success
    assert found.step == pytest.approx(0.8, abs=0.06)


def test_a_step_that_does_not_pay_is_not_taken():
    found = search(lambda t: (0.0, -1.0) if t == 0 else (t, 1.0))
    assert (found.step, found.value, found.slope, found.payload) == (0.0, 0.0, -1.0, None)
    assert not found.success


def test_nowhere_finite_leaves_it_at_the_start():
    found = search(lambda t: (0.0, -1.0) if t == 0 else (math.nan, math.nan))
    assert (found.step, found.payload, found.success) == (0.0, None, False)


def test_an_endless_descent_ends_at_the_farthest_point():
    found = search(lambda t: (-t, -1.0), max_evaluations=7)
    assert (found.reason, found.evaluations) == ("stuck", 7)
    assert found.step == found.payload[1] > 1000


def test_what_rounding_hides_ends_it_early():
    def flat(t):
        return 1e9 + float(round(1e-9 * (t - 1) ** 2)), 2e-9 * (t - 1)

    assert search(lambda t: (1e9 + (t > 0) * 1e-6, 2e-9 * (t - 1))).reason == "loss"
    assert search(flat, c2=0.1).value == flat(0.0)[0]


def test_a_length_that_makes_no_difference_ends_it():
    def kink(t):  # no place is flat
        return (-t, -1.0) if t < 0.3 else (t - 0.6, 1.0)

    found = search(kink, c2=0.1, narrowest=0.01, max_evaluations=50)
    assert found.reason == "step"
    assert found.step == pytest.approx(0.3, abs=0.01)


@pytest.mark.parametrize(
    ("arguments", "options", "said"),
    [
        ((1.0, math.nan, -1.0), {}, "value nan"),
        ((1.0, 0.0, 0.0), {}, "slope below 0 at the start, got value 0 and slope 0"),
        ((1.0, 0.0, -math.inf), {}, "slope -inf"),
        ((0.0, 0.0, -1.0), {}, "must be above 0, got 0"),
        ((math.inf, 0.0, -1.0), {}, "must be above 0, got inf"),
        ((1.0, 0.0, -1.0), {"c1": 0.5, "c2": 0.4}, "0 < c1 < c2 < 1, got c1=0.5 and c2=0.4"),
    ],
)
def test_a_start_that_cannot_be_searched_from_is_refused(arguments, options, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        strong_wolfe(lambda t: (t, 1.0, None), *arguments, **options)


def rounded(t):
    """φ(t) = 1 − 10⁻⁸ (t − t²/2), flat at t = 1, with values in single precision."""
    return float(np.float32(1 - 1e-8 * (t - t * t / 2))), -1e-8 * (1 - t), None


def test_where_rounding_hides_the_decrease_a_flat_place_that_is_no_higher_will_do():
    """The first condition asks for a decrease of 10⁻¹²; values come in steps of 6·10⁻⁸."""
    assert rounded(1.0)[0] == rounded(0.0)[0] == 1.0
    found = strong_wolfe(rounded, 1.0, 1.0, -1e-8, resolution=2.0**-23)
    assert (found.reason, found.step, found.evaluations) == ("wolfe", 1.0, 1)
    # Values that are believed to the last digit of a double do not show that decrease.
    assert not strong_wolfe(rounded, 1.0, 1.0, -1e-8, resolution=2.0**-52).success


def test_where_rounding_hides_the_decrease_a_higher_place_will_not_do():
    def raised(t):
        return 1.0 + 1e-7, -1e-8 * (1 - t), None

    found = strong_wolfe(raised, 1.0, 1.0, -1e-8, resolution=2.0**-23)
    assert (found.success, found.step) == (False, 0)
