"""Hopfield's network: its energy, its rules by their definitions, its recall by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.exceptions import ConvergenceWarning

from neuropil.classic import DiscreteHopfieldNetwork
from neuropil.datasets import load_digits

RULES = ["hebb", "storkey", "pseudo_inverse"]


def patterns(count, n_units, seed=0):
    return np.random.default_rng(seed).choice([-1.0, 1.0], (count, n_units))


def with_flips(rows, share, seed=1):
    turn = np.random.default_rng(seed).random(rows.shape) < share
    return np.where(turn, -rows, rows)


def with_weights(weights, **options):
    """Return a network with weights that no rule gives."""
    network = DiscreteHopfieldNetwork(**options).fit(patterns(1, len(weights)))
    network.weights_, network.low_ = weights, -1
    return network


def storkey_by_definition(rows):
    """Storkey's rule, sum by sum."""
    n = rows.shape[1]
    W = np.zeros((n, n))
    for x in rows:
        h = np.zeros((n, n))
        for i in range(n):
            for j in range(n):
                h[i, j] = sum(W[i, k] * x[k] for k in range(n) if k not in (i, j))
        W = W + (np.outer(x, x) - x[:, None] * h.T - h * x[None, :]) / n
        np.fill_diagonal(W, 0)
    return W


def test_hebbs_rule_by_hand():
    network = DiscreteHopfieldNetwork().fit([[1, 1, -1], [1, -1, -1]])
    np.testing.assert_allclose(network.weights_ * 3, [[0, 0, -2], [0, 0, 0], [-2, 0, 0]])


def test_storkeys_rule_is_its_definition():
    rows = patterns(5, 9)
    network = DiscreteHopfieldNetwork("storkey").fit(rows)
    np.testing.assert_allclose(network.weights_, storkey_by_definition(rows), atol=1e-12)


@pytest.mark.parametrize("count", [1, 4, 12])
def test_the_pseudo_inverse_is_numpys(count):
    rows = patterns(count, 12)
    expected = rows.T @ np.linalg.pinv(rows.T)
    network = DiscreteHopfieldNetwork("pseudo_inverse").fit(rows)
    np.testing.assert_allclose(network.diagonal_, expected.diagonal(), atol=1e-12)
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(network.weights_, expected, atol=1e-12)


@pytest.mark.parametrize("rule", RULES)
def test_patterns_learnt_in_pieces_give_the_same_weights(rule):
    rows = patterns(9, 30)
    rows[5] = rows[2]
    parts = DiscreteHopfieldNetwork(rule)
    for piece in (rows[:1], rows[1:6], rows[6:]):
        parts.partial_fit(piece)
    whole = DiscreteHopfieldNetwork(rule).fit(rows)
    np.testing.assert_allclose(parts.weights_, whole.weights_, atol=1e-12)
    assert parts.n_patterns_ == whole.n_patterns_ == 9


@settings(max_examples=30, deadline=None)
@given(
    arrays(int, (3, 8), elements=st.sampled_from([-1, 1])),
    st.sampled_from(RULES),
    arrays(int, 8, elements=st.sampled_from([-1, 1])),
)
def test_energy_is_its_definition(rows, rule, state):
    network = DiscreteHopfieldNetwork(rule).fit(rows)
    expected = -0.5 * state @ network.weights_ @ state
    assert network.energy([state])[0] == pytest.approx(expected, abs=1e-12)
    assert network.energy([-state])[0] == pytest.approx(expected, abs=1e-12)
    np.testing.assert_array_equal(network.weights_, network.weights_.T)
    assert not network.weights_.diagonal().any()


