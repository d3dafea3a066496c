"""Levels of sequential tests against published boundaries and simulation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from neuropil.study.estimates.spending import levels, spent


def test_five_looks_have_the_published_boundaries():
    """Lan and DeMets's Pocock-like function at two-sided 5 %, as other programs print it."""
    bounds = norm.isf(levels(0.025, (1, 2, 3, 4, 5)))
    assert bounds == pytest.approx([2.438, 2.427, 2.410, 2.397, 2.386], abs=5e-4)


def test_two_looks_by_the_normal_distribution_of_two_variables():
    """The probability to pass only the second bound, from SciPy's bivariate integral."""
    from scipy.stats import multivariate_normal

    first, second = levels(0.02, (2, 5))
    assert first == pytest.approx(spent(0.02, 0.4))
    correlated = multivariate_normal([0, 0], [[1, 0.4**0.5], [0.4**0.5, 1]])
    below_both = correlated.cdf(norm.isf([first, second]))
    assert 1 - below_both == pytest.approx(0.02, rel=1e-3)


def test_all_looks_together_have_the_level():
    looks = (3, 4, 6, 10)
    steps = np.random.default_rng(0).normal(size=(200_000, 10))
    sums = steps.cumsum(1)[:, np.array(looks) - 1] / np.sqrt(looks)
    passed = (sums > norm.isf(levels(0.05, looks))).any(1)
    assert passed.mean() == pytest.approx(0.05, abs=0.002)


@given(st.floats(1e-6, 0.4), st.sets(st.integers(2, 30), min_size=1, max_size=8))
def test_levels_lie_between_bonferronis_and_the_whole(alpha, numbers):
    looks = tuple(sorted(numbers))
    found = levels(alpha, looks)
    assert max(found) <= alpha * (1 + 1e-9)
    assert sum(found) >= alpha * (1 - 1e-9)


@given(st.floats(1e-5, 0.2), st.floats(1.01, 2))
def test_levels_grow_with_the_whole(alpha, factor):
    """Closed tests need this: what is rejected at one level is rejected at any larger one."""
    looks = (3, 4, 5, 8)
    small, large = levels(alpha, looks), levels(factor * alpha, looks)
    assert all(a < b for a, b in zip(small, large, strict=True))


def test_one_look_has_the_whole_level():
    assert levels(0.03, (5,)) == pytest.approx((0.03,))
