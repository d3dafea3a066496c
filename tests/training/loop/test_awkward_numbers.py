"""What the estimators make of awkward data, beside scikit-learn's own preparation."""

import copy
import pickle
import warnings

import numpy as np
import pytest
import torch
from sklearn.preprocessing import LabelEncoder, StandardScaler

from neuropil import Network, NetworkClassifier, NetworkRegressor
from neuropil.classic import GRNN
from neuropil.datasets import Dataset
from neuropil.layers import Input, Linear, Relu
from neuropil.runs.classic_model import ClassicModel
from neuropil.training import Trainer

N = 120


def column(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(N)


Z = column(0)
SETS = {
    "plain": Z,
    "offset of 1e3": Z + 1e3,
    "offset of 1e6": Z + 1e6,
    "offset of 1e9": Z * 10 + 1e9,
    "negative offset": Z - 1e9,
    "offset of 1e12": Z + 1e12,
    "seconds since 1970": 1.7e9 + 60 * Z,
    "milliseconds since 1970": 1.7e12 + np.round(1000 * Z),
    "nanoseconds since 1970": 1.7e18 + np.round(1e6 * Z),
    "whole nanoseconds": np.int64(1_700_000_000 * 10**9) + (1e6 * Z).astype(np.int64),
    "integers of 64 bits": 2**62 + (2**40 * Z).astype(np.int64),
    "integers far below zero": -(2**61) + (2**40 * Z).astype(np.int64),
    "years": np.round(2000 + 10 * Z),
    "counts": np.arange(N, dtype=np.int64),
    "bytes": (50 * Z + 128).clip(0, 255).astype(np.uint8),
    "truth values": Z > 0,
    "scale of 1e-5": Z * 1e-5,
    "scale of 1e-12": Z * 1e-12,
    "scale of 1e-30": Z * 1e-30,
    "scale of 1e-50": Z * 1e-50,
    "scale of 1e-140": Z * 1e-140,
    "scale of 1e12": Z * 1e12,
    "scale of 1e30": Z * 1e30,
    "scale of 1e50": Z * 1e50,
    "scale of 1e140": Z * 1e140,
    "small scale, offset": 1 + Z * 1e-7,
    "ties": np.round(Z),
    "two values": np.where(Z > 0, 1e9, 1e9 + 1),
    "constant": np.full(N, 3.5),
    "constant, not exact": np.full(N, 0.1),
    "constant, huge": np.full(N, 1e15 / 3),
    "constant, zero": np.zeros(N),
    "one outlier": np.where(np.arange(N) == 7, 1e8, Z),
    "outlier first": np.where(np.arange(N) == 0, 1e8, Z),
    "heavy tails": np.exp(10 * Z),
    "single precision": (Z * 3 + 500).astype(np.float32),
}


@pytest.fixture(params=SETS)
def numbers(request) -> np.ndarray:
    return SETS[request.param]


def reference(values: np.ndarray) -> np.ndarray:
    """Return the values as scikit-learn standardises them, from a near origin."""
    wide = values.astype(np.float64)
    return StandardScaler().fit_transform(wide.reshape(-1, 1))[:, 0]


def test_inputs_are_standardised_as_by_scikit_learn(numbers):
    """A network of one Input alone shows what all that follow it get."""
    network = Network.parse("Input(1) >> Linear(1)")
    with torch.no_grad():
        network.linear1.weight.fill_(1)
        network.linear1.bias.fill_(0)
    X = numbers.astype(np.float64).reshape(-1, 1)
    network.normalize(torch.from_numpy(X))
    tolerance = 1e-3 if np.abs(X).max() < 1e12 else 1e-2
    assert np.allclose(network.predict(X)[:, 0], reference(numbers), atol=tolerance)
    assert network.predict(X).dtype == np.float32


def test_the_regressor_learns_from_them(numbers):
    y = 3 * reference(numbers)
    model = NetworkRegressor(Linear(1), lr=0.1, epochs=20, random_state=0)
    X = numbers.reshape(-1, 1)
    if np.ptp(y) == 0:
        y = Z
        assert np.allclose(model.fit(X, y).predict(X), y.mean(), atol=0.2)
    else:
        assert model.fit(X, y).score(X, y) > 0.99


def test_the_regressor_predicts_them_in_their_units(numbers):
    y = numbers.astype(np.float64)
    X = reference(numbers).reshape(-1, 1)
    model = NetworkRegressor(Linear(1), lr=0.1, epochs=20, random_state=0).fit(X, y)
    scaler = StandardScaler().fit(y.reshape(-1, 1))
    assert model.target_mean_ == pytest.approx(
        scaler.mean_[0], rel=1e-12, abs=1e-16 * scaler.scale_[0]
    )
    assert model.target_scale_ == pytest.approx(scaler.scale_[0], rel=1e-3)
    predicted = model.predict(X)
    assert predicted.dtype == np.float64
    assert np.abs(predicted - y).max() <= 0.2 * model.target_scale_ or np.ptp(y) == 0


def test_classic_networks_get_the_same(numbers):
    X = torch.from_numpy(numbers.reshape(-1, 1))
    model = ClassicModel(GRNN()).fit(X, torch.from_numpy(Z))
    assert np.allclose(model.rows(X)[:, 0], reference(numbers), atol=1e-3)


@pytest.mark.parametrize(
    "labels",
    [
        2**62 + np.arange(N) % 3,
        np.array(["b", "a", "10", "9"])[np.arange(N) % 4],
        np.where(np.arange(N) % 2, 1e9, 1e9 + 1),
        np.arange(N) % 2 == 0,
        np.array([-1, 1])[np.arange(N) % 2],
    ],
    ids=["64 bits", "words", "near numbers", "truth values", "signs"],
)
def test_labels_are_numbered_as_by_scikit_learn(labels):
    X = LabelEncoder().fit_transform(labels).reshape(-1, 1) + 1e9
    model = NetworkClassifier(lr=0.05, epochs=40, random_state=0).fit(X, labels)
    assert model.classes_.tolist() == LabelEncoder().fit(labels).classes_.tolist()
    assert model.score(X, labels) == 1
    assert np.isin(model.predict(X), labels).all()


class TestWhatNobodyCanLearnFrom:
    @pytest.mark.parametrize("bad", [np.nan, np.inf])
    @pytest.mark.parametrize("make", [NetworkClassifier, NetworkRegressor])
    def test_missing_numbers_are_refused(self, make, bad):
        X = Z.reshape(-1, 1) + 1e9
        X[3] = bad
        with pytest.raises(ValueError, match=r"NaN|infinity"):
            make().fit(X, np.arange(N) % 2)

    def test_one_class(self):
        with pytest.raises(ValueError, match="at least 2 classes"):
            NetworkClassifier().fit(Z.reshape(-1, 1), np.zeros(N, int))

    def test_unseen_classes(self):
        model = NetworkClassifier(random_state=0).partial_fit(Z[:, None], np.arange(N) % 2)
        with pytest.raises(ValueError, match="2"):
            model.partial_fit(Z[:, None], np.full(N, 2))
        # As scikit-learn's own: a label that was never seen is never right.
        assert model.score(Z[:, None], np.full(N, 5)) == 0


class TestTheInput:
    def exact(self) -> tuple[Network, torch.Tensor]:
        x = torch.from_numpy(SETS["milliseconds since 1970"]).reshape(-1, 1)
        network = Input(1) >> Relu(4) >> Linear(1)
        network.normalize(x)
        return network, x

    def test_it_keeps_its_mean_through_types_copies_and_files(self, tmp_path):
        network, x = self.exact()
        wanted = network.predict(x)
        network.save(tmp_path)
        for again in (
            copy.deepcopy(network),
            pickle.loads(pickle.dumps(network)),
            Network.load(tmp_path),
            copy.deepcopy(network).double().float(),
        ):
            assert torch.equal(again.predict(x), wanted)
            assert again.state_dict()["relu1.weight"].dtype == torch.float32
        assert torch.allclose(
            copy.deepcopy(network).double().predict(x).float(), wanted, atol=1e-5
        )

    def test_it_takes_integers_as_they_are(self):
        network, x = self.exact()
        assert torch.equal(network.predict(x.long()), network.predict(x))

    def test_it_is_exported(self):
        network, x = self.exact()
        exported = torch.export.export(network.eval(), (x,))
        assert torch.allclose(exported.module()(x), network(x))


class TestTheTrainer:
    @pytest.mark.parametrize("as_dataset", [False, True])
    def test_it_tells_arrays_far_from_zero_apart(self, as_dataset):
        X = SETS["milliseconds since 1970"].reshape(-1, 1)
        labels = (X[:, 0] > np.median(X)).astype(np.int64)
        data = Dataset(X, labels) if as_dataset else (X, labels)
        network = Input(1) >> Relu(8) >> Linear(2)
        network.reset_parameters(torch.Generator().manual_seed(0))
        trainer = Trainer(
            network,
            optimizer=torch.optim.Adam(network.parameters(), lr=0.02),
            loss="cross_entropy",
            metrics=["accuracy"],
            seed=0,
            progress=False,
            threads=None,
        )
        trainer.fit(data, data, epochs=60)
        assert trainer.evaluate(data)["accuracy"] > 0.98
        assert trainer.history[-1]["validation_accuracy"] > 0.98

    def test_targets_that_its_type_cannot_hold_are_said(self):
        trainer = Trainer(
            Input(1) >> Linear(1), loss="squared_error", progress=False, threads=None
        )
        with pytest.warns(UserWarning, match="differ by less than torch.float32 can hold"):
            trainer.fit((Z[:, None], 1e9 + 10 * Z[:, None]), epochs=1)

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_inputs_whose_digits_are_lost_are_said(self, dtype):
        X = np.array(1.7e9 if dtype is np.float32 else 1.7e18, dtype) + (200 * Z).astype(dtype)
        trainer = Trainer(
            Input(1) >> Linear(1), loss="squared_error", progress=False, threads=None
        )
        with pytest.warns(
            UserWarning, match=f"column 0 varies by .* where {dtype.__name__} has"
        ):
            trainer.fit((X[:, None], Z[:, None]), epochs=1)

    @pytest.mark.parametrize(
        ("network", "normalize"),
        [(torch.nn.Linear(1, 1), True), (Input(1) >> Linear(1), False)],
        ids=["torch", "as they are"],
    )
    def test_inputs_that_nothing_is_taken_off_from_are_said(self, network, normalize):
        trainer = Trainer(
            network, loss="squared_error", normalize=normalize, progress=False, threads=None
        )
        with pytest.warns(
            UserWarning, match="inputs differ by less than torch.float32 can hold"
        ):
            trainer.fit((1e9 + Z[:, None], Z[:, None]), epochs=1)

    def test_others_are_not(self):
        trainer = Trainer(
            Input(1) >> Linear(1), loss="squared_error", progress=False, threads=None
        )
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            trainer.fit((1e9 + Z[:, None], 100 + 10 * Z[:, None]), epochs=1)


class TestDataset:
    def test_what_single_precision_cannot_hold_stays(self):
        data = Dataset(1e9 + Z[:, None], 1e9 + Z)
        assert np.array_equal(data.inputs.numpy()[:, 0], 1e9 + Z)
        assert np.array_equal(data.targets.numpy(), 1e9 + Z)

    def test_others_become_single_precision(self):
        data = Dataset(5 + Z[:, None], Z)
        assert data.inputs.dtype == data.targets.dtype == torch.float32

    def test_large_integers_do_not_turn_negative(self):
        ids = np.array([2**63 + 2**20 * k for k in range(9)], dtype=np.uint64)
        assert (
            Dataset(ids[:, None]).inputs.double().numpy()[:, 0].tolist()
            == ids.astype(float).tolist()
        )
