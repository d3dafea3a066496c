"""Probabilistic networks, against scikit-learn's kernel densities and SciPy's gradients."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime
from scipy.special import log_softmax
from sklearn.datasets import load_digits
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.neighbors import KernelDensity

from neuropil.classic import PNN
from neuropil.classic.rbf.leave_one_out import Search, cross_entropy


def blobs(n: int = 120, d: int = 3, seed: int = 0):
    """Return rows around three places, and which."""
    rng = np.random.default_rng(seed)
    y = rng.choice(3, size=n, p=[0.5, 0.3, 0.2])
    return rng.normal(size=(n, d)) + 1.5 * np.eye(3, d)[y], np.array(["a", "b", "c"])[y]


@pytest.mark.parametrize("priors", [None, [0.2, 0.2, 0.6]])
@pytest.mark.parametrize("widths", [[0.4, 0.4, 0.4], [0.3, 0.5, 0.8]])
def test_probabilities_are_those_of_kernel_densities(widths, priors):
    X, y = blobs(700)
    Q, _ = blobs(200, seed=1)
    shares = np.unique(y, return_counts=True)[1] / len(y) if priors is None else priors
    densities = [
        KernelDensity(bandwidth=width).fit(X[y == name]).score_samples(Q) + np.log(share)
        for name, width, share in zip("abc", widths, shares, strict=True)
    ]
    expected = log_softmax(np.stack(densities, axis=1), axis=1)
    sigma = widths[0] if len(set(widths)) == 1 else dict(zip("abc", widths, strict=True))
    network = PNN(sigma, priors=priors).fit(X, y)
    np.testing.assert_allclose(network.predict_log_proba(Q), expected, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(network.predict_proba(Q).sum(axis=1), 1)
    assert (network.predict(Q) == np.array(list("abc"))[expected.argmax(axis=1)]).all()


def test_a_width_for_each_feature_is_a_scale_of_it():
    X, y = blobs()
    scale = np.array([1.0, 10.0, 0.1])
    one = PNN(0.5).fit(X, y).predict_log_proba(X[:9])
    np.testing.assert_allclose(
        PNN(0.5 * scale).fit(X * scale, y).predict_log_proba(X[:9] * scale), one
    )


@pytest.mark.parametrize("sigma", [0.01, {"a": 0.01, "b": 0.02, "c": 0.03}])
def test_a_thousand_widths_away_all_is_finite(sigma):
    X, y = blobs()
    network = PNN(sigma).fit(X, y)
    far = np.vstack([X[:3] + 10, X[:3] - 1000, [[1e6, 0, 0]]])
    assert np.isfinite(network.predict_log_proba(far)).all()
    np.testing.assert_allclose(network.predict_proba(far).sum(axis=1), 1)
    if not isinstance(sigma, dict):
        nearest = [y[((X - q) ** 2).sum(1).argmin()] for q in far]
        assert network.predict(far).tolist() == nearest


@pytest.mark.parametrize("per", ["shared", "feature", "class"])
def test_the_gradient_is_that_of_the_leave_one_out_likelihood(per):
    X, y = blobs(40)
    codes = np.searchsorted(["a", "b", "c"], y)
    rows = np.arange(0, 40, 3)
    shares = np.bincount(codes) / 40
    rule = cross_entropy(codes, np.log(shares), 3, by_class=per == "class")
    search = Search(X, rule, rows, per, codes)
    at = np.array([-0.2, 0.1, 0.3])[: 1 if per == "shared" else 3]
    loss, slopes = search(at)
    np.testing.assert_allclose(
        slopes, approx_fprime(at, lambda s: search(s)[0], 1e-6), atol=1e-5
    )
    widths = np.exp(at)
    sigma = (
        dict(zip("abc", widths, strict=True))
        if per == "class"
        else widths[() if len(at) > 1 else 0]
    )
    left = [
        PNN(sigma, priors=shares)
        .fit(np.delete(X, row, 0), np.delete(y, row))
        .predict_log_proba(X[[row]])[0, codes[row]]
        for row in rows
    ]
    assert loss == pytest.approx(-np.mean(left))


def test_digits():
    X, y = load_digits(return_X_y=True)
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    # Widths as the search finds them on all rows, so that five searches are saved.
    sigma = float(PNN("shared").fit(X[::3], y[::3]).sigma_)
    assert cross_val_score(PNN(sigma), X, y, cv=folds).mean() >= 0.985


def test_widths_by_class_follow_the_spread_of_classes():
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(size=(80, 2)), 4 + 10 * rng.normal(size=(80, 2))])
    network = PNN("class").fit(X, np.repeat([0, 1], 80))
    assert network.sigma_.shape == (2,)
    assert network.sigma_[1] > 1.5 * network.sigma_[0]


def test_a_class_of_one_row_is_known():
    X, y = blobs()
    X, y = np.vstack([X, [[9.0, 9.0, 9.0]]]), np.append(y, "z")
    for sigma in ("shared", "feature", "class"):
        network = PNN(sigma).fit(X, y)
        assert np.isfinite(network.sigma_).all()
        assert network.predict([[9.0, 9.0, 9.0]]) == ["z"]
    alone = PNN().fit(np.eye(3), [1, 2, 3])
    assert alone.predict(np.eye(3)).tolist() == [1, 2, 3]


def test_what_cannot_be_is_refused():
    X, y = blobs(30)
    for options, match in [
        (
            {"sigma": 0},
            "`sigma` must be 'shared', 'feature', a positive number, or one of them per",
        ),
        (
            {"sigma": {"a": 1.0}},
            r"`sigma` must be a positive number for each of \['a', 'b', 'c'\]",
        ),
        ({"sigma": "row"}, "`sigma` must be one of 'shared', 'feature', 'class', got 'row'"),
        (
            {"priors": [0.5, 0.5]},
            "`priors` must be 3 positive numbers, one per class",
        ),
        ({"priors": [0.5, 0.4, 0.4]}, "that add up to 1"),
    ]:
        with pytest.raises(ValueError, match=match):
            PNN(**options).fit(X, y)
