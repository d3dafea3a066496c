"""General regression networks, against the formula, SciPy's gradients and scikit-learn."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import approx_fprime
from scipy.spatial.distance import cdist

from neuropil.classic import GRNN
from neuropil.classic.rbf.leave_one_out import Search, left_out, squared_error


def by_formula(X, y, Q, sigma):
    """Return ŷ of each query, sum by sum."""
    weights = np.exp(-cdist(Q / sigma, X / sigma, "sqeuclidean") / 2)
    return weights @ y / weights.sum(axis=1).reshape(-1, *[1] * (y.ndim - 1))


@settings(max_examples=12, deadline=None)
@given(
    n=st.integers(1, 700),
    queries=st.integers(1, 150),
    d=st.integers(1, 6),
    outputs=st.sampled_from([(), (1,), (3,)]),
    seed=st.integers(0, 99),
)
def test_it_is_the_formula(n, queries, d, outputs, seed):
    rng = np.random.default_rng(seed)
    X, Q = 100 + rng.normal(size=(n, d)), 100 + rng.normal(size=(queries, d))
    y, sigma = rng.normal(size=(n, *outputs)), rng.uniform(0.5, 2, size=d)
    given = GRNN(sigma).fit(X, y).predict(Q)
    assert given.shape == (queries, *outputs)
    np.testing.assert_allclose(given, by_formula(X, y, Q, sigma), rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("away", [10.0, 1e3, 1e6])
def test_far_from_all_data_it_is_the_nearest_target(away):
    X, y = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]), np.array([1.0, 2.0, 3.0])
    network = GRNN(sigma=0.05).fit(X, y)
    np.testing.assert_allclose(
        network.predict([[away, 0], [0, away], [-away, -away]]), [2, 3, 1]
    )
    # Twice as near to the first as to the second, in logarithms of their windows.
    wide = GRNN(sigma=1000.0).fit(X[:2], y[:2]).predict([[1e6, 0.0]])
    shares = np.exp([0.0, (1e6 - 0.5) / 1e6])
    assert wide[0] == pytest.approx(shares @ y[:2] / shares.sum(), rel=1e-6)


def test_single_precision_is_nearly_as_good():
    rng = np.random.default_rng(0)
    X, Q, y = (rng.normal(size=(400, 8)).astype("f") for _ in range(3))
    network = GRNN(1.5).fit(X, y)
    assert network.predict(Q).dtype == np.float32
    expected = by_formula(*(values.astype(float) for values in (X, y, Q)), 1.5)
    np.testing.assert_allclose(network.predict(Q), expected, atol=1e-5)


@pytest.mark.parametrize("per", ["shared", "feature"])
def test_the_gradient_is_that_of_the_leave_one_out_error(per):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 3)), rng.normal(size=(40, 2))
    rows = np.arange(0, 40, 3)
    search = Search(X, squared_error(y), rows, per)
    at = rng.normal(size=1 if per == "shared" else 3) / 3
    loss, slopes = search(at)
    others = [np.delete(np.arange(40), row) for row in rows]
    left = [
        by_formula(X[o], y[o], X[[r]], np.exp(at))[0] for r, o in zip(rows, others, strict=True)
    ]
    assert loss == pytest.approx(((left - y[rows]) ** 2).sum(1).mean())
    np.testing.assert_allclose(
        slopes, approx_fprime(at, lambda s: search(s)[0], 1e-6), atol=1e-5
    )


def test_the_width_found_is_best_and_sees_which_features_matter():
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, size=(300, 3)) * [1, 1, 1000]
    y = np.sin(4 * X[:, 0]) + 0.1 * rng.normal(size=300)
    network = GRNN().fit(X, y)
    assert network.sigma_[0] < 0.3
    assert network.sigma_[1] > 3 * network.sigma_[0]
    assert network.sigma_[2] > 1000 * network.sigma_[0]
    found = GRNN("shared").fit(X[:, :1], y)
    assert found.sigma_.shape == ()

    def loss(sigma):
        rows = np.arange(300)
        left = [by_formula(X[rows != r, :1], y[rows != r], X[[r], :1], sigma)[0] for r in rows]
        return ((left - y) ** 2).mean()

    assert loss(found.sigma_) < min(loss(0.8 * found.sigma_), loss(1.25 * found.sigma_))


def test_many_rows_are_left_out_by_a_share():
    assert left_out(100).tolist() == list(range(100))
    rows = left_out(20_000)
    assert len(set(rows)) == len(rows) == 100


def test_memory_does_not_grow_with_queries_times_data():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20_000, 4))
    network = GRNN(0.5).fit(X[:6000], X[:6000, 0])
    network.predict(X[:10])
    tracemalloc.start()
    network.predict(X)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # All distances at once would be 960 MB.
    assert peak < 10e6


def test_wrong_widths_are_refused():
    X, y = np.eye(3), np.arange(3)
    for sigma in (0, -1.0, [1, 2], [1, 1, -1], np.nan, True, None, [1, "a", 2]):
        with pytest.raises(
            ValueError, match="GRNN: `sigma` must be 'shared', 'feature', a pos"
        ):
            GRNN(sigma).fit(X, y)
    with pytest.raises(ValueError, match="`sigma` must be 'feature' or 'shared', got 'class'"):
        GRNN("class").fit(X, y)
    with pytest.raises(ValueError, match="whose squares are finite"):
        GRNN(1e-9).fit(X, y).predict([[1e150, 0, 0]])


@pytest.mark.parametrize("sigma", ["shared", "feature", 1.0])
@pytest.mark.parametrize(
    "X", [np.ones((1, 2)), np.ones((9, 2)), np.repeat(np.eye(2), 5, axis=0)]
)
def test_one_row_and_constant_columns_have_an_answer(X, sigma):
    y = np.arange(len(X), dtype=float)
    given = GRNN(sigma).fit(X, y).predict([[1.0, 1.0], [50.0, 0.0]])
    assert ((given >= 0) & (given <= len(X) - 1)).all()
