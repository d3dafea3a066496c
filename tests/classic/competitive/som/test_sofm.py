"""Self-organising maps: against the formulas, MiniSom, and distances worked by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.metrics.pairwise import (
    cosine_distances,
    euclidean_distances,
    nan_euclidean_distances,
)
from sklearn.utils.estimator_checks import check_estimator
from tests.agreement import answers_by_distance

from neuropil.classic import SOFM


def rows(n=60, columns=3, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, columns)) + 3 * rng.integers(2, size=(n, 1))


def distance_on_grid(topology, sides):
    """Return distances of units, each worked out by itself from rows and columns."""
    height, width = sides
    found = np.empty((height * width, height * width))
    for a in range(height * width):
        for b in range(height * width):
            (r, c), (s, d) = divmod(a, width), divmod(b, width)
            if "hexagonal" in topology:
                step = np.array([(r - s) * 3**0.5 / 2, c + (r % 2) / 2 - d - (s % 2) / 2])
                around = np.array([height * 3**0.5 / 2, width])
            else:
                step, around = np.array([r - s, c - d]), np.array([height, width])
            copies = (-1, 0, 1) if "toroidal" in topology else (0,)
            images = [step + around * (i, j) for i in copies for j in copies]
            found[a, b] = min(np.linalg.norm(image) for image in images)
    return found


INFLUENCES = {
    "gaussian": lambda d, r: np.exp(-(d**2) / (2 * r**2)),
    "bubble": lambda d, r: (d <= r + 1e-9).astype(float),
    "mexican_hat": lambda d, r: (1 - d**2 / r**2) * np.exp(-(d**2) / (2 * r**2)),
}


@pytest.mark.parametrize("neighborhood", INFLUENCES)
@pytest.mark.parametrize(
    "topology", ["rectangular", "hexagonal", "toroidal", "toroidal_hexagonal"]
)
def test_an_epoch_of_the_batch_map_is_the_formula(topology, neighborhood):
    X, sides, radius = rows(), (4, 5), 3.6
    start = rows(20, seed=1)
    model = SOFM(
        sides,
        topology=topology,
        neighborhood=neighborhood,
        init=start,
        n_epochs=1,
        radius=radius,
    ).fit(X)
    best = euclidean_distances(X, start).argmin(axis=1)
    h = INFLUENCES[neighborhood](distance_on_grid(topology, sides), radius)[best]
    expected = np.empty_like(start)
    for k in range(20):
        pull = (h[:, k, None] * (X - start[k])).sum(axis=0)
        expected[k] = start[k] + pull / np.abs(h[:, k]).sum()
    np.testing.assert_allclose(model.weights_, expected, rtol=1e-10)
    if neighborhood != "mexican_hat":
        means = h.T @ X / h.sum(axis=0)[:, None]
        np.testing.assert_allclose(model.weights_, means, rtol=1e-10)


@pytest.mark.parametrize("scale", [1.0, 1e-35, 1e35])
@pytest.mark.parametrize("apart", [1.0, 1e-4, 1e-9])
def test_units_that_all_but_coincide_are_told_apart(apart, scale):
    rng = np.random.default_rng(2)
    X = (rng.normal(size=(300, 20)) + 100) * scale
    start = (100 + apart * rng.normal(size=(40, 20))) * scale
    model = SOFM((40,), init=start, n_epochs=1, radius=0.1, final_radius=0.1).fit(X)
    # Distances to units side by side, as far as the units themselves are apart.
    middle = 100 * scale
    gaps = -2 * (X - middle) @ (start - middle).T / scale**2
    best = (gaps + ((start - middle) ** 2 / scale**2).sum(axis=1)).argmin(axis=1)
    assert len(np.unique(best)) > 10
    expected = start.copy()
    for unit in np.unique(best):
        expected[unit] = X[best == unit].mean(axis=0)
    won = np.unique(best)
    np.testing.assert_allclose(model.weights_[won], expected[won], rtol=1e-9)


def test_the_radius_falls_by_a_constant_factor_to_its_last():
    X, start = rows(), rows(12, seed=1)
    model = SOFM((3, 4), init=start, n_epochs=3, radius=4.0, final_radius=1.0).fit(X)
    for radius in (4.0, 2.0, 1.0):
        start = SOFM((3, 4), init=start, n_epochs=1, radius=radius).fit(X).weights_
    np.testing.assert_allclose(model.weights_, start, rtol=1e-10)


def test_a_grid_may_have_three_axes():
    X = np.random.default_rng(0).random((500, 3))
    model = SOFM((3, 3, 3), radius=1.0, final_radius=0.3).fit(X)
    assert model.grid_.edges().shape == (158, 2)  # 54 along axes, 72 and 32 diagonals
    assert model.topographic_error(X) < 0.1
    assert abs(model.topographic_product()) < 0.02
    assert SOFM(4).fit(X).weights_.shape == (4, 3)


def test_a_step_of_the_online_map_by_hand():
    model = SOFM(
        (3,), algorithm="online", init=[[0.0], [2.0], [5.0]], n_epochs=2, radius=1.0, lr=0.5
    )
    model.partial_fit([[2.5]])
    near, far = np.exp(-0.5), 1.0  # unit 1 is the best, the others are one away
    expected = [0.5 * near * 2.5, 2 + 0.5 * far * 0.5, 5 + 0.5 * near * -2.5]
    np.testing.assert_allclose(model.weights_.ravel(), expected)
    before = model.weights_.copy()
    model.partial_fit([[before[1, 0] + 0.4]])  # epoch 2: radius 0.5, rate 0.25
    moved = (model.weights_ - before).ravel()
    assert moved[1] == pytest.approx(0.25 * 0.4)
    assert moved[0] == pytest.approx(0.25 * np.exp(-2) * (before[1, 0] + 0.4 - before[0, 0]))


@pytest.mark.parametrize("neighborhood", ["gaussian", "mexican_hat"])
@pytest.mark.parametrize("distance", ["euclid", "cosine"])
def test_the_online_map_is_minisoms(neighborhood, distance):
    minisom = pytest.importorskip("minisom")
    X, start = rows(200, 5), rows(24, 5, seed=1)
    radii = np.geomspace(3, 1, 3) if neighborhood == "gaussian" else np.geomspace(6, 5, 3)
    peer = minisom.MiniSom(
        4, 6, 5, sigma=radii[0], learning_rate=0.4, neighborhood_function=neighborhood,
        activation_distance={"euclid": "euclidean"}.get(distance, distance),
        decay_function="linear_decay_to_zero",
    )  # fmt: skip
    peer._weights = start.reshape(4, 6, 5).copy()
    peer._sigma_decay_function = lambda sigma, t, epochs: radii[t]
    peer.train(X, 3, use_epochs=True)
    model = SOFM(
        (4, 6), neighborhood=neighborhood, distance=distance, init=start, algorithm="online",
        n_epochs=3, radius=radii[0], final_radius=radii[-1], lr=0.4,
    )  # fmt: skip
    for _ in range(3):
        model.partial_fit(X)
    np.testing.assert_allclose(model.weights_, peer.get_weights().reshape(24, 5), rtol=1e-9)
    if distance == "euclid":
        assert model.quantization_error(X) == pytest.approx(peer.quantization_error(X))
        assert model.topographic_error(X) == pytest.approx(peer.topographic_error(X))
        winners = [np.ravel_multi_index(peer.winner(x), (4, 6)) for x in X]
        np.testing.assert_array_equal(model.predict(X), winners)


def test_the_batch_map_is_minisoms():
    minisom = pytest.importorskip("minisom")
    X, start = rows(200, 5), rows(24, 5, seed=1)
    peer = minisom.MiniSom(
        4, 6, 5, sigma=3, learning_rate=1.0, decay_function=lambda rate, t, epochs: rate
    )
    peer._weights = start.reshape(4, 6, 5).copy()
    peer._sigma_decay_function = lambda sigma, t, epochs: (3.0, 1.5)[t]
    peer.train_batch_offline(X, 2)
    model = SOFM((4, 6), init=start, n_epochs=2, radius=3.0, final_radius=1.5).fit(X)
    np.testing.assert_allclose(model.weights_, peer.get_weights().reshape(24, 5), rtol=1e-9)


def test_units_of_a_dot_product_map_keep_their_length():
    X, start = np.abs(rows()), np.abs(rows(6, seed=1))
    start /= np.linalg.norm(start, axis=1, keepdims=True)
    settings = {"distance": "dot", "init": start, "n_epochs": 1, "radius": 1.0}
    batch = SOFM((2, 3), **settings).fit(X)
    h = INFLUENCES["gaussian"](distance_on_grid("rectangular", (2, 3)), 1.0)
    totals = h[(X @ start.T).argmax(axis=1)].T @ X
    expected = totals / np.linalg.norm(totals, axis=1, keepdims=True)
    np.testing.assert_allclose(batch.weights_, expected)
    online = SOFM((2, 3), algorithm="online", **settings).partial_fit(X[:1])
    turned = start + 0.5 * h[(X[0] @ start.T).argmax()][:, None] * X[0]
    turned /= np.linalg.norm(turned, axis=1, keepdims=True)
    np.testing.assert_allclose(online.weights_, turned)


def test_an_online_fit_is_passes_in_a_drawn_order_and_goes_on():
    X = rows()
    model = SOFM((3, 3), algorithm="online", n_epochs=4, random_state=3)
    fitted = model.fit(X).weights_
    rng = np.random.RandomState(3)
    orders = [rng.permutation(len(X)) for _ in range(4)]
    start = start_of(clone(model), X)
    twin = SOFM((3, 3), algorithm="online", n_epochs=4, init=start)
    for order in orders:
        twin.partial_fit(X[order])
    np.testing.assert_allclose(twin.weights_, fitted, rtol=1e-10)
    model.partial_fit(X)
    assert model.n_iter_ == 5
    assert not hasattr(SOFM(), "partial_fit")


def start_of(model, X):
    """Return where a map starts: what a step of no size leaves."""
    model.set_params(lr=1e-300)
    return model.fit(X).weights_


@pytest.mark.parametrize(
    ("distance", "expected"),
    [
        ("euclid", euclidean_distances),
        ("cosine", cosine_distances),
        ("dot", lambda X, W: np.linalg.norm(X, axis=1)[:, None] - X @ W.T),
    ],
)
def test_distances_are_those_of_scikit_learn(distance, expected):
    X = rows(300, 4)
    model = SOFM((3, 4), distance=distance, n_epochs=3).fit(X)
    answers_by_distance(model, X, expected(X, model.weights_))


def test_the_start_spans_the_leading_components():
    X = rows(500, 4) @ np.diag([1.0, 5.0, 2.0, 0.1])
    model = SOFM((3, 5), algorithm="online", n_epochs=1)
    start = start_of(model, X)
    pca = PCA(2).fit(X)
    along = pca.transform(start) / np.sqrt(pca.explained_variance_ * 499 / 500)
    longest, other = np.meshgrid(np.linspace(-1, 1, 5), np.linspace(-1, 1, 3))
    np.testing.assert_allclose(np.abs(along[:, 0]), np.abs(longest.ravel()), atol=1e-9)
    np.testing.assert_allclose(np.abs(along[:, 1]), np.abs(other.ravel()), atol=1e-9)
    wide = np.random.default_rng(0).normal(size=(40, 600)) * np.geomspace(9, 0.01, 600)
    found = start_of(SOFM((2,), algorithm="online", n_epochs=1, random_state=0), wide)
    first = PCA(1, random_state=0).fit(wide).components_[0]
    direction = found[1] - found[0]
    assert abs(direction @ first) == pytest.approx(np.linalg.norm(direction), rel=1e-6)


@pytest.mark.parametrize("algorithm", ["batch", "online"])
@pytest.mark.parametrize("init", ["pca", "sample"])
def test_constant_columns_and_constant_data_are_no_obstacle(algorithm, init):
    X = rows()
    X[:, 1] = 7.0
    model = SOFM((4, 4), init=init, algorithm=algorithm, n_epochs=5, random_state=0).fit(X)
    np.testing.assert_allclose(model.weights_[:, 1], 7.0)
    assert np.ptp(model.weights_[:, 0]) > 1
    same = SOFM((2, 2), init=init, algorithm=algorithm, random_state=0).fit(
        np.full((9, 2), 5.0)
    )
    np.testing.assert_allclose(same.weights_, 5.0)
    one = SOFM((2, 2), init=init, algorithm=algorithm, random_state=0).fit([[1.0, 2.0]])
    np.testing.assert_allclose(one.weights_, [[1.0, 2.0]] * 4)


@settings(max_examples=15, deadline=None)
@given(st.floats(-1e6, 1e6), st.floats(0.01, 100))
def test_moving_and_scaling_everything_moves_the_map_along(offset, scale):
    X = rows()
    model = SOFM((3, 4), n_epochs=5).fit(X)
    moved = SOFM((3, 4), n_epochs=5).fit(X * scale + offset)
    expected = model.weights_ * scale + offset
    np.testing.assert_allclose(moved.weights_, expected, rtol=1e-7, atol=1e-6 * scale)
    assert moved.quantization_error(X * scale + offset) == pytest.approx(
        scale * model.quantization_error(X), rel=1e-5
    )


def test_missing_values_are_left_out():
    X = rows(80, 4)
    holes = X.copy()
    holes[np.random.default_rng(5).random(X.shape) < 0.2] = np.nan
    holes = holes[~np.isnan(holes).all(axis=1)]
    start = rows(6, 4, seed=1)
    model = SOFM((2, 3), init=start, n_epochs=1, radius=1.0, allow_missing=True).fit(holes)
    best = nan_euclidean_distances(holes, start).argmin(axis=1)
    h = INFLUENCES["gaussian"](distance_on_grid("rectangular", (2, 3)), 1.0)[best]
    there = ~np.isnan(holes)
    expected = h.T @ np.where(there, holes, 0) / (h.T @ there)
    np.testing.assert_allclose(model.weights_, expected)
    distances = nan_euclidean_distances(holes, model.weights_)
    np.testing.assert_allclose(model.transform(holes), distances, atol=1e-7)
    np.testing.assert_array_equal(model.predict(holes), distances.argmin(axis=1))
    assert model.quantization_error(holes) == pytest.approx(distances.min(axis=1).mean())
    for algorithm in ("batch", "online"):
        for init in ("pca", "sample"):
            some = SOFM((2, 3), init=init, algorithm=algorithm, random_state=0)
            whole = some.set_params(allow_missing=False).fit(X).weights_
            allowed = some.set_params(allow_missing=True).fit(X).weights_
            np.testing.assert_allclose(allowed, whole, rtol=1e-9)
            assert np.isfinite(some.fit(holes).weights_).all()


def test_an_online_step_leaves_missing_columns_where_they_were():
    start = np.array([[0.0, 0.0], [1.0, 9.0]])
    model = SOFM((2,), algorithm="online", init=start, radius=0.5, allow_missing=True)
    model.partial_fit([[2.0, np.nan], [2.0, 9.0]])
    assert model.weights_[0, 1] == pytest.approx(9 * 0.5 * np.exp(-2))
    assert model.weights_[1, 1] == 9.0


def test_digits_are_mapped_closely_and_in_order():
    X = load_digits().data / 16
    model = SOFM((20, 20), n_epochs=10, radius=2.5, final_radius=0.6).fit(X)
    assert model.quantization_error(X) <= 0.99
    assert model.topographic_error(X) <= 0.06
    single = SOFM((20, 20), n_epochs=10, radius=2.5, final_radius=0.6)
    single.fit(X.astype(np.float32))
    assert single.weights_.dtype == np.float32
    assert single.quantization_error(X.astype(np.float32)) <= 0.99


@pytest.mark.parametrize("algorithm", ["batch", "online"])
def test_a_mexican_hat_says_when_it_pushes_more_than_it_pulls(algorithm):
    X = np.random.default_rng(0).random((500, 2))
    model = SOFM((6, 6), neighborhood="mexican_hat", algorithm=algorithm, random_state=0)
    with pytest.raises(ValueError, match=r"diverged in epoch \d+.*final_radius of 4\.2"):
        model.set_params(final_radius=0.5, n_epochs=40).fit(X)
    model.set_params(final_radius=4.2, n_epochs=20).fit(X)
    assert model.topographic_error(X) < 0.05
    assert model.quantization_error(X) < 0.1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"grid": (0, 3)}, "`grid` must be one whole number or more, each at least 1, got"),
        ({"grid": ()}, "`grid` must be"),
        ({"grid": (2.5,)}, "`grid` must be"),
        ({"grid": "ab"}, "`grid` must be"),
        ({"grid": (3, 3, 3), "topology": "hexagonal"}, "two numbers, rows and columns"),
        ({"grid": (3, 4), "topology": "toroidal_hexagonal"}, "an even number of rows"),
        ({"topology": "round"}, "`topology` must be one of 'rectangular', "),
        ({"neighborhood": "triangle"}, "`neighborhood` must be one of 'gaussian', "),
        ({"distance": "manhattan"}, "`distance` must be one of 'euclid', "),
        ({"init": "random"}, "`init` must be 'pca' or 'sample', got 'random'"),
        ({"init": None}, "`init` must be"),
        ({"init": np.ones((2, 2))}, r"`init` must have the shape \(100, 3\), got \(2, 2\)"),
        ({"init": np.full((100, 3), np.nan)}, "`init` must be finite"),
        ({"algorithm": "fast"}, "`algorithm` must be 'batch' or 'online'"),
        ({"n_epochs": 0}, "`n_epochs` must be a whole number from 1"),
        ({"radius": 0.1}, "`radius` must be at least the final radius, 0.5, got 0.1"),
        ({"radius": np.nan}, "`radius` must be a number in"),
        ({"final_radius": 0}, "`final_radius` must be a number in"),
        ({"lr": 1.5}, r"`lr` must be a number in \(0, 1\]"),
        ({"allow_missing": True, "distance": "dot"}, "'euclid' where values may be missing"),
    ],
)
def test_wrong_options_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        SOFM(**options).fit(rows())


def test_rows_that_belong_nowhere_are_named():
    X = rows()
    X[7] = 0
    with pytest.raises(ValueError, match="row 7 is all zeros and has no direction"):
        SOFM((2, 2), distance="cosine").fit(X)
    X[7] = 1e200
    with pytest.raises(ValueError, match="squares are finite"):
        SOFM((2, 2)).fit(X)
    X[7] = np.nan
    with pytest.raises(ValueError, match="contains NaN"):
        SOFM((2, 2)).fit(X)
    model = SOFM((2, 2), allow_missing=True)
    with pytest.raises(ValueError, match="all values of row 7 are missing"):
        model.fit(X)
    X[7] = 1
    X[:, 2] = np.nan
    with pytest.raises(ValueError, match="all values of column 2 are missing"):
        model.fit(X)


@pytest.mark.parametrize(
    "options",
    [{"algorithm": "online"}, {"topology": "hexagonal"}, {"allow_missing": True}],
    ids=str,
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
def test_other_kinds_of_maps_are_scikit_learn_estimators_too(options):
    check_estimator(SOFM((3, 2), n_epochs=2, random_state=0, **options), on_skip=None)
