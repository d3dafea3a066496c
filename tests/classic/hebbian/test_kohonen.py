"""The competitive layer: a step by hand, plain NumPy, and k-means."""

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs
from sklearn.metrics.pairwise import euclidean_distances
from tests.agreement import answers_by_distance

from neuropil.classic import Kohonen


def test_only_the_winner_moves():
    model = Kohonen(2, lr=0.5, n_epochs=4, random_state=0)
    model.partial_fit([[0.0, 0.0], [8.0, 0.0]])
    near, far = np.argsort(model.weights_[:, 0])
    np.testing.assert_allclose(model.weights_[[near, far]], [[0, 0], [8, 0]])
    model.partial_fit([[2.0, 4.0]])  # the second epoch's rate: 0.5 · 3/4
    np.testing.assert_allclose(model.weights_[[near, far]], [[0.75, 1.5], [8, 0]])
    for rate in (0.25, 0.125, 0.125):  # the last one stays
        before = model.weights_.copy()
        model.partial_fit([[9.0, 1.0]])
        expected = before[far] + rate * (np.array([9.0, 1.0]) - before[far])
        np.testing.assert_allclose(model.weights_[far], expected)
        np.testing.assert_array_equal(model.weights_[near], before[near])


def test_a_fit_is_the_rule_row_after_row():
    X = make_blobs(80, 3, centers=4, random_state=1)[0]
    model = Kohonen(5, lr=0.3, n_epochs=3, random_state=7).fit(X)
    rng = np.random.RandomState(7)
    weights = np.unique(X, axis=0)[rng.choice(80, 5, replace=False)]
    for epoch in range(3):
        for i in rng.permutation(80):
            winner = np.linalg.norm(X[i] - weights, axis=1).argmin()
            weights[winner] += 0.3 * (1 - epoch / 3) * (X[i] - weights[winner])
    np.testing.assert_allclose(model.weights_, weights)


def test_it_is_about_as_close_as_k_means():
    X = make_blobs(1000, 4, centers=8, random_state=0)[0]
    model = Kohonen(40, random_state=0).fit(X)
    peer = KMeans(40, n_init=1, random_state=0).fit(X).transform(X).min(axis=1).mean()
    assert model.quantization_error(X) < 1.1 * peer
    assert len(np.unique(model.predict(X))) == 40  # none is idle


def test_it_answers_with_winners_and_distances():
    X = make_blobs(300, 4, centers=8, random_state=0)[0]
    model = Kohonen(6, n_epochs=3, random_state=0).fit(X)
    answers_by_distance(model, X, euclidean_distances(X, model.weights_))


def test_more_units_than_different_rows_is_no_obstacle():
    model = Kohonen(6, random_state=0).fit([[1.0], [1.0], [3.0]])
    assert set(model.weights_.ravel()) == {1.0, 3.0}
    assert model.quantization_error([[1.0], [3.0]]) == 0


def test_values_without_squares_are_refused():
    with pytest.raises(ValueError, match="squares are finite"):
        Kohonen(2).fit([[1e200], [0.0]])
    model = Kohonen(2, random_state=0).fit([[1.0], [0.0]])
    with pytest.raises(ValueError, match="squares are finite"):
        model.predict([[1e200]])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_units": 0}, "`n_units` must be a whole number from 1 .*, got 0"),
        ({"n_epochs": 1.5}, "`n_epochs` must be a whole number"),
        ({"lr": 0}, r"`lr` must be a number in \(0, 1\], got 0"),
        ({"lr": 3.0}, r"`lr` must be a number in \(0, 1\]"),
    ],
)
def test_wrong_options_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        Kohonen(**options).fit([[1.0], [2.0]])
