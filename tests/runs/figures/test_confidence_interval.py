"""Intervals against SciPy, and against what theory says of them."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from neuropil.plots import bootstrap_interval, wilson_interval


@given(st.data())
def test_wilson_is_scipys(data):
    trials = data.draw(st.integers(1, 5000))
    successes = data.draw(st.integers(0, trials))
    confidence = data.draw(st.sampled_from([0.5, 0.9, 0.95, 0.99]))
    expected = binomtest(successes, trials).proportion_ci(confidence, method="wilson")
    assert wilson_interval(successes, trials, confidence=confidence) == pytest.approx(
        (expected.low, expected.high), abs=1e-12
    )


def test_wilson_never_leaves_the_shares_and_never_shrinks_to_a_point():
    low, high = wilson_interval(0, 10)
    assert low == 0
    assert high > 0.2
    low, high = wilson_interval(10, 10)
    assert low < 0.8
    assert high == 1


@pytest.mark.parametrize(("successes", "trials"), [(1, 0), (3, 2), (-1, 2)])
def test_wilson_refuses_what_cannot_be(successes, trials):
    with pytest.raises(ValueError, match=f"got {successes}, {trials}"):
        wilson_interval(successes, trials)


def test_the_bootstrap_of_a_mean_is_the_normal_interval():
    values = np.random.default_rng(0).normal(5, 2, size=(400, 1))
    low, high = bootstrap_interval(lambda means: means[:, 0], values, resamples=4000)
    reach = 1.96 * values.std() / math.sqrt(len(values))
    assert low == pytest.approx(values.mean() - reach, abs=0.1 * reach)
    assert high == pytest.approx(values.mean() + reach, abs=0.1 * reach)


def test_the_bootstrap_is_repeatable_whatever_the_size_of_its_blocks():
    values = np.random.default_rng(1).random((20_003, 2))

    def ratio(means):
        return means[:, 0] / means[:, 1]

    first = bootstrap_interval(ratio, values, resamples=300, seed=3)
    assert first == bootstrap_interval(ratio, values, resamples=300, seed=3)
    assert first != bootstrap_interval(ratio, values, resamples=300, seed=4)
    assert first[0] < values[:, 0].mean() / values[:, 1].mean() < first[1]


def test_many_examples_are_grouped_without_bias():
    values = np.random.default_rng(2).exponential(3, size=(50_001, 1))
    low, high = bootstrap_interval(lambda means: means[:, 0], values, resamples=4000)
    reach = 1.96 * values.std() / math.sqrt(len(values))
    assert low == pytest.approx(values.mean() - reach, abs=0.1 * reach)
    assert high == pytest.approx(values.mean() + reach, abs=0.1 * reach)
