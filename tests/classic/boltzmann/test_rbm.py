"""Restricted Boltzmann machines, against sums over all states and scikit-learn's machine."""

import itertools
import math
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logsumexp
from sklearn.datasets import load_digits
from sklearn.neural_network import BernoulliRBM

from neuropil.classic import RBM


def machine(n_visible: int, n_hidden: int, *, seed: int = 0, scale: float = 1.0, **options):
    """Return a machine with drawn weights."""
    rng = np.random.default_rng(seed)
    bits = rng.integers(2, size=(8, n_visible)).astype(float)
    rbm = RBM(n_hidden, n_epochs=1, random_state=seed, **options).fit(bits)
    rbm.components_ = rng.normal(scale=scale, size=(n_hidden, n_visible))
    rbm.intercept_hidden_ = rng.normal(size=n_hidden)
    rbm.intercept_visible_ = rng.normal(size=n_visible)
    return rbm


def states(n: int) -> np.ndarray:
    """Return all states of n bits."""
    return np.array(list(itertools.product([0.0, 1.0], repeat=n)))


def minus_energies(rbm: RBM, V: np.ndarray) -> np.ndarray:
    """Return −E for each row of V and each hidden state, term by term as the formula has it."""
    H = states(len(rbm.components_))
    pairs = V @ rbm.components_.T @ H.T
    return V @ rbm.intercept_visible_[:, None] + H @ rbm.intercept_hidden_ + pairs


@pytest.mark.parametrize("sizes", [(3, 5), (5, 3)])
def test_probabilities_are_those_of_the_energy(sizes):
    rbm = machine(*sizes)
    V = states(sizes[0])
    energies = minus_energies(rbm, V)
    np.testing.assert_allclose(-rbm.free_energy(V), logsumexp(energies, axis=1))
    assert rbm.log_partition("exact") == pytest.approx(logsumexp(energies))
    assert np.exp(rbm.score_samples(V)).sum() == pytest.approx(1)
    weights = np.exp(energies - logsumexp(energies, axis=1, keepdims=True))
    np.testing.assert_allclose(rbm.transform(V), weights @ states(sizes[1]))


def test_a_gaussian_machine_integrates_to_one():
    rbm = machine(2, 3, visible="gaussian", scale=0.5)
    line = np.linspace(-12, 12, 301)
    plane = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
    density = np.exp(rbm.score_samples(plane)).sum() * (line[1] - line[0]) ** 2
    assert density == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("visible", ["bernoulli", "gaussian"])
@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 1000))
def test_the_annealed_estimate_is_near_the_exact_partition(visible, seed):
    rbm = machine(12, 8, seed=seed, scale=0.3, visible=visible)
    annealed = rbm.log_partition("annealed", n_temperatures=500)
    assert annealed == pytest.approx(rbm.log_partition("exact"), abs=0.3)
    assert annealed == rbm.log_partition("annealed", n_temperatures=500)


def test_chains_draw_what_the_energy_says():
    rbm = machine(4, 3)
    drawn = rbm.sample(20_000, n_steps=30, random_state=1)
    shares = np.bincount((drawn @ [8, 4, 2, 1]).astype(int), minlength=16) / len(drawn)
    np.testing.assert_allclose(shares, np.exp(rbm.score_samples(states(4))), atol=0.015)
    means = rbm.sample(20_000, n_steps=30, expected=True, random_state=1).mean(0)
    np.testing.assert_allclose(means, drawn.mean(0), atol=0.015)


def test_a_gaussian_machine_draws_around_what_it_expects():
    rbm = machine(3, 2, visible="gaussian")
    H = np.repeat([[1.0, 0.0]], 20_000, axis=0)
    drawn = rbm.draw(H, 0)
    expected = rbm.intercept_visible_ + rbm.components_[0]
    np.testing.assert_allclose(drawn.mean(0), expected, atol=0.03)
    np.testing.assert_allclose(drawn.std(0), 1, atol=0.03)
    np.testing.assert_allclose(rbm.inverse_transform(H[:1])[0], expected)