def test_energy_never_rises_in_a_million_asynchronous_updates():
    """Updates are visits of a unit; half of the weights are learnt, half are only symmetric."""
    updates = 0
    for seed in range(40):
        n_units = 400 + 10 * seed
        if seed % 2:
            network = DiscreteHopfieldNetwork(RULES[seed % 3], random_state=seed)
            network.fit(patterns(n_units // 4, n_units, seed))
        else:
            weights = np.random.default_rng(seed).normal(size=(n_units, n_units))
            np.fill_diagonal(weights, 0)
            network = with_weights(weights + weights.T, random_state=seed)
        for probe in patterns(8, n_units, seed + 1000):
            path = network.recall_path(probe)
            assert (np.diff(path.energies) <= 0).all()
            assert len(path.energies) == 1 + n_units * (len(path.states) - 1)
            # The energies that were summed up are those of the states.
            expected = network.energy(path.states)
            np.testing.assert_allclose(path.energies[::n_units], expected, rtol=1e-9)
            updates += len(path.energies) - 1
    assert updates > 1_000_000


@pytest.mark.parametrize("rule", RULES)
def test_where_recall_ends_no_unit_would_turn(rule):
    network = DiscreteHopfieldNetwork(rule, random_state=0).fit(patterns(40, 120))
    end = network.transform(patterns(50, 120, seed=7))
    assert (end * (end @ network.weights_) >= -1e-9).all()


def test_each_sweep_visits_every_unit():
    """Chained units must all turn, whatever the order: none may be left out."""
    n_units = 50
    weights = np.diag(np.ones(n_units - 1), 1)
    network = with_weights(weights + weights.T, random_state=3)
    probe = np.ones((1, n_units))
    probe[0, ::2] = -1
    end = network.transform(probe)[0]
    assert (end[1:] == end[:-1]).all() or network.energy([end])[0] < network.energy(probe)[0]
    assert (end * (end @ network.weights_) >= 0).all()


@pytest.mark.parametrize("mode", ["async", "sync"])
def test_the_end_of_the_path_is_what_is_recalled(mode):
    network = DiscreteHopfieldNetwork(mode=mode, random_state=0).fit(patterns(12, 100))
    for probe in patterns(20, 100, seed=5):
        path = network.recall_path(probe)
        np.testing.assert_array_equal(path.states[0], probe)
        np.testing.assert_array_equal(path.states[-1], network.transform([probe])[0])


def test_synchronous_recall_by_hand_may_alternate():
    """Two units that excite each other swap their states for ever; one at a time they agree."""
    weights = np.array([[0.0, 1.0], [1.0, 0.0]])
    network = with_weights(weights, mode="sync")
    path = network.recall_path([1, -1])
    assert path.states.tolist() == [[1, -1], [-1, 1], [1, -1]]
    assert path.energies.tolist() == [1, 1, 1]
    network.set_params(mode="async", random_state=0)
    assert len(set(network.transform([[1, -1]])[0])) == 1


def test_rows_do_not_depend_on_their_neighbours():
    for mode in ("async", "sync"):
        network = DiscreteHopfieldNetwork(mode=mode, random_state=0).fit(patterns(30, 60))
        probes = patterns(40, 60, seed=9)
        together = network.transform(probes)
        for row, probe in zip(together, probes, strict=True):
            np.testing.assert_array_equal(network.transform([probe])[0], row)


@pytest.mark.parametrize("mode", ["async", "sync"])
def test_twenty_patterns_of_784_units_come_back_from_two_hundred_probes(mode):
    rows = patterns(20, 784)
    network = DiscreteHopfieldNetwork(mode=mode, random_state=0).fit(rows)
    probes = with_flips(rows[np.arange(200) % 20], 0.1)
    np.testing.assert_array_equal(network.transform(probes), rows[np.arange(200) % 20])


@pytest.mark.parametrize("n_units", [5, 24, 100, 300])
def test_the_pseudo_inverse_keeps_one_pattern_less_than_units(n_units):
    rows = patterns(n_units - 1, n_units)
    network = DiscreteHopfieldNetwork("pseudo_inverse", random_state=0).fit(rows)
    assert network.score(rows) == 1.0
    for mode in ("async", "sync"):
        np.testing.assert_array_equal(network.set_params(mode=mode).transform(rows), rows)


def test_alike_digits_defeat_hebb_and_not_the_others():
    digits = load_digits()
    assert DiscreteHopfieldNetwork("hebb", random_state=0).fit(digits).score(digits) < 0.5
    network = DiscreteHopfieldNetwork("pseudo_inverse", random_state=0).fit(digits)
    assert network.score(digits) == 1.0


@pytest.mark.parametrize(("low", "threshold"), [(0, 0.0), (-1, 0.0), (0, None), (-1, None)])
def test_patterns_come_back_in_their_own_coding(low, threshold):
    rows = np.where(patterns(3, 40) > 0, 1, low)
    network = DiscreteHopfieldNetwork(binarize=threshold, random_state=0).fit(rows)
    np.testing.assert_array_equal(network.transform(rows), rows)
    np.testing.assert_array_equal(network.recall_path(rows[0]).states[-1], rows[0])


def test_one_pattern_and_constant_patterns_are_remembered():
    for row in ([[1, 0, 1]], [[0, 0, 0]], [[1]]):
        for rule in RULES:
            network = DiscreteHopfieldNetwork(rule, random_state=0).fit(row)
            assert network.transform(row).tolist() == row
            assert np.isfinite(network.energy(row)).all()


def test_recall_that_must_end_early_says_so():
    network = DiscreteHopfieldNetwork(max_sweeps=1, random_state=0).fit(patterns(40, 100))
    with pytest.warns(ConvergenceWarning, match="rows still moved after 1 sweeps"):
        network.transform(patterns(30, 100, seed=2))


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"rule": "hebbian"}, "`rule` must be one of 'hebb', 'storkey', 'pseudo_inverse'"),
        ({"mode": "both"}, "`mode` must be 'async' or 'sync', got 'both'"),
        ({"max_sweeps": 0}, "`max_sweeps` must be a whole number from 1"),
    ],
)
def test_wrong_options_are_said(options, reason):
    with pytest.raises(ValueError, match=reason):
        DiscreteHopfieldNetwork(**options).fit(patterns(2, 5))


def test_wrong_rows_are_said():
    with pytest.raises(ValueError, match=r"got 0\.5 in row 0, column 1"):
        DiscreteHopfieldNetwork(binarize=None).fit([[1, 0.5]])
    network = DiscreteHopfieldNetwork().fit(patterns(2, 5))
    with pytest.raises(ValueError, match="one probe, got 2"):
        network.recall_path(patterns(2, 5))
    with pytest.raises(ValueError, match="NaN"):
        network.energy([[np.nan] * 5])
    with pytest.raises(ValueError, match=r"4 features, but .* is expecting 5"):
        network.transform(patterns(1, 4))


def test_the_projection_holds_more_than_it_corrects():
    patterns = np.random.default_rng(0).choice([-1.0, 1.0], (19, 20))
    assert np.linalg.matrix_rank(patterns) == 19
    memory = DiscreteHopfieldNetwork("pseudo_inverse", random_state=0).fit(patterns)
    assert memory.score(patterns) == 1  # all n − 1 stay as they are
    damaged = patterns.copy()
    damaged[np.arange(19), np.arange(19)] *= -1
    assert (memory.transform(damaged) == patterns).all(axis=1).mean() < 0.2
    half = DiscreteHopfieldNetwork("pseudo_inverse", random_state=0)
    curve = half.capacity_curve(100, [0.4, 0.9], flipped=0.05)
    assert curve.recalled[0] > 0.9
    assert curve.recalled[1] < 0.2
