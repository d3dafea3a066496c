"""Variances of runs against the two-way analysis of variance, and with missing runs."""

import numpy as np
import pytest

from neuropil.study.estimates.run_variances import run_variances


def as_runs(table):
    return {
        f"v{row}": {seed: value for seed, value in enumerate(values) if not np.isnan(value)}
        for row, values in enumerate(table)
    }


def arrays(runs):
    """Return the variances and their degrees of freedom."""
    return np.array([*run_variances(runs).values()]).T


def test_a_full_table_gives_the_mean_square_of_the_interaction():
    table = np.random.default_rng(0).normal(size=(5, 4))
    values, degrees = arrays(as_runs(table))
    residual = table - table.mean(0) - table.mean(1, keepdims=True) + table.mean()
    assert degrees == pytest.approx(np.full(5, 3 * 4 / 5))
    assert degrees @ values == pytest.approx(np.square(residual).sum())
    assert values == pytest.approx(np.square(residual).sum(1) / (3 * 4 / 5))


def test_two_variants_share_the_variance_of_their_paired_difference():
    first, second = np.random.default_rng(1).normal(size=(2, 5))
    values, degrees = arrays(as_runs([first, second]))
    assert values == pytest.approx(np.full(2, np.var(first - second, ddof=1) / 2))
    assert degrees.sum() == pytest.approx(4)


def test_a_seed_that_moves_all_runs_alike_changes_nothing():
    table = np.random.default_rng(2).normal(size=(4, 3))
    moved = arrays(as_runs(table + np.array([0.0, 5.0, -3.0])))
    assert moved == pytest.approx(arrays(as_runs(table)))


def test_missing_runs_keep_the_estimates_unbiased():
    generator = np.random.default_rng(3)
    deviation = np.full(6, 2.0)[:, None]
    missing = np.zeros((6, 5), dtype=bool)
    missing[1, 3:] = missing[4, 1] = missing[0, 0] = True
    found = [
        arrays(as_runs(np.where(missing, np.nan, deviation * generator.normal(size=(6, 5)))))
        for _ in range(1500)
    ]
    assert np.mean(found, axis=0)[0] == pytest.approx(4.0, rel=0.12)
    # 26 runs, less 6 means of variants and 5 of seeds of which one is redundant.
    assert found[0][1].sum() == pytest.approx(26 - 6 - 5 + 1)


def test_a_variant_with_one_run_has_no_variance():
    values, degrees = arrays({"a": {0: 1.0, 1: 2.0}, "b": {0: 1.0, 1: 4.0}, "c": {1: 9.0}})
    assert (values[2], degrees[2]) == (0.0, 0.0)
    assert degrees[:2] == pytest.approx([0.5, 0.5])
