"""Deep belief networks: greedy layers, and the network made of them."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from neuropil import Trainer
from neuropil.classic import RBM, DeepBeliefNetwork
from neuropil.layers import Softmax
from neuropil.optim import Adam

X = load_digits().data / 16
OPTIONS = {"binarize": None, "n_epochs": 3, "lr": 0.1, "random_state": 0}


@pytest.fixture(scope="module")
def belief() -> DeepBeliefNetwork:
    """Return a network of two layers, learnt from digits."""
    return DeepBeliefNetwork((40, 20), **OPTIONS).fit(X)


def test_each_machine_learns_what_the_one_below_says(belief):
    first, second = belief.machines_
    below = RBM(40, **OPTIONS | {"random_state": first.random_state}).fit(X)
    np.testing.assert_array_equal(below.components_, first.components_)
    above = RBM(20, **OPTIONS | {"random_state": second.random_state}).fit(below.transform(X))
    np.testing.assert_array_equal(above.components_, second.components_)
    np.testing.assert_array_equal(above.transform(below.transform(X)), belief.transform(X))
    assert belief.get_feature_names_out()[-1] == "deepbeliefnetwork19"


def test_the_network_says_the_same_and_can_be_trained_further(belief):
    network = belief.to_network()
    np.testing.assert_allclose(network.predict(X[:50]), belief.transform(X[:50]), atol=1e-5)
    classifier = network >> Softmax(10)
    trainer = Trainer(
        classifier,
        optimizer=Adam(classifier.parameters(), lr=0.01),
        metrics=["accuracy"],
        seed=0,
    )
    data = (X.astype(np.float32), load_digits().target)
    trainer.fit(data, epochs=10, batch_size=64)
    assert trainer.evaluate(data)["accuracy"] > 0.9
    # Nothing shifted what the first layer was trained on.
    assert not torch.any(classifier.layers["input1"].mean)


def test_the_way_back_goes_through_every_machine(belief):
    first, second = belief.machines_
    back = first.inverse_transform(second.inverse_transform(belief.transform(X)))
    np.testing.assert_array_equal(belief.inverse_transform(belief.transform(X)), back)
    assert belief.score(X) == pytest.approx(-((X - back) ** 2).mean())


def test_samples_come_from_the_top_down(belief):
    drawn = belief.sample(200, n_steps=50, random_state=1)
    assert set(np.unique(drawn)) == {0.0, 1.0}
    expected = belief.sample(200, n_steps=50, expected=True, random_state=1)
    assert ((expected > 0) & (expected < 1)).all()
    assert np.abs(expected.mean(0) - X.mean(0)).mean() < 0.1
    np.testing.assert_array_equal(drawn, belief.sample(200, n_steps=50, random_state=1))


def test_one_layer_is_a_machine():
    belief = DeepBeliefNetwork(15, **OPTIONS).fit(X)
    [only] = belief.machines_
    np.testing.assert_array_equal(
        belief.sample(5, n_steps=3, expected=True, random_state=2),
        only.sample(5, n_steps=3, expected=True, random_state=np.random.RandomState(2)),
    )


def test_real_numbers_come_in_below():
    belief = DeepBeliefNetwork((6, 3), visible="gaussian", lr=0.01, random_state=0)
    Z = np.random.default_rng(0).normal(size=(60, 4))
    assert belief.fit(Z).sample(4, n_steps=5).std() > 0.2
    np.testing.assert_allclose(belief.to_network().predict(Z), belief.transform(Z), atol=1e-5)


def test_no_layer_is_refused():
    with pytest.raises(ValueError, match="`n_hidden` must be one whole number or more"):
        DeepBeliefNetwork(()).fit(X)
