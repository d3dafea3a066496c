"""Mean squares against worked values and their expectations."""

import numpy as np
import pytest

from neuropil.study.estimates.crossed_effects import mean_squares


def test_a_table_worked_by_hand():
    """Means of rows 2, 5 and of columns 2, 3, 5.5, of all 3.5."""
    found = mean_squares(np.array([[1.0, 2.0, 3.0], [3.0, 4.0, 8.0]]))
    assert found.seeds == pytest.approx(3 * (1.5**2 + 1.5**2) / 1)
    assert found.examples == pytest.approx(2 * (1.5**2 + 0.5**2 + 2**2) / 2)
    # Residuals 0.5, 0.5, -1 and their opposites.
    assert found.residual == pytest.approx(2 * (0.25 + 0.25 + 1) / 2)


def test_their_expectations():
    generator = np.random.default_rng(0)
    seeds, examples = 4, 6
    of_seed, of_example, rest = 2.0, 3.0, 1.5
    found = np.array(
        [
            mean_squares(
                of_seed * generator.normal(size=(seeds, 1))
                + of_example * generator.normal(size=(1, examples))
                + rest * generator.normal(size=(seeds, examples))
            )
            for _ in range(4000)
        ]
    )
    expected = [
        rest**2 + examples * of_seed**2,
        rest**2 + seeds * of_example**2,
        rest**2,
    ]
    assert found.mean(0) == pytest.approx(expected, rel=0.05)


def test_one_seed_or_one_example_has_no_residual():
    assert mean_squares(np.array([[1.0, 2.0]])) == (0.0, 0.5, 0.0)
    assert mean_squares(np.array([[1.0], [2.0]])) == (0.5, 0.0, 0.0)
