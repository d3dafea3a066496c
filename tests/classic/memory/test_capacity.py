"""How much a Hopfield network holds: measured against mean-field theory."""

import numpy as np
import pytest
from scipy.optimize import fsolve
from scipy.special import erf

from neuropil.classic import DiscreteHopfieldNetwork
from neuropil.classic.memory import CapacityCurve, theoretical_overlap


def mean_field(load):
    """Return the overlap of the three equations as published, without temperature."""

    def equations(values):
        m, r, c = values
        spread = np.sqrt(2 * load * r)
        return [
            m - erf(m / spread),
            r - 1 / (1 - c) ** 2,
            c - np.sqrt(2 / (np.pi * load * r)) * np.exp(-((m / spread) ** 2)),
        ]

    return fsolve(equations, [1.0, 1.0, 0.05])[0]


@pytest.mark.parametrize("load", [0.05, 0.08, 0.1, 0.12, 0.13])
def test_theory_solves_the_published_equations(load):
    assert theoretical_overlap(load)[0] == pytest.approx(mean_field(load), abs=1e-6)


def test_theory_ends_at_0_138():
    loads = np.linspace(0.1, 0.2, 10_001)
    end = loads[np.flatnonzero(theoretical_overlap(loads))[-1]]
    assert end == pytest.approx(0.138, abs=5e-4)
    assert theoretical_overlap(end)[0] == pytest.approx(0.967, abs=3e-3)


def test_hebbs_knee_is_at_0_138_and_before_it_overlaps_are_those_of_theory():
    loads = [0.06, 0.08, 0.1, 0.12, 0.13, 0.14, 0.15, 0.2]
    curve, *others = (
        DiscreteHopfieldNetwork(random_state=seed).capacity_curve(1000, loads)
        for seed in range(3)
    )
    knees = [curve.knee, *(other.knee for other in others)]
    assert np.mean(knees) == pytest.approx(0.138, abs=0.004)
    low = curve.loads < 0.11
    expected = theoretical_overlap(curve.loads[low])
    np.testing.assert_allclose(curve.overlaps[low], expected, atol=0.004)
    assert curve.overlaps[-1] < 0.6


def test_storkey_holds_more_than_hebb_and_the_pseudo_inverse_all_but_one():
    loads = [0.1, 0.2, 0.3]
    hebb, storkey = (
        DiscreteHopfieldNetwork(rule, random_state=0).capacity_curve(200, loads)
        for rule in ("hebb", "storkey")
    )
    assert hebb.recalled[1] < 0.6 < 0.95 < storkey.recalled[2]
    inverse = DiscreteHopfieldNetwork("pseudo_inverse", random_state=0)
    curve = inverse.capacity_curve(200, [0.5, 0.9, 0.995, 1.0])
    assert curve.overlaps[:3].tolist() == [1.0, 1.0, 1.0]
    assert curve.loads[2] == 199 / 200


def test_flipped_units_cost_capacity():
    network = DiscreteHopfieldNetwork("pseudo_inverse", random_state=0)
    clean, noisy = (network.capacity_curve(150, [0.6], flipped=share) for share in (0.0, 0.3))
    assert clean.recalled[0] == 1
    assert noisy.recalled[0] < 0.5


def test_the_knee_is_read_between_two_loads():
    loads, overlaps = np.array([0.1, 0.2, 0.3]), np.array([1.0, 0.97, 0.93])
    curve = CapacityCurve("hebb", 10, loads, overlaps, overlaps)
    assert curve.knee == pytest.approx(0.25)
    assert np.isnan(CapacityCurve("hebb", 10, loads, np.ones(3), np.ones(3)).knee)


def test_measuring_leaves_the_memory_alone():
    rows = np.random.default_rng(0).choice([-1.0, 1.0], (3, 20))
    network = DiscreteHopfieldNetwork(random_state=0).fit(rows)
    before = network.weights_.copy()
    first = network.capacity_curve(50, [0.1])
    assert first.overlaps == network.capacity_curve(50, [0.1]).overlaps
    np.testing.assert_array_equal(network.weights_, before)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"loads": []}, "`loads` must each be at least one pattern, 1 / 500, got"),
        ({"loads": [0.0]}, "at least one pattern"),
        ({"loads": [np.nan]}, "at least one pattern"),
        ({"flipped": 2}, "`flipped` must be from 0 to 1, got 2"),
    ],
)
def test_wrong_arguments_are_said(arguments, reason):
    with pytest.raises(ValueError, match=reason):
        DiscreteHopfieldNetwork().capacity_curve(**arguments)
