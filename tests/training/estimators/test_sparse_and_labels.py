"""Sparse inputs and several labels per example, as users of scikit-learn give them."""

import numpy as np
import pytest
import scipy.sparse
from sklearn.datasets import load_iris, make_multilabel_classification
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.metrics import f1_score
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from neuropil import NetworkClassifier, NetworkRegressor
from neuropil.layers import Linear, Relu
from neuropil.training.estimators.sparse_rows import SparseRows

IRIS = load_iris(return_X_y=True)
MANY, LABELS = make_multilabel_classification(400, 12, n_classes=4, random_state=0)


class TestSparse:
    @pytest.mark.parametrize("form", ["csr_array", "csc_matrix", "coo_array"])
    def test_a_sparse_matrix_trains_like_the_dense_one(self, form):
        X, y = IRIS
        X = np.where(X < 1.5, 0.0, X)
        sparse = getattr(scipy.sparse, form)(X)
        model = NetworkClassifier(lr=0.02, epochs=4, validation_fraction=0.2, random_state=0)
        expected = model.fit(X, y).predict_proba(X)
        found = model.fit(sparse, y)
        assert np.allclose(found.predict_proba(sparse), expected, atol=1e-4)
        assert np.array_equal(found.predict_proba(sparse), found.predict_proba(X))

    def test_words_of_texts(self):
        animals = ["a cat sat on a mat", "the dog barked", "my cat chased the dog"]
        ships = ["the ship sailed", "a sail on the mast", "the mast of my ship"]
        y = ["animal"] * 3 + ["ship"] * 3
        model = make_pipeline(CountVectorizer(), NetworkClassifier(lr=0.05, random_state=0))
        model.fit(animals + ships, y)
        assert model.predict(["cat", "mast"]).tolist() == ["animal", "ship"]

    def test_the_whole_matrix_is_never_dense(self, monkeypatch):
        rows, fetch = [], SparseRows.fetch
        monkeypatch.setattr(
            SparseRows, "fetch", lambda s, places: rows.append(len(places)) or fetch(s, places)
        )
        X = scipy.sparse.random_array((600, 20_000), density=1e-4, rng=0).tocsr()
        model = NetworkRegressor("Linear(1)", epochs=1, batch_size=50, random_state=0)
        assert model.fit(X, np.arange(600.0)).predict(X).shape == (600,)
        assert sum(rows) > 600
        assert max(rows) < 300

    def test_arrays_that_cannot_be_written_to(self):
        """Searches in several processes share them as files in memory."""
        X, y = IRIS
        X, y, weights = X[::2].copy(), y[::2].copy(), np.ones(75)
        for array in (X, y, weights):
            array.setflags(write=False)
        sparse = scipy.sparse.csr_array(X)
        for array in (sparse.data, sparse.indices, sparse.indptr):
            array.setflags(write=False)
        for inputs in (X, sparse):
            model = NetworkClassifier(epochs=1, validation_fraction=0.2, random_state=0)
            assert model.fit(inputs, y, weights).predict(inputs).shape == (75,)

    def test_several_targets_with_weights(self):
        X, y = IRIS
        targets = np.c_[y, X[:, 0]]
        model = NetworkRegressor("Linear(2)", optimizer="quasi_newton", random_state=0)
        dense = model.fit(X, targets, 1 + y).predict(X)
        sparse = model.fit(scipy.sparse.csr_array(X), targets, 1 + y).predict(X)
        assert np.allclose(dense, sparse, atol=1e-6)

    def test_partial_fit_and_second_order_methods_take_it(self):
        X, y = IRIS
        X = scipy.sparse.csr_array(X)
        model = NetworkClassifier("Softmax(3)", optimizer="quasi_newton", random_state=0)
        assert model.fit(X, y).score(X, y) > 0.95
        model = NetworkClassifier(lr=0.1, random_state=0)
        for _ in range(8):
            model.partial_fit(X, y, classes=[0, 1, 2])
        assert model.score(X, y) > 0.9


class TestSeveralLabels:
    def test_as_good_as_scikit_learns_network(self):
        train, test = slice(200), slice(200, None)
        model = NetworkClassifier(lr=0.01, epochs=20, random_state=0)
        found = model.fit(MANY[train], LABELS[train]).predict(MANY[test])
        assert found.shape == (200, 4)
        assert {*np.unique(found)} == {0, 1}
        network = MLPClassifier(learning_rate_init=0.01, max_iter=20, random_state=0)
        peer = make_pipeline(StandardScaler(), network)
        with pytest.warns(Warning, match="converged"):
            peer.fit(MANY[train], LABELS[train])
        ours = f1_score(LABELS[test], found, average="macro")
        assert ours > f1_score(LABELS[test], peer.predict(MANY[test]), average="macro") - 0.02
        assert model.score(MANY[train], LABELS[train]) > 0.8

    @pytest.mark.parametrize("network", ["Relu(8) >> Sigmoid(4)", Relu(8) >> Linear(4)])
    def test_full_networks_and_sparse_labels(self, network):
        labels = scipy.sparse.csr_array(LABELS)
        model = NetworkClassifier(network, lr=0.02, epochs=30, random_state=0)
        probabilities = model.fit(MANY, labels).predict_proba(MANY)
        assert ((probabilities > 0) & (probabilities < 1)).all()
        assert np.array_equal(model.predict(MANY), probabilities > 0.5)
        assert (model.predict(MANY) == LABELS).mean() > 0.8

    def test_weights_are_copies_here_too(self):
        counts = np.random.default_rng(0).integers(0, 3, len(LABELS))
        copies = np.repeat(np.arange(len(LABELS)), counts)
        model = NetworkClassifier(optimizer="quasi_newton", epochs=4, random_state=0)
        weighted = model.fit(MANY, LABELS, counts).predict_proba(MANY)
        repeated = model.fit(MANY[copies], LABELS[copies]).predict_proba(MANY)
        assert np.allclose(weighted, repeated, atol=1e-7)

    def test_what_does_not_fit_is_refused(self):
        with pytest.raises(ValueError, match=r"ends in Sigmoid\(3\), but y has 4 classes"):
            NetworkClassifier("Sigmoid(3)").fit(MANY, LABELS)
        with pytest.raises(ValueError, match="class_weight is for one class per example"):
            NetworkClassifier(class_weight="balanced").fit(MANY, LABELS)
        with pytest.raises(ValueError, match="one column of zeros and ones for each label"):
            NetworkClassifier().fit(MANY, LABELS + np.arange(4))
        model = NetworkClassifier().partial_fit(MANY, LABELS)
        with pytest.raises(
            ValueError, match=r"\(400, 3\), but the first call had 4 labels each"
        ):
            model.partial_fit(MANY, LABELS[:, :3])
        with pytest.raises(ValueError, match=r"\(400,\), but the first call had 4 labels each"):
            model.partial_fit(MANY, LABELS[:, 0])
