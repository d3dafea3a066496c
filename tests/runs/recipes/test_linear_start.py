"""The linear model of a table, against scikit-learn's."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression, Ridge, RidgeCV
from sklearn.preprocessing import StandardScaler

from neuropil.architectures import dense
from neuropil.datasets import Classes, Numbers
from neuropil.layers import Linear
from neuropil.runs.recipes.linear_start import fit_linear
from neuropil.runs.tasks import task_for

NUMBERS = task_for(Numbers((0.0,), (1.0,)))


def rows(count=120, columns=4):
    """Return inputs of different scales, and a noisy line."""
    random = np.random.default_rng(0)
    x = random.normal(3, [1, 10, 0.1, 5], (count, columns)).astype(np.float32)
    z = StandardScaler().fit_transform(x)
    return x, z, z @ [1, -2, 0, 0.5] + random.normal(size=count)


@pytest.mark.parametrize("penalty", [0.1, 30.0])
def test_numbers_are_fitted_by_ridge_regression(penalty):
    x, z, y = rows()
    # The squared error of a row has no factor ½, so the penalty counts half.
    theirs = Ridge(alpha=penalty / 2).fit(z, y)
    ours = fit_linear(torch.tensor(x), torch.tensor(y)[:, None], NUMBERS, penalty=penalty)
    np.testing.assert_allclose(ours.weight.detach()[:, 0], theirs.coef_, atol=2e-3)
    np.testing.assert_allclose(ours.bias.item(), theirs.intercept_, atol=2e-3)


@pytest.mark.parametrize("weight", [None, [1.0, 3.0, 1.0]])
def test_classes_are_fitted_by_logistic_regression(weight):
    x, z, y = rows()
    classes = np.digitize(y, [-1, 1])
    task = task_for(Classes(["low", "middle", "high"]))
    weights = None if weight is None else dict(enumerate(weight))
    theirs = LogisticRegression(C=0.5, class_weight=weights, tol=1e-8).fit(z, classes)
    ours = fit_linear(
        torch.tensor(x), torch.tensor(classes), task, penalty=2.0, class_weight=weight
    )
    with torch.no_grad():
        scores = torch.tensor(z, dtype=torch.float64) @ ours.weight + ours.bias
    np.testing.assert_allclose(scores.softmax(1), theirs.predict_proba(z), atol=5e-3)


def test_the_penalty_is_that_of_cross_validation():
    random = np.random.default_rng(1)
    x = random.normal(size=(60, 40))
    y = x[:, 0] + random.normal(size=60)
    ours = fit_linear(torch.tensor(x), torch.tensor(y)[:, None], NUMBERS)
    theirs = RidgeCV(np.logspace(-2, 3, 30)).fit(StandardScaler().fit_transform(x), y)
    assert theirs.alpha_ / 4 < ours.penalty / 2 < theirs.alpha_ * 4


@pytest.mark.parametrize("hidden", [(), (8,), (8, 8)])
def test_a_network_starts_as_the_linear_model(hidden):
    x, z, y = rows()
    network = dense((4,), Linear(1), hidden=hidden, linear_path=True)
    fit_linear(torch.tensor(x), torch.tensor(y)[:, None], NUMBERS, penalty=2.0).start(network)
    theirs = Ridge(alpha=1.0).fit(z, y)
    np.testing.assert_allclose(network.predict(x)[:, 0], theirs.predict(z), atol=5e-3)
