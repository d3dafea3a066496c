"""Oja's rule and Sanger's: the published steps, PCA, and data that break other learners."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.linalg import subspace_angles
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from neuropil.classic import Oja

DIGITS = load_digits().data
both = pytest.mark.parametrize("rule", ["oja", "sanger"])


def angle(model, axes):
    """Return the largest principal angle between components and known axes."""
    return subspace_angles(model.components_.T, axes.T).max()


def assert_orthonormal(model, precision=1e-12):
    products = model.components_ @ model.components_.T
    np.testing.assert_allclose(products, np.eye(len(products)), atol=precision)


@both
def test_a_small_step_is_the_published_one(rule):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 6)) * [3, 2.5, 2, 1, 1, 1] + 7
    model = Oja(3, rule=rule, n_epochs=3, random_state=0).fit(X)
    W, M, seen = model.components_.T.copy(), model.covariance_.copy(), model.n_samples_seen_
    model.set_params(lr=1e-3).partial_fit(X[:1])
    x = X[0] - model.mean_
    y = W.T @ x
    share = 1e-3 / (1e-3 + seen)
    inhibited = np.outer(y, y) if rule == "oja" else np.triu(np.outer(y, y))
    published = (np.outer(x, y) - W @ inhibited) @ np.linalg.inv(M) * share / (1 - share)
    expected = W + published
    if rule == "sanger":
        Q, R = np.linalg.qr(expected)
        expected = Q * np.sign(np.diag(R))
    np.testing.assert_allclose(
        (model.components_.T - W) / share, (expected - W) / share, atol=1e-4
    )
    assert abs(published).max() / share > 0.1


@both
def test_it_finds_the_principal_subspace_of_digits(rule):
    model = Oja(4, rule=rule, random_state=0).fit(DIGITS)
    peer = PCA(4).fit(DIGITS)
    assert angle(model, peer.components_) < 0.01
    assert_orthonormal(model)
    np.testing.assert_allclose(model.mean_, DIGITS.mean(axis=0), atol=1e-12)
    assert model.score(DIGITS) == pytest.approx(peer.explained_variance_ratio_.sum(), abs=1e-5)
    variances = np.linalg.eigvalsh(model.covariance_)[::-1]
    np.testing.assert_allclose(variances, peer.explained_variance_, rtol=0.01)


def test_sangers_units_are_the_components_in_their_order():
    model = Oja(4, random_state=0).fit(DIGITS)
    peer = PCA(4).fit(DIGITS)
    cosines = np.abs((model.components_ * peer.components_).sum(axis=1))
    assert (cosines > 0.999).all()
    np.testing.assert_allclose(
        np.abs(model.transform(DIGITS)), np.abs(peer.transform(DIGITS)), atol=1.5
    )


@both
def test_five_passes_over_a_stream_end_near_the_svd(rule):
    rng = np.random.default_rng(1)
    variances = np.where(np.arange(60) < 5, 1.0, 0.1)
    X = (rng.normal(size=(20_000, 60)) * np.sqrt(variances)).astype(np.float32)
    model = Oja(5, rule=rule, random_state=0)
    for _ in range(5):
        for block in np.split(X, 40):
            model.partial_fit(block)
    axes = np.linalg.svd(X - X.mean(axis=0), full_matrices=False)[2][:5]
    assert model.components_.dtype == np.float32
    assert model.n_samples_seen_ == 100_000
    # The stream's axes are 0.02 from the spectrum's own: chance moves them so far.
    assert angle(model, axes) < 0.008


def test_blocks_come_together_or_in_calls_of_their_own():
    together = Oja(3, batch_size=100, random_state=0).partial_fit(DIGITS)
    apart = Oja(3, batch_size=100, random_state=0)
    for start in range(0, len(DIGITS), 100):
        apart.partial_fit(DIGITS[start : start + 100])
    np.testing.assert_allclose(together.components_, apart.components_, atol=1e-12)
    np.testing.assert_allclose(together.covariance_, apart.covariance_)


@both
def test_rows_may_come_one_by_one(rule):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(800, 5)) * [6, 4, 1, 1, 1]
    model = Oja(2, rule=rule, random_state=0)
    for row in X:
        model.partial_fit(row[None])
    assert angle(model, np.eye(5)[:2]) < 0.1


@both
@pytest.mark.parametrize(("scale", "shift"), [(2.0**-40, 0), (2.0**40, 0), (1, 1000)])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_neither_scale_nor_place_matters(rule, scale, shift, dtype):
    X = DIGITS[:300].astype(dtype)
    plain = Oja(3, rule=rule, random_state=0).fit(X)
    moved = Oja(3, rule=rule, random_state=0).fit(X * dtype(scale) + dtype(shift))
    precision = 1e-9 if dtype == np.float64 else 1e-3
    np.testing.assert_allclose(moved.components_, plain.components_, atol=precision)


@both
def test_outputs_lead_back_to_rows(rule):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 3)) @ rng.normal(size=(3, 8)) + 5
    model = Oja(3, rule=rule, random_state=0).fit(X)
    np.testing.assert_allclose(model.inverse_transform(model.transform(X)), X, atol=1e-6)
    assert model.get_feature_names_out().tolist() == ["oja0", "oja1", "oja2"]


@both
def test_constant_rows_teach_nothing_and_spoil_nothing(rule):
    model = Oja(2, rule=rule, random_state=0).partial_fit(np.full((300, 4), 7.0))
    assert_orthonormal(model)
    np.testing.assert_array_equal(model.transform(np.full((2, 4), 7.0)), 0)
    assert model.score(np.full((3, 4), 7.0)) == 1
    for _ in range(20):
        X = np.random.default_rng(0).normal(size=(500, 4)) * [1, 9, 1, 6] + 7
        model.partial_fit(X)
    assert angle(model, np.eye(4)[[1, 3]]) < 0.1


@both
def test_units_that_had_nothing_to_learn_at_first_learn_later(rule):
    rng = np.random.default_rng(0)
    model = Oja(3, rule=rule, random_state=0).partial_fit(
        rng.normal(size=(50, 1)) * np.eye(9)[0]
    )
    for _ in range(10):  # columns 1 to 6 never vary
        model.partial_fit(rng.normal(size=(300, 9)) * [3, 0, 0, 0, 0, 0, 0, 3, 3])
    assert angle(model, np.eye(9)[[0, 7, 8]]) < 1e-3


@both
@pytest.mark.parametrize("lr", [1e-3, 1.0, 1000.0])
def test_no_rate_diverges(rule, lr):
    model = Oja(5, rule=rule, lr=lr, batch_size=2, random_state=0).fit(DIGITS[:200])
    assert_orthonormal(model)
    assert np.isfinite(model.transform(DIGITS)).all()


@both
@settings(max_examples=60, deadline=None)
@given(
    X=arrays(
        np.float64,
        st.tuples(st.integers(1, 6), st.integers(3, 5)),
        elements=st.floats(-1e100, 1e100),
    )
)
def test_any_numbers_give_orthonormal_components(rule, X):
    model = Oja(3, rule=rule, n_epochs=3, batch_size=2, random_state=0).fit(X)
    assert_orthonormal(model, 1e-9)
    assert np.isfinite(model.covariance_).all()
    assert 0 <= model.score(X) <= 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_components": 65}, "`n_components` must be at most n_features=64, got 65"),
        ({"n_components": 0}, "`n_components` must be a whole number from 1 .*, got 0"),
        ({"rule": "hebb"}, "`rule` must be 'sanger' or 'oja', got 'hebb'"),
        ({"lr": 0}, r"`lr` must be a number in \(0, 1000\], got 0"),
        ({"lr": np.nan}, r"`lr` must be a number in \(0, 1000\], got nan"),
        ({"n_epochs": 0}, "`n_epochs` must be a whole number from 1 .*, got 0"),
        ({"batch_size": 2.5}, "`batch_size` must be a whole number from 1 .*, got 2.5"),
    ],
)
def test_wrong_options_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        Oja(**options).fit(DIGITS)


def test_values_whose_squares_are_infinite_are_refused():
    with pytest.raises(ValueError, match="whose squares are finite; got 1e"):
        Oja(1).fit([[1e200, 0.0], [0.0, 1.0]])


def test_outputs_of_another_width_are_refused():
    model = Oja(2, random_state=0).fit(DIGITS)
    with pytest.raises(ValueError, match="needs 2 columns, one per component, got 3"):
        model.inverse_transform([[1.0, 2.0, 3.0]])
