"""Weights of examples, as users of scikit-learn give them."""

import numpy as np
import pytest
import sklearn
from sklearn.datasets import load_diabetes, load_iris, make_classification
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_checks

from neuropil import NetworkClassifier, NetworkRegressor
from neuropil.training.estimators.base import check_weights

X, Y = make_classification(
    90, 4, n_informative=3, n_redundant=0, n_classes=3, n_clusters_per_class=1, flip_y=0.3,
    random_state=0,
)  # fmt: skip
COUNTS = np.random.default_rng(0).integers(0, 4, len(Y))


@pytest.mark.parametrize("kind", ["dense", "sparse"])
@pytest.mark.parametrize("optimizer", ["quasi_newton", "levenberg_marquardt"])
@pytest.mark.parametrize("estimator", [NetworkClassifier, NetworkRegressor])
def test_a_weight_is_a_number_of_copies_to_the_last_digits(estimator, optimizer, kind):
    """With all examples in every step, scikit-learn's own check passes."""
    check = getattr(estimator_checks, f"check_sample_weight_equivalence_on_{kind}_data")
    check(estimator.__name__, estimator(optimizer=optimizer, epochs=4, random_state=0))


def test_balanced_classes_are_balanced_by_weight():
    model = NetworkClassifier(
        optimizer="quasi_newton", epochs=4, class_weight="balanced", random_state=0
    )
    copies = np.repeat(np.arange(len(Y)), COUNTS)
    repeated = model.fit(X[copies], Y[copies]).predict_proba(X)
    assert not np.allclose(model.fit(X, Y).predict_proba(X), repeated, atol=1e-2)
    weighted = model.fit(X, Y, sample_weight=COUNTS).predict_proba(X)
    assert np.allclose(weighted, repeated, atol=1e-7)


def test_a_line_is_the_weighted_least_squares_line():
    X, y = load_diabetes(return_X_y=True)
    weights = np.random.default_rng(0).exponential(size=len(y)) ** 2
    targets = np.c_[y, 1e6 * X[:, 0] - y]
    line = LinearRegression().fit(X, targets, weights)
    model = NetworkRegressor("Linear(2)", optimizer="quasi_newton", random_state=0)
    found = model.fit(X, targets, weights).predict(X)
    assert np.allclose(found, line.predict(X), rtol=1e-5, atol=1e-3)
    assert not np.allclose(found, LinearRegression().fit(X, targets).predict(X), atol=1)


def test_a_softmax_is_the_weighted_logistic_regression():
    by_class = {0: 1.0, 1: 3.0, 2: 0.5}
    weights = COUNTS + 0.5
    peer = LogisticRegression(C=np.inf, class_weight=by_class, tol=1e-10, max_iter=1000)
    expected = peer.fit(X, Y, weights).predict_proba(X)
    model = NetworkClassifier(
        "Softmax(3)", optimizer="quasi_newton", class_weight=by_class, random_state=0
    )
    assert np.allclose(model.fit(X, Y, weights).predict_proba(X), expected, atol=1e-4)


def test_stochastic_training_follows_the_weights():
    half = X[:, 0] > 0
    heavy = np.where(half, 1.0, 1e-6)
    names = np.where(half, Y, (Y + 1) % 3)
    model = NetworkClassifier(lr=0.02, epochs=20, random_state=0)
    model.partial_fit(X, names, [0, 1, 2], sample_weight=heavy)
    assert model.fit(X, names, heavy).score(X, Y) > model.fit(X, names).score(X, Y) + 0.1


def test_early_stopping_weighs_what_it_holds_out():
    model = NetworkClassifier(
        optimizer="quasi_newton", epochs=3, validation_fraction=0.3, random_state=0
    )
    model.fit(X, Y, COUNTS + 1.0)
    weighted = model.history_["validation_loss"]
    model.fit(X, Y, 7 * (COUNTS + 1.0))
    assert model.history_["validation_loss"] == pytest.approx(weighted, rel=1e-6)


def test_weights_are_routed_through_pipelines_and_searches():
    with sklearn.config_context(enable_metadata_routing=True):
        model = NetworkClassifier(epochs=2, random_state=0).set_fit_request(sample_weight=True)
        model.set_score_request(sample_weight=True)
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        search = GridSearchCV(
            make_pipeline(scaler, model), {"networkclassifier__lr": [0.001, 0.1]}, cv=2
        )
        X, y = load_iris(return_X_y=True)
        search.fit(X, y, sample_weight=np.where(y == 2, 0.0, 1.0))
    # Without the third class, which weighs nothing, the search tells two classes apart.
    assert search.best_estimator_[-1].classes_.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("weights", "reason"),
    [
        ([1.0, 2.0], r"one number per example, shape \(3,\), got an array of shape \(2,\)"),
        ([1.0, -2.0, 1.0], "must not be negative"),
        ([0.0, 0.0, 0.0], "not zero for all"),
        ([1.0, np.nan, 1.0], "sample_weight contains NaN"),
    ],
)
def test_weights_that_do_not_fit_are_refused(weights, reason):
    with pytest.raises(ValueError, match=reason):
        check_weights(weights, 3)
