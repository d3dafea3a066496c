"""Losses of torch and of the user's own in the estimators, beside loops written by hand."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV
from torch import nn

from neuropil import NetworkClassifier, NetworkRegressor
from neuropil.layers import Softmax, Tanh

X, NUMBERS = load_iris(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])[NUMBERS]
WEIGHT = torch.tensor([0.2, 1.0, 3.0])
OPTIONS = {"optimizer": "gradient_descent", "lr": 0.1, "batch_size": 150, "random_state": 0}


def smoothed(outputs, targets):
    return F.nll_loss(outputs.log(), targets) + 0.1 * outputs.square().sum(1).mean()


def trained_by_hand(network, loss, targets, epochs):
    """Train a copy with the start of the estimator's network, and give its outputs."""
    x = torch.from_numpy(X).float()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    for _ in range(epochs):
        optimizer.zero_grad()
        loss(network, x, targets).backward()
        optimizer.step()
    return network.predict(x)


def start_of(model, targets):
    """Return the network of the estimator before training, with the scale of its inputs."""
    still = clone(model).set_params(lr=1e-30, epochs=1).fit(X, targets)
    return still.network_.float()


@pytest.mark.parametrize(
    ("loss", "by_hand"),
    [
        (
            nn.CrossEntropyLoss(weight=WEIGHT, label_smoothing=0.1),
            lambda n, x, y: F.cross_entropy(
                n.scores()(x), y, weight=WEIGHT, label_smoothing=0.1
            ),
        ),
        (nn.NLLLoss(), lambda n, x, y: F.nll_loss(n.scores()(x).log_softmax(1), y)),
        (F.multi_margin_loss, lambda n, x, y: F.multi_margin_loss(n.scores()(x), y)),
        (smoothed, lambda n, x, y: smoothed(n(x), y)),
    ],
)
def test_a_classifier_with_a_loss_equals_a_loop(loss, by_hand):
    model = NetworkClassifier(Tanh(4), loss=loss, epochs=20, **OPTIONS)
    expected = trained_by_hand(start_of(model, NAMES), by_hand, torch.from_numpy(NUMBERS), 20)
    model.fit(X, NAMES)
    np.testing.assert_allclose(model.predict_proba(X), expected, atol=1e-5)
    assert set(model.predict(X)) <= set(NAMES)


def test_a_regressor_with_a_loss_equals_a_loop():
    loss, y = nn.SmoothL1Loss(beta=0.5), X[:, 0] * X[:, 1]
    model = NetworkRegressor(Tanh(4), loss=loss, epochs=20, **OPTIONS)
    scaled = torch.from_numpy((y - y.mean()) / y.std()).float().unsqueeze(1)
    network = start_of(model, y)
    expected = trained_by_hand(network, lambda n, x, t: loss(n(x), t), scaled, 20)
    found = model.fit(X, y).predict(X)
    np.testing.assert_allclose(found, expected[:, 0] * y.std() + y.mean(), rtol=1e-5)


def test_a_grid_search_compares_losses():
    losses = [None, "hinge", nn.CrossEntropyLoss(label_smoothing=0.1)]
    model = NetworkClassifier(Softmax(3), epochs=5, lr=0.1, random_state=0)
    search = GridSearchCV(model, {"loss": losses}, cv=2).fit(X, NAMES)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
