"""The scikit-learn face of networks."""

import pickle
import warnings

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_digits, load_iris
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from neuropil import NetworkClassifier, NetworkRegressor
from neuropil.layers import BatchNorm, Convolution, Flatten, Input, Linear, Relu, Softmax

IRIS = load_iris(return_X_y=True)


# With batches drawn at random, copies of an example come at other times than the example.
IN_BATCHES = {
    f"check_sample_weight_equivalence_on_{kind}_data": "copies are in other batches"
    for kind in ("dense", "sparse")
}


# The checks fit hundreds of times: fewer epochs, as scikit-learn takes for its own networks.
@parametrize_with_checks(
    [
        NetworkClassifier(lr=0.02, epochs=8, random_state=0),
        NetworkRegressor(lr=0.02, epochs=12, random_state=0),
    ],
    expected_failed_checks=lambda _: IN_BATCHES,
)
def test_scikit_learns_own_checks(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(estimator)


class TestNetworks:
    @pytest.mark.parametrize(
        "network",
        [
            None,
            Relu(16),
            Relu(16) >> BatchNorm() >> Relu(8),
            "Relu(16) >> Softmax(3)",
            Input(4) >> Relu(16) >> Softmax(3),
            Input(4) >> Relu(16) >> Linear(3),
        ],
        ids=repr,
    )
    def test_hidden_layers_full_networks_and_expressions(self, network):
        X, y = IRIS
        model = NetworkClassifier(network, lr=0.01, random_state=0).fit(X, y)
        assert model.score(X, y) > 0.9
        assert np.allclose(model.predict_proba(X).sum(axis=1), 1)

    def test_fit_never_touches_the_argument(self):
        X, y = IRIS
        network = Input(4) >> Relu(16) >> Softmax(3)
        before = {key: value.clone() for key, value in network.state_dict().items()}
        NetworkClassifier(network, epochs=2).fit(X, y)
        assert network.state_dict().keys() == before.keys()
        for key, value in network.state_dict().items():
            assert torch.equal(value, before[key])

    def test_folds_share_no_weights(self):
        X, y = IRIS
        order = np.random.default_rng(0).permutation(len(y))
        result = cross_validate(
            NetworkClassifier(Relu(8), epochs=3, random_state=0),
            X[order],
            y[order],
            cv=3,
            return_estimator=True,
        )
        weights = [model.network_.relu1.weight for model in result["estimator"]]
        assert len({weight.data_ptr() for weight in weights}) == 3
        assert not torch.equal(weights[0], weights[1])

    def test_pictures_keep_their_axes(self):
        images = load_digits().images[:300, None]
        y = load_digits().target[:300]
        network = Convolution(8, 3) >> Relu() >> Flatten()
        model = NetworkClassifier(network, lr=0.01, epochs=10, random_state=0).fit(images, y)
        assert model.score(images, y) > 0.95

    def test_a_wrong_number_of_outputs_is_refused(self):
        with pytest.raises(ValueError, match=r"ends in Softmax\(2\), but y has 3 classes"):
            NetworkClassifier("Relu(4) >> Softmax(2)").fit(*IRIS)


class TestClassifier:
    def test_any_labels(self):
        X, y = IRIS
        names = np.array(["setosa", "versicolor", "virginica"])[y]
        model = NetworkClassifier(lr=0.01, random_state=0).fit(X, names)
        assert set(model.predict(X)) == set(names)

    def test_partial_fit_goes_on_where_it_stopped_through_a_pickle(self):
        X, y = IRIS
        straight = NetworkClassifier(random_state=0)
        stored = NetworkClassifier(random_state=0)
        for _ in range(5):
            straight.partial_fit(X, y, classes=[0, 1, 2])
            stored = pickle.loads(pickle.dumps(stored.partial_fit(X, y, classes=[0, 1, 2])))
        assert np.array_equal(straight.predict_proba(X), stored.predict_proba(X))
        assert len(stored.history_) == 5

    def test_partial_fit_names_a_label_it_does_not_know(self):
        X, y = IRIS
        model = NetworkClassifier().partial_fit(X[:100], y[:100])
        with pytest.raises(ValueError, match=r"label .*2.* not among the classes"):
            model.partial_fit(X, y)

    def test_balanced_weights_raise_the_recall_of_a_rare_class(self):
        rng = np.random.default_rng(0)
        X = np.r_[rng.normal(0, 1, (500, 2)), rng.normal(1.5, 1, (25, 2))]
        y = np.r_[np.zeros(500), np.ones(25)]
        recalls = [
            NetworkClassifier(class_weight=weight, random_state=0)
            .fit(X, y)
            .predict(X)[500:]
            .mean()
            for weight in (None, "balanced")
        ]
        assert recalls[1] > recalls[0] + 0.3

    def test_early_stopping_holds_out_a_part(self):
        X, y = IRIS
        model = NetworkClassifier(
            lr=0.05, epochs=500, validation_fraction=0.2, patience=5, random_state=0
        ).fit(X, y)
        assert len(model.history_) < 500
        assert "validation_loss" in model.history_.columns


class TestRegressor:
    def test_targets_of_any_scale(self):
        X, y = load_diabetes(return_X_y=True)
        model = NetworkRegressor(lr=0.003, random_state=0).fit(X, y * 1e6 + 1e9)
        assert model.score(X, y * 1e6 + 1e9) > 0.5

    def test_several_targets(self):
        X = np.random.default_rng(0).normal(size=(300, 3))
        Y = np.c_[X[:, 0], 100 * X[:, 1] - 7]
        model = NetworkRegressor(lr=0.01, random_state=0).fit(X, Y)
        assert model.predict(X).shape == (300, 2)
        assert model.score(X, Y) > 0.95


class TestComposing:
    def test_pipeline_grid_search_and_clone(self):
        X, y = IRIS
        pipeline = make_pipeline(StandardScaler(), NetworkClassifier(epochs=5, random_state=0))
        search = GridSearchCV(
            pipeline, {"networkclassifier__network": [Relu(4), "Tanh(8)"]}, cv=2
        ).fit(X, y)
        assert search.best_score_ > 0.5
        assert clone(pipeline).steps[1][1].get_params()["epochs"] == 5

    def test_pickle_gives_equal_predictions(self):
        X, y = IRIS
        model = NetworkClassifier(epochs=3, random_state=0).fit(X, y)
        assert np.array_equal(
            pickle.loads(pickle.dumps(model)).predict_proba(X), model.predict_proba(X)
        )

    def test_single_precision_in_single_precision_out(self):
        X, y = IRIS
        model = NetworkClassifier(epochs=3, random_state=0).fit(X.astype(np.float32), y)
        assert model.predict_proba(X.astype(np.float32)).dtype == np.float32
        assert NetworkClassifier(epochs=1).fit(X, y).predict_proba(X).dtype == np.float64


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_whole_numbers_that_become_one_are_said():
    X = np.array([[2**60, 0], [2**60 + 1, 1]] * 10)
    with pytest.warns(UserWarning, match="column 0 varies by 0 about 1.15292e"):
        NetworkClassifier(epochs=1, random_state=0).fit(X, [0, 1] * 10)
