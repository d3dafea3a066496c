"""Sums of mean squares against Welch's t-test and simulation."""

import numpy as np
import pytest
from scipy import stats

from neuropil.study.estimates.satterthwaite import MeanSquare, add


def test_two_means_have_welchs_degrees_of_freedom():
    first, second = np.random.default_rng(0).normal(size=12), np.array([1.0, 5.0, -4.0])
    found = add(
        *(MeanSquare(np.var(one, ddof=1) / len(one), len(one) - 1) for one in (first, second))
    )
    expected = stats.ttest_ind(first, second, equal_var=False)
    assert found.degrees == pytest.approx(expected.df)


def test_nested_sums_are_flat_sums():
    parts = MeanSquare(3.0, 2.0), MeanSquare(5.0, 7.0), MeanSquare(-1.0, 14.0)
    assert add(parts[0], add(*parts[1:])) == pytest.approx(add(*parts))


def test_values_of_any_size():
    for scale in (1e-200, 1e200):
        assert add(MeanSquare(scale, 3.0), MeanSquare(scale, 3.0)).degrees == pytest.approx(6)
    assert add(MeanSquare(0.0, 3.0), MeanSquare(0.0, 0.0), most=5.0) == (0.0, 5.0)
    assert add(MeanSquare(1.0, 3.0), MeanSquare(1.0, 3.0), most=5.0) == (2.0, 5.0)
