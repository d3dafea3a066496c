"""Growing neural gas: the published algorithm step by step, its graph, and finding nodes."""

import pickle

import networkx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import make_moons
from sklearn.metrics import adjusted_rand_score, pairwise_distances

from neuropil.classic import GrowingNeuralGas


class PlainGas:
    """Fritzke's algorithm as it is written, with dicts and a search through all nodes."""

    def __init__(self, start, gas):
        self.gas, self.signals, self.names = gas, 0, len(start)
        self.w = {name: np.array(row, float) for name, row in enumerate(start)}
        self.error = dict.fromkeys(self.w, 0.0)
        self.age = {}

    def neighbors(self, node):
        return [next(iter(edge - {node})) for edge in self.age if node in edge]

    def signal(self, x):
        ranked = sorted(self.w, key=lambda node: ((x - self.w[node]) ** 2).sum())
        s, t = ranked[:2]
        for edge in self.age:
            self.age[edge] += s in edge
        self.error[s] += ((x - self.w[s]) ** 2).sum()
        self.w[s] += self.gas.lr * (x - self.w[s])
        for node in self.neighbors(s):
            self.w[node] += self.gas.neighbor_lr * (x - self.w[node])
        self.age[frozenset((s, t))] = 0
        self.age = {e: age for e, age in self.age.items() if age <= self.gas.max_age}
        joined = set().union(*self.age)
        alone = [node for node in self.w if node not in joined and self.signals]
        for node in alone:
            del self.w[node], self.error[node]
        self.signals += 1
        if self.signals % self.gas.insert_every == 0 and len(self.w) < self.gas.max_nodes:
            self.insert()
        for node in self.error:
            self.error[node] *= self.gas.error_decay

    def insert(self):
        q = max(self.error, key=self.error.__getitem__)
        f = max(self.neighbors(q), key=self.error.__getitem__)
        new, self.names = self.names, self.names + 1
        self.w[new] = (self.w[q] + self.w[f]) / 2
        del self.age[frozenset((q, f))]
        self.age[frozenset((q, new))] = self.age[frozenset((f, new))] = 0
        self.error[q] *= self.gas.insertion_decay
        self.error[f] *= self.gas.insertion_decay
        self.error[new] = self.error[q]


def moons(rows, noise=0.05, seed=0):
    return make_moons(rows, noise=noise, random_state=seed)


def drifting(rows):
    """Return three clusters, one after the other, so that edges grow old and nodes vanish."""
    rng = np.random.default_rng(0)
    places = np.repeat([[0, 0, 0], [4, 0, 1], [0, 0, 0.5]], rows // 3, axis=0)
    return places + rng.normal(size=places.shape)


def by_position(points):
    return np.lexsort(np.round(points, 6).T)


@pytest.mark.parametrize(
    ("X", "options"),
    [
        (moons(3000)[0], {"max_nodes": 60, "insert_every": 30}),
        (moons(1200)[0], {"max_nodes": 150, "insert_every": 7, "lr": 0.05}),
        (drifting(3000), {"max_nodes": 40, "insert_every": 20, "max_age": 8}),
        (np.random.default_rng(1).normal(size=(1500, 20)), {"insert_every": 10}),
        (moons(2000)[0], {"insert_every": 25, "error_decay": 0.7, "insertion_decay": 0.3}),
    ],
)
def test_it_is_fritzkes_algorithm(X, options):
    gas = GrowingNeuralGas(**{"max_nodes": 80, **options})
    plain = PlainGas(X[:2], gas)
    gas.partial_fit(X[:2])
    for x in X[:2]:
        plain.signal(x)
    # The two nodes start on the two rows, in an order that does not matter.
    for part in np.array_split(X[2:], 3):
        gas.partial_fit(part)
    for x in X[2:]:
        plain.signal(x)

    names, expected = list(plain.w), np.array(list(plain.w.values()))
    ours, theirs = by_position(gas.nodes_), by_position(expected)
    np.testing.assert_allclose(gas.nodes_[ours], expected[theirs], rtol=1e-9, atol=1e-9)
    name_of = {int(mine): names[other] for mine, other in zip(ours, theirs, strict=True)}
    graph = gas.graph_
    ages = {frozenset(name_of[n] for n in (a, b)): age for a, b, age in graph.edges.data("age")}
    assert ages == plain.age
    errors = {name_of[node]: error for node, error in graph.nodes.data("error")}
    assert errors == pytest.approx(plain.error, rel=1e-9, abs=1e-12)


def test_the_shape_of_a_ring_is_a_ring():
    angles = np.random.default_rng(0).uniform(0, 2 * np.pi, 4000)
    ring = np.column_stack([np.cos(angles), np.sin(angles)])
    gas = GrowingNeuralGas(max_nodes=30, n_epochs=5, random_state=0).fit(ring)
    assert networkx.is_connected(gas.graph_)
    assert len(networkx.cycle_basis(gas.graph_)) == 1
    assert np.linalg.norm(gas.nodes_, axis=1) == pytest.approx(np.ones(30), abs=0.06)


def test_components_are_the_moons():
    X, moon = moons(2000)
    gas = GrowingNeuralGas(random_state=0).fit(X)
    assert adjusted_rand_score(moon, gas.predict(X)) == 1
    assert gas.quantization_error(X) <= 0.042


def test_answers_are_those_of_a_search_through_all_nodes():
    X, _ = moons(2000, noise=0.2)
    gas = GrowingNeuralGas(500, insert_every=20, n_epochs=6, random_state=0).fit(X)
    assert len(gas.nodes_) == 500
    far = np.concatenate([X, 100 * X, [[1e6, -1e6]]])
    distances = pairwise_distances(far, gas.nodes_)
    np.testing.assert_allclose(gas.transform(far), distances, rtol=1e-6)
    np.testing.assert_array_equal(gas.predict(far), gas.components_[distances.argmin(axis=1)])
    assert gas.quantization_error(far) == pytest.approx(distances.min(axis=1).mean())


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.sampled_from([1.0, 1e-3, 0.0]))
def test_every_gas_is_sound(seed, columns, spread):
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 3, size=(300, columns)) + spread * rng.normal(size=(300, columns))
    gas = GrowingNeuralGas(
        50, n_epochs=2, insert_every=5, max_age=rng.integers(1, 30).item(), random_state=0
    ).fit(X)
    nodes, edges = gas.nodes_, gas.edges_
    assert 2 <= len(nodes) <= 50
    assert np.isfinite(nodes).all()
    assert (nodes >= X.min(axis=0) - 1e-9).all()
    assert (nodes <= X.max(axis=0) + 1e-9).all()
    assert len(np.unique(edges, axis=0)) == len(edges)
    assert set(edges.ravel()) == set(range(len(nodes)))
    ages = [age for *_, age in gas.graph_.edges.data("age")]
    assert min(ages) >= 0
    distances = pairwise_distances(X, nodes)
    assert gas.quantization_error(X) == pytest.approx(distances.min(axis=1).mean(), abs=1e-7)


