"""Learning curves: exact power laws, and the coverage of the interval of the next gain."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuropil.study.learning_curves import learning_curve, next_gain, same_as_examples


@given(st.floats(50, 99), st.floats(1, 40), st.floats(0.05, 2), st.integers(3, 6))
def test_the_next_point_of_a_power_law_is_foretold(ceiling, height, power, count):
    sizes = 100 * 2.0 ** np.arange(count + 1)
    law = ceiling - height * (sizes / 100) ** -power
    found = learning_curve([np.full((3, 20), value) for value in law[:-1]])
    assert found.doubled.mean == pytest.approx(law[-1] - law[-2], abs=0.01 * height)
    assert found.doubled.low <= found.doubled.mean <= found.doubled.high


def test_a_curve_that_falls_gives_nothing_more():
    assert next_gain(np.array([[91.0, 90.5, 90.0], [90.0, 90.0, 90.0]])).tolist() == [0, 0]


def test_gains_that_grow_are_continued_as_a_line():
    assert next_gain(np.array([[80.0, 81.0, 84.0]])) == pytest.approx(2.0, rel=0.02)


def test_the_intervals_of_the_points_cover_their_means():
    """Crossed errors of seeds and of examples; the true means are known."""
    rng = np.random.default_rng(0)
    truth = np.array([80.0, 86.0, 89.0, 90.5])
    covered = np.zeros(4)
    for _ in range(150):
        examples = rng.normal(0, 30, 200)
        values = [
            value + examples + rng.normal(0, 1, (5, 1)) + rng.normal(0, 20, (5, 200))
            for value in truth
        ]
        points = learning_curve(values).points
        covered += [p.low <= t <= p.high for p, t in zip(points, truth, strict=True)]
    assert (covered / 150 > 0.9).all()
    assert (covered / 150 < 0.995).all()


def test_the_interval_of_the_next_gain_covers_it():
    rng = np.random.default_rng(1)
    truth, after = [80.0, 86.0, 89.0, 90.5], 0.75
    covered = 0
    for _ in range(100):
        examples = rng.normal(0, 30, 200)
        values = [
            value + examples + rng.normal(0, 0.3, (5, 1)) + rng.normal(0, 5, (5, 200))
            for value in truth
        ]
        doubled = learning_curve(values).doubled
        covered += doubled.low <= after <= doubled.high
    assert covered / 100 >= 0.9


def test_noise_is_told_as_a_number_of_clean_examples():
    assert same_as_examples(86.0, [125, 250, 500], [80.0, 86.0, 90.0]) == 250
    assert same_as_examples(70.0, [125, 250, 500], [80.0, 86.0, 90.0]) is None
    assert same_as_examples(95.0, [125, 250, 500], [80.0, 86.0, 90.0]) is None
    assert same_as_examples(88.0, [125, 250, 500], [80.0, 86.0, 90.0]) == 354  # 250 √2
