"""Learning makes it better: no network of this family ends worse than it started."""

import numpy as np
import pytest
from sklearn.datasets import load_digits, load_iris
from sklearn.decomposition import PCA
from sklearn.utils import check_random_state

from neuropil.classic import SOFM, GrowingNeuralGas, Kohonen, Oja


def clusters(count: int, columns: int, spread: float, far: float = 0.0) -> np.ndarray:
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(count, columns))
    centres[0] += far
    return np.repeat(centres, 20, axis=0) + rng.normal(0, spread, (20 * count, columns))


ROWS = {
    "40 tight clusters": clusters(40, 3, 0.05),
    "40 loose clusters": clusters(40, 10, 0.5),
    "one far away": clusters(40, 4, 0.05, far=1000.0),
    "iris": load_iris().data,
    "digits": load_digits().data[:400] / 16,
}
rows = pytest.mark.parametrize("name", ROWS)


@rows
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"algorithm": "online"},
        {"topology": "toroidal_hexagonal"},
        {"distance": "cosine"},
        {"distance": "dot"},
        {"distance": "dot", "algorithm": "online"},
        {"init": "sample"},
        {"init": "sample", "algorithm": "online"},
        {"neighborhood": "bubble", "final_radius": 1.0},
    ],
)
def test_a_map_ends_closer_to_its_rows_than_it_started(name, options):
    X = ROWS[name]
    model = SOFM((6, 6), random_state=0, n_epochs=8, **options).fit(X)
    at_first = SOFM((6, 6), random_state=0, n_epochs=1, **options).fit(X)
    at_first.weights_ = model.training().start(X, check_random_state(0))
    assert distortion(model, X) <= distortion(at_first, X)


def distortion(model: SOFM, X: np.ndarray) -> float:
    """Return what a map makes small: distances to the best unit, and to those around it."""
    apart = model.grid_.squared_distances(model.predict(X))
    far = model.transform(X) ** (2 if model.distance == "euclid" else 1)
    return float((np.exp(-apart / (2 * 0.5**2)) * far).sum(axis=1).mean())


@rows
@pytest.mark.parametrize("lr", [0.1, 1.0])
def test_competing_units_end_closer_to_their_rows(name, lr):
    X = ROWS[name]
    model = Kohonen(20, lr=lr, random_state=0).fit(X)
    end = model.quantization_error(X)
    model.weights_ = model.start(X, check_random_state(0))
    assert end <= model.quantization_error(X)


@rows
def test_a_gas_ends_closer_to_its_rows(name):
    X = ROWS[name]
    first = GrowingNeuralGas(2, n_epochs=1, random_state=0).fit(X).quantization_error(X)
    assert GrowingNeuralGas(40, n_epochs=5, random_state=0).fit(X).score(X) >= -first


@rows
@pytest.mark.parametrize("rule", ["oja", "sanger"])
@pytest.mark.parametrize("options", [{}, {"lr": 50.0}, {"batch_size": 1, "n_epochs": 2}])
def test_components_end_with_nearly_all_the_variance_there_is(name, rule, options):
    X = ROWS[name]
    model = Oja(2, rule=rule, random_state=0, **options).fit(X)
    centred = X - X.mean(axis=0)
    share = ((centred @ model.components_.T) ** 2).sum() / (centred**2).sum()
    assert share >= 0.9 * PCA(2).fit(X).explained_variance_ratio_.sum()