def test_a_large_offset_costs_no_digits():
    X, _ = moons(500)
    near, far = (
        GrowingNeuralGas(30, n_epochs=4, random_state=0).fit(X + offset) for offset in (0, 1e7)
    )
    np.testing.assert_allclose(far.nodes_ - 1e7, near.nodes_, atol=1e-6)
    np.testing.assert_allclose(far.transform(X + 1e7), near.transform(X), atol=1e-6)


def test_constant_data_need_no_more_nodes():
    gas = GrowingNeuralGas(max_nodes=20, insert_every=5).fit(np.ones((100, 3)))
    assert gas.nodes_.tolist() == [[1.0] * 3] * 2
    assert gas.predict(np.zeros((2, 3))).tolist() == [0, 0]


def test_a_stream_may_come_row_by_row_and_through_a_pickle():
    X, _ = moons(1500)
    whole = GrowingNeuralGas(40, insert_every=20, random_state=0).partial_fit(X)
    parts = GrowingNeuralGas(40, insert_every=20, random_state=0)
    parts.partial_fit(X[:700])
    start = GrowingNeuralGas(40, insert_every=20, random_state=0).partial_fit(X[:700])
    for row in X[700:]:
        parts.partial_fit(row[None])
    start = pickle.loads(pickle.dumps(start)).partial_fit(X[700:])
    np.testing.assert_array_equal(start.nodes_, parts.nodes_)
    np.testing.assert_array_equal(start.edges_, parts.edges_)
    assert len(whole.nodes_) == len(parts.nodes_) == 40


def test_single_precision_gives_the_same_shape():
    X, moon = moons(2000)
    gas = GrowingNeuralGas(random_state=0).fit(X.astype(np.float32))
    assert gas.nodes_.dtype == np.float32
    assert adjusted_rand_score(moon, gas.predict(X)) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_nodes": 1}, "`max_nodes` must be a whole number from 2 .*, got 1"),
        ({"lr": 1.5}, r"`lr` must be a number in \(0, 1\], got 1.5"),
        ({"error_decay": 0}, r"`error_decay` must be a number in \(0, 1\], got 0"),
        ({"insert_every": 2.5}, "`insert_every` must be a whole number"),
        ({"n_epochs": 0}, "`n_epochs` must be a whole number from 1"),
    ],
)
def test_options_that_cannot_be_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        GrowingNeuralGas(**options).fit(moons(50)[0])


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([[1.0, 2.0]], r"1 sample\(s\)"),
        ([[1.0, np.nan]] * 3, "NaN"),
        ([[1e200, 0.0]] * 3, "values up to"),
    ],
)
def test_data_that_cannot_be_are_refused(X, message):
    with pytest.raises(ValueError, match=message):
        GrowingNeuralGas().fit(X)