def test_a_batch_moves_weights_as_the_formula_says():
    # Weights so strong that nothing is left to chance: each chain's bits follow its state.
    rbm = machine(3, 2, batch_size=2, lr=0.5)
    V = np.array([[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]])
    W = 50 * np.array([[1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
    b, c = np.array([-25.0, -25.0, -25.0]), np.array([-25.0, -25.0])
    rbm.components_, rbm.intercept_visible_, rbm.intercept_hidden_ = W.T, b, c
    rbm.chains_ = np.array([[1.0, 0.0], [0.0, 1.0]])
    given = expit(c + V @ W)
    ghosts = np.array([[1.0, 1.0, 0.0], [0.0, 1.0, 1.0]])
    answers = expit(c + ghosts @ W)
    rbm.partial_fit(V)
    np.testing.assert_allclose(rbm.components_.T, W + 0.25 * (V.T @ given - ghosts.T @ answers))
    np.testing.assert_allclose(rbm.intercept_visible_, b + 0.5 * (V - ghosts).mean(0))
    np.testing.assert_allclose(rbm.intercept_hidden_, c + 0.5 * (given - answers).mean(0))
    np.testing.assert_array_equal(rbm.chains_, answers.round())


@pytest.mark.parametrize("options", [{}, {"persistent": False}, {"n_steps": 3}])
def test_likelihood_grows_towards_that_of_the_data(options):
    V = np.repeat([[1.0, 1, 0, 0, 1], [0, 0, 1, 1, 0], [1, 0, 1, 0, 1]], 30, axis=0)
    rbm = RBM(8, n_epochs=200, lr=0.1, random_state=0, **options).fit(V)
    # Three kinds of rows, equally often: no model can do better than log 3.
    assert -math.log(3) - 0.35 < rbm.score(V) < -math.log(3)


def test_no_worse_than_scikit_learn_on_digits():
    X = load_digits().data / 16
    shared = {"batch_size": 10, "random_state": 0}
    peer = BernoulliRBM(40, learning_rate=0.05, n_iter=5, **shared).fit(X)
    ours = RBM(40, lr=0.05, n_epochs=5, binarize=None, decay=False, **shared).fit(X)
    theirs = peer.score_samples(X).mean()
    peer.components_ = ours.components_
    peer.intercept_hidden_ = ours.intercept_hidden_
    peer.intercept_visible_ = ours.intercept_visible_
    assert peer.score_samples(X).mean() > theirs - 0.3
    np.testing.assert_allclose(ours.transform(X), peer.transform(X))


def test_a_falling_rate_leaves_chains_that_draw_like_the_data():
    V = (load_digits().data > 7.5).astype(float)
    options = {"n_epochs": 15, "lr": 0.1, "random_state": 0}
    distance = [
        np.abs(RBM(30, decay=decay, **options).fit(V).sample(300).mean(0) - V.mean(0)).mean()
        for decay in (False, True)
    ]
    assert distance[1] < 0.05
    assert distance[1] < distance[0]


def test_partial_fit_is_a_fit_of_one_epoch_and_goes_on_after_a_pickle():
    V = states(4)
    options = {"n_epochs": 1, "random_state": 3}
    whole, begun = RBM(3, **options).fit(V), RBM(3, **options).partial_fit(V)
    np.testing.assert_array_equal(whole.components_, begun.components_)
    copy = pickle.loads(pickle.dumps(begun)).partial_fit(V[:5])
    np.testing.assert_array_equal(copy.components_, begun.partial_fit(V[:5]).components_)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_precision_is_kept(dtype):
    X = np.random.default_rng(0).random((30, 6)).astype(dtype)
    rbm = RBM(4, binarize=0.5, random_state=0).fit(X)
    kept = [
        rbm.components_,
        rbm.transform(X),
        rbm.sample(2),
        rbm.inverse_transform([[1, 0, 0, 1]]),
    ]
    assert {values.dtype for values in kept} == {np.dtype(dtype)}
    assert rbm.free_energy(X) == pytest.approx(rbm.free_energy(X.astype(float)), rel=1e-5)


def test_binarize_says_what_a_bit_is():
    X = np.array([[0.2, 0.6], [0.9, 0.4]])
    bits, shades = RBM(2, binarize=0.5, random_state=0), RBM(2, binarize=None, random_state=0)
    bits.fit(X)
    np.testing.assert_array_equal(bits.transform(X), bits.transform([[0, 1], [1, 0]]))
    assert (shades.fit(X).transform(X) != shades.transform([[0, 1], [1, 0]])).all()
    with pytest.raises(ValueError, match=r"from 0 to 1, got 1.5 in row 1, column 0"):
        shades.fit([[0.0, 1.0], [1.5, 0.0]])


def test_wrong_input_has_one_clear_line():
    X = np.eye(4)
    for options, match in [
        ({"lr": 0}, r"`lr` must be a number in \(0, inf\), got 0"),
        ({"n_hidden": 0}, "`n_hidden` must be a whole number from 1 .*, got 0"),
        ({"visible": "real"}, "`visible` must be 'bernoulli' or 'gaussian', got 'real'"),
        ({"n_steps": 1.5}, "`n_steps` must be a whole number"),
    ]:
        with pytest.raises(ValueError, match=match):
            RBM(**options).fit(X)
    rbm = RBM(21, random_state=0, visible="gaussian").fit(X)
    with pytest.raises(ValueError, match="at most 20 bits on one side, got 21"):
        rbm.log_partition("exact")
    with pytest.raises(ValueError, match="must be 'auto', 'exact' or 'annealed', got 'ais'"):
        rbm.log_partition("ais")
    with pytest.raises(ValueError, match="needs 21 columns, one per hidden unit, got 3"):
        rbm.inverse_transform([[1, 0, 1]])


def test_divergence_is_said_and_leaves_the_model_as_it_was():
    X = np.random.default_rng(0).normal(size=(1000, 5))
    rbm = RBM(50, visible="gaussian", lr=0.01, random_state=0).partial_fit(X)
    before = rbm.components_.copy(), rbm.chains_.copy()
    rbm.set_params(lr=10.0)
    with pytest.raises(
        ValueError, match=r"grow without bound in epoch 1 at lr=10; .* variance"
    ):
        rbm.partial_fit(X)
    np.testing.assert_array_equal(rbm.components_, before[0])
    np.testing.assert_array_equal(rbm.chains_, before[1])


@pytest.mark.parametrize("X", [np.ones((1, 3)), np.zeros((20, 3)), np.full((20, 3), 7.0)])
@pytest.mark.parametrize("visible", ["bernoulli", "gaussian"])
def test_one_row_and_constant_columns_are_learnt(X, visible):
    rbm = RBM(4, visible=visible, lr=0.01, random_state=0).fit(X)
    assert np.isfinite(rbm.score_samples(X)).all()
    assert np.isfinite(rbm.sample(3, n_steps=5)).all()
