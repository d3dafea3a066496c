"""The modern Hopfield network: its update, its energy, what it holds."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.exceptions import ConvergenceWarning

from neuropil.classic import ModernHopfieldNetwork

ROWS = arrays(float, (4, 3), elements=st.floats(-5, 5))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@settings(max_examples=30, deadline=None)
@given(ROWS, arrays(float, (2, 3), elements=st.floats(-5, 5)), st.floats(0.1, 10))
def test_a_step_is_torchs_attention(patterns, states, beta):
    network = ModernHopfieldNetwork(beta, max_steps=1).fit(patterns)
    query, keys = torch.tensor(states), torch.tensor(patterns)
    attention = torch.nn.functional.scaled_dot_product_attention
    expected = attention(query[None], keys[None], keys[None], scale=beta)[0]
    np.testing.assert_allclose(network.transform(states), expected, atol=1e-9)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@settings(max_examples=30, deadline=None)
@given(ROWS, arrays(float, (1, 3), elements=st.floats(-5, 5)), st.floats(0.1, 10))
def test_no_step_raises_the_energy_which_is_never_negative(patterns, state, beta):
    network = ModernHopfieldNetwork(beta, max_steps=1).fit(patterns)
    energies = [network.energy(state)[0]]
    for _ in range(5):
        state = network.transform(state)
        energies.append(network.energy(state)[0])
    assert (np.diff(energies) <= 1e-9 * (1 + abs(energies[0]))).all()
    assert energies[-1] >= -1e-9


def test_energy_by_hand():
    network = ModernHopfieldNetwork(beta=2.0).fit([[1.0, 0.0], [0.0, 2.0]])
    inside = np.log(np.exp(2 * 0.5) + np.exp(2 * 2.0)) / 2
    expected = -inside + 0.5 * (0.25 + 1) + np.log(2) / 2 + 0.5 * 4
    assert network.energy([[0.5, 1.0]])[0] == pytest.approx(expected)


def test_it_holds_many_more_patterns_than_it_has_columns():
    rng = np.random.default_rng(0)
    patterns = rng.choice([-1.0, 1.0], (20_000, 64))
    probes = np.where(rng.random((100, 64)) < 0.08, -1, 1) * patterns[:100]
    network = ModernHopfieldNetwork(beta=1.0).fit(patterns)
    np.testing.assert_array_equal(np.sign(network.transform(probes)), patterns[:100])
    np.testing.assert_allclose(network.transform(patterns[:50]), patterns[:50], atol=1e-3)


def test_a_small_beta_gives_the_mean_and_one_pattern_is_always_found():
    patterns = np.random.default_rng(0).normal(size=(10, 4))
    network = ModernHopfieldNetwork(beta=1e-6).fit(patterns)
    np.testing.assert_allclose(network.transform(patterns[:2])[0], patterns.mean(0), atol=1e-4)
    alone = ModernHopfieldNetwork().fit(patterns[:1])
    np.testing.assert_allclose(alone.transform(patterns), np.repeat(patterns[:1], 10, axis=0))


def test_patterns_stored_in_pieces_are_all_there():
    patterns = np.random.default_rng(0).normal(size=(12, 5))
    parts = ModernHopfieldNetwork(3.0)
    for piece in np.array_split(patterns, 3):
        parts.partial_fit(piece)
    np.testing.assert_array_equal(parts.patterns_, patterns)


def test_what_is_stored_is_a_copy():
    patterns = np.eye(3)
    network = ModernHopfieldNetwork().fit(patterns)
    patterns[:] = 9
    np.testing.assert_array_equal(network.patterns_, np.eye(3))


def test_recall_that_must_end_early_says_so():
    patterns = np.random.default_rng(0).normal(size=(12, 5))
    network = ModernHopfieldNetwork(max_steps=1, tol=0.0).fit(patterns)
    with pytest.warns(ConvergenceWarning, match="12 rows still moved after 1 updates"):
        network.transform(patterns)


def test_large_numbers_are_refused_and_not_made_nan():
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        network = ModernHopfieldNetwork().fit([[1e120, 0.0], [0.0, 1e120]])
        assert network.transform([[1e120, 0.0]]).tolist() == [[1e120, 0.0]]
        with pytest.raises(ValueError, match="overflow float64"):
            network.transform([[1e300, 1.0]])
    with pytest.raises(ValueError, match="squares are finite"):
        ModernHopfieldNetwork().fit([[1e200, 0.0]])


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"beta": 0}, r"`beta` must be a number in \(0, inf\), got 0"),
        ({"beta": np.nan}, "`beta` must be a number"),
        ({"tol": -1}, r"`tol` must be a number in \[0, inf\)"),
        ({"max_steps": 1.5}, "`max_steps` must be a whole number from 1 .*, got 1.5"),
    ],
)
def test_wrong_options_are_said(options, reason):
    with pytest.raises(ValueError, match=reason):
        ModernHopfieldNetwork(**options).fit(np.eye(2))
