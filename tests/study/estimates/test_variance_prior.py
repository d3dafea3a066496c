"""The prior of variances against Smyth's formulas, SciPy and simulation."""

import math

import numpy as np
import pytest
from scipy import stats
from scipy.special import polygamma

from neuropil.study.estimates.satterthwaite import MeanSquare
from neuropil.study.estimates.variance_prior import (
    Prior,
    fit_prior,
    inverse_trigamma,
    prior_degrees,
)


@pytest.mark.parametrize("x", [1e-5, 0.01, 0.5, 1.0, 2.5, 40.0, 1e4, 1e8])
def test_inverse_trigamma(x):
    assert inverse_trigamma(float(polygamma(1, x))) == pytest.approx(x, rel=1e-6)


def test_inverse_trigamma_of_known_values():
    assert inverse_trigamma(math.pi**2 / 6) == pytest.approx(1)
    assert inverse_trigamma(math.pi**2 / 2) == pytest.approx(0.5)


@pytest.mark.parametrize(("prior", "degrees"), [(4.0, 2.0), (8.0, 4.0), (3.0, 1.5)])
def test_the_degrees_of_a_known_prior_are_recovered(prior, degrees):
    generator = np.random.default_rng(0)
    true = prior * 2.0 / generator.chisquare(prior, 40_000)
    found = true * generator.chisquare(degrees, 40_000) / degrees
    assert prior_degrees(found, np.full(40_000, degrees)) == pytest.approx(prior, rel=0.1)


def test_its_degrees_worked_by_hand():
    """With 2 degrees of freedom ψ′ is π²/6; the logarithms, ±3, have a variance of 12."""
    values = np.exp([3.0, -3.0, 3.0, -3.0])
    expected = 2 * inverse_trigamma(12 - math.pi**2 / 6)
    assert prior_degrees(values, np.full(4, 2.0)) == pytest.approx(expected)


def test_variances_that_differ_by_chance_have_infinite_degrees():
    assert prior_degrees(np.array([1.0, 1.1, 0.9]), np.full(3, 2.0)) == math.inf
    assert prior_degrees(np.zeros(3), np.full(3, 2.0)) == math.inf
    assert prior_degrees(np.ones(1), np.full(1, 2.0)) == math.inf


def test_the_fitted_degrees_are_limited():
    alike = [MeanSquare(1.0, 2.0)] * 10
    assert fit_prior(alike) == Prior(1.0, 12.0)
    assert fit_prior([*alike[:3], MeanSquare(0.0, 0.0)]) == Prior(1.0, 6.0)
    assert fit_prior([MeanSquare(1.0, 4.0), MeanSquare(4.0, 2.0)]).variance == 2.0


def test_runs_that_agree_by_chance_do_not_end_the_sharing():
    values = [1.0, 1.2, 0.8, 1.1, 0.9, 0.0]
    assert fit_prior([MeanSquare(value, 2.0) for value in values]).degrees > 2


def test_the_f_test_is_scipys():
    prior = Prior(2.0, 7.0)
    p = stats.f.sf(6.5 / 2, 3, 7)
    assert prior.is_smaller(MeanSquare(6.5, 3.0), p * 1.001)
    assert not prior.is_smaller(MeanSquare(6.5, 3.0), p * 0.999)
    assert not prior.is_smaller(MeanSquare(1.9, 3.0), 1.0)
    assert not prior.is_smaller(MeanSquare(9.0, 0.0), 1.0)
    assert Prior(0.0, 7.0).is_smaller(MeanSquare(1e-9, 3.0), 1e-9)
