"""Pictures of Hopfield networks: every probe to its end, every energy falling."""

import numpy as np
import pytest

from neuropil.classic import DiscreteHopfieldNetwork
from neuropil.datasets import load_digits
from neuropil.plots import capacity_curves, hopfield_recall


@pytest.fixture
def memory():
    return DiscreteHopfieldNetwork("pseudo_inverse", random_state=0).fit(load_digits())


def cells(figure, top, left, shape):
    """Return the cells of one picture: 1 where off, 2 where on."""
    board = np.asarray(figure.axes[0].images[0].get_array())
    return board[top : top + shape[0], left : left + shape[1]]


def test_a_row_goes_from_the_probe_to_what_is_recalled(memory):
    probes = load_digits()[[3, 7]]
    probes[:, 0] = 1 - probes[:, 0]
    figure = hopfield_recall(memory, probes, (6, 4))
    right = np.asarray(figure.axes[0].images[0].get_array()).shape[1] - 4
    recalled = memory.transform(probes)
    for row in range(2):
        for left, pattern in ((0, probes[row]), (right, recalled[row])):
            expected = np.where(pattern.reshape(6, 4) > 0, 2, 1)
            np.testing.assert_array_equal(cells(figure, 7 * row, left, (6, 4)), expected)


def test_energies_are_those_of_the_paths(memory):
    probes = np.random.default_rng(0).integers(0, 2, (4, 24))
    figure = hopfield_recall(memory, probes, (4, 6))
    lines = figure.axes[1].get_lines()
    assert len(lines) == 4
    for line, probe in zip(lines, probes, strict=True):
        energies = line.get_ydata()
        np.testing.assert_array_equal(energies, memory.recall_path(probe).energies)
        assert (np.diff(energies) <= 0).all()
    numbers = ", ".join(text.get_text() for text in figure.axes[1].texts)
    assert sorted(numbers.split(", ")) == ["1", "2", "3", "4"]


@pytest.mark.parametrize(("n_units", "size"), [(9, (3, 3)), (10, (1, 10))])
def test_without_a_shape_it_is_a_square_or_a_line(n_units, size):
    network = DiscreteHopfieldNetwork(random_state=0).fit(np.ones((1, n_units)))
    figure = hopfield_recall(network, np.ones(n_units))
    assert (cells(figure, 0, 0, size) == 2).all()
    assert len(figure.axes[0].get_xticks()) == 2


def test_long_ways_are_shortened():
    rng = np.random.default_rng(0)
    network = DiscreteHopfieldNetwork(random_state=0).fit(rng.choice([-1, 1], (80, 400)))
    figure = hopfield_recall(network, rng.choice([-1, 1], (3, 400)))
    names = [text.get_text() for text in figure.axes[0].get_xticklabels()]
    assert names == ["probe", "1", "2", "3", "4", "5", "recalled"]


@pytest.mark.parametrize(
    ("probes", "shape", "reason"),
    [
        (np.ones((9, 24)), None, "1 to 8 probes, got 9"),
        (np.ones((2, 24)), (5, 5), r"24 units do not fill the shape \(5, 5\)"),
    ],
)
def test_what_cannot_be_drawn_is_refused(memory, probes, shape, reason):
    with pytest.raises(ValueError, match=reason):
        hopfield_recall(memory, probes, shape)


def test_capacity_curves_are_drawn_as_measured_beside_theory():
    networks = [DiscreteHopfieldNetwork(rule, random_state=0) for rule in ("hebb", "storkey")]
    curves = [network.capacity_curve(60, [0.1, 0.2, 0.4]) for network in networks]
    theory, *lines = capacity_curves(*curves).axes[0].get_lines()
    for line, curve in zip(lines, curves, strict=True):
        np.testing.assert_array_equal(line.get_xydata().T, [curve.loads, curve.overlaps])
    assert theory.get_xdata()[-1] == pytest.approx(0.138, abs=5e-4)
    assert [line.get_label() for line in lines] == ["Hebb, 60 units", "Storkey, 60 units"]
    with pytest.raises(ValueError, match="1 to 4 curves, got 0"):
        capacity_curves()
