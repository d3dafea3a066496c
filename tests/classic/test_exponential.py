"""The compiled exponential, against NumPy's in a wider type."""

import numpy as np
import pytest
from numba import njit

from neuropil.classic.boltzmann.softplus import softplus_sums
from neuropil.classic.exponential import exponential


@njit(fastmath={"reassoc", "contract", "arcp", "nsz"})
def exponentials(X, Y):
    for i in range(len(X)):
        Y[i] = exponential(X[i])


def compiled(X: np.ndarray) -> np.ndarray:
    """Return what a compiled loop gives."""
    Y = np.empty_like(X)
    exponentials(X, Y)
    return Y


@pytest.mark.parametrize(("dtype", "most"), [(np.float64, 700), (np.float32, 87)])
def test_exact_to_two_units_in_the_last_place(dtype, most):
    X = np.concatenate([np.linspace(-most, most, 100_001), np.linspace(-1, 1, 9999)]).astype(
        dtype
    )
    ratio = compiled(X).astype(np.longdouble) / np.exp(X.astype(np.longdouble))
    assert np.abs(ratio - 1).max() <= 2 * np.finfo(dtype).eps
    assert compiled(X).dtype == dtype


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_it_never_overflows_and_keeps_nan(dtype):
    low, zero, high, missing = compiled(np.array([-np.inf, 0, np.inf, np.nan], dtype))
    assert 0 < low < 1e-37
    assert zero == 1
    assert 1e38 < high < np.inf
    assert np.isnan(missing)
    assert exponential(1.0) == np.exp(1.0)


@pytest.mark.parametrize(("dtype", "rtol"), [(np.float64, 1e-13), (np.float32, 1e-5)])
def test_sums_of_softplus(dtype, rtol):
    X = np.random.default_rng(0).normal(scale=30, size=(5, 150)).astype(dtype)
    expected = np.logaddexp(0, 0.5 * X.astype(float)).sum(axis=1)
    np.testing.assert_allclose(softplus_sums(X, 0.5), expected, rtol=rtol)
