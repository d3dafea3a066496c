"""Kendall's correlation against SciPy, and intervals that know how few the pairs are."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau

from neuropil.report.study.published_agreement import published_agreement

PAIRS = st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=4, max_size=8)


@settings(max_examples=15, deadline=None)
@given(PAIRS)
def test_the_correlation_is_that_of_scipy_and_lies_in_its_interval(pairs):
    measured, published = zip(*pairs, strict=True)
    found = published_agreement(measured, published)
    if found is None:
        assert min(len({*measured}), len({*published})) == 1
        return
    assert found.tau == pytest.approx(kendalltau(measured, published).statistic)
    assert -1 <= found.low < found.high <= 1
    assert found.low - 0.01 <= found.tau <= found.high + 0.01
    assert found.pairs == len(pairs)


def test_only_the_order_counts():
    measured, published = [0.1, 0.4, 0.2, 0.9, 0.5], [3, 1, 2, 5, 4]
    found = published_agreement(measured, published)
    stretched = published_agreement([np.exp(5 * x) for x in measured], published)
    assert stretched == found
    order = [3, 1, 4, 0, 2]
    shuffled = published_agreement([measured[k] for k in order], [published[k] for k in order])
    assert shuffled is not None
    assert found is not None
    assert shuffled.tau == found.tau
    assert (shuffled.low, shuffled.high) == pytest.approx((found.low, found.high), abs=0.03)


def test_perfect_agreement_of_four_pairs_may_be_chance_and_of_five_is_not():
    """Under independence it has the probability 1/4! = 0.042, and 1/5! = 0.008."""
    four, five = (published_agreement(range(n), range(n)) for n in (4, 5))
    assert four is not None
    assert five is not None
    assert [four.tau, five.tau] == pytest.approx([1, 1])
    assert four.low < 0 < five.low
    assert four.high == five.high == 1


def test_the_interval_covers_the_truth_as_often_as_it_says():
    random = np.random.default_rng(0)
    rho, covered = 0.6, 0
    for _ in range(150):
        first, other = random.normal(size=(2, 8))
        found = published_agreement([*first], [*(rho * first + np.sqrt(1 - rho**2) * other)])
        assert found is not None
        covered += found.low <= 2 / np.pi * np.arcsin(rho) <= found.high
    # 95 % of 150 are 142.5, with a standard deviation of 2.7.
    assert covered >= 134


def test_a_higher_level_gives_a_wider_interval():
    measured, published = [1, 2, 3, 4, 5, 6], [2, 1, 3, 4, 6, 5]
    narrow, wide = (published_agreement(measured, published, level) for level in (0.8, 0.99))
    assert narrow is not None
    assert wide is not None
    assert wide.low < narrow.low < narrow.high < wide.high


def test_too_few_pairs_or_equal_gains_have_no_correlation():
    assert published_agreement([], []) is None
    assert published_agreement([1, 2, 3], [1, 2, 3]) is None
    assert published_agreement([1, 1, 1, 1], [1, 2, 3, 4]) is None
