"""Bayesian regularisation against scikit-learn's evidence for linear models, and on noise."""

import numpy as np
import pytest
import torch
from benchmarks.optimizers import sine
from sklearn.linear_model import BayesianRidge
from torch import nn

from neuropil.optim import LevenbergMarquardt


def linear(rows: int, columns: int, seed: int):
    generator = torch.Generator().manual_seed(seed)
    X = torch.randn(rows, columns, generator=generator, dtype=torch.float64)
    truth = torch.randn(columns, generator=generator, dtype=torch.float64)
    truth[::2] = 0
    noise = torch.randn(rows, generator=generator, dtype=torch.float64)
    return X, X @ truth + 0.3 * noise


@pytest.mark.parametrize(("rows", "columns"), [(60, 6), (400, 3), (40, 20), (15, 12)])
def test_a_linear_model_has_the_evidence_of_bayesian_ridge(rows, columns):
    X, y = linear(rows, columns, seed=rows)
    w = nn.Parameter(torch.zeros(columns, dtype=torch.float64))
    optimizer = LevenbergMarquardt([w], bayesian=True)
    outcome = optimizer.minimize(lambda: X @ w - y, 500)
    flat = dict.fromkeys(("alpha_1", "alpha_2", "lambda_1", "lambda_2"), 0.0)
    ridge = BayesianRidge(fit_intercept=False, tol=1e-13, max_iter=10_000, **flat)
    ridge.fit(X.numpy(), y.numpy())
    found = optimizer.evidence
    assert outcome.converged
    assert found is not None
    assert found.beta == pytest.approx(ridge.alpha_, rel=1e-5)
    assert found.alpha == pytest.approx(ridge.lambda_, rel=1e-5)
    np.testing.assert_allclose(w.detach().numpy(), ridge.coef_, rtol=1e-5, atol=1e-8)
    assert 0 < found.effective < columns


def test_noise_is_not_fitted():
    generator = torch.Generator().manual_seed(0)
    noise = 0.2 * torch.randn(41, generator=generator, dtype=torch.float64)
    errors = {}
    for bayesian in (False, True):
        network = sine.start(1)
        optimizer = LevenbergMarquardt(network.parameters(), bayesian=bayesian)
        optimizer.minimize(lambda network=network: sine.residuals(network) + noise, 150)
        errors[bayesian] = sine.sse(network).item()
        if bayesian:
            assert optimizer.evidence is not None
            assert optimizer.evidence.effective < 12  # of 16
            assert 0.12 < optimizer.evidence.beta**-0.5 < 0.3  # the noise has 0.2
        else:
            assert optimizer.evidence is None
    assert errors[True] < errors[False]


def test_a_perfect_fit_stays_finite():
    w = nn.Parameter(torch.zeros(3, dtype=torch.float64))
    X = torch.eye(3, dtype=torch.float64)
    optimizer = LevenbergMarquardt([w], bayesian=True)
    optimizer.minimize(lambda: X @ w - X[0], 50)
    assert optimizer.evidence is not None
    assert all(map(np.isfinite, optimizer.evidence))
    assert torch.isfinite(w).all()
