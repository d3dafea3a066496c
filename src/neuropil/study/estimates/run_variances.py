"""Variance of the outcomes of runs for each variant, without what seeds change in all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neuropil.study.estimates.satterthwaite import MeanSquare

if TYPE_CHECKING:
    from collections.abc import Mapping

# Degrees of freedom below this are rounding errors of zero.
ROUNDING = 1e-9


def run_variances(runs: Mapping[str, Mapping[int, float]]) -> dict[str, MeanSquare]:
    """Return the variance over seeds of each variant, after the effect common to all variants.

    Outcomes are fitted by y_vs = μ_v + b_s + e_vs. A seed that helps all variants alike cancels
    in their differences; the variance of e_vs remains. For variant v it is Σ_s ê²_vs divided by
    the degrees of freedom Σ_s (1 − h_vs), with the leverages h. Of only two variants, both get
    half the variance of their paired difference, so that the paired t-test is a special case.

    Args:
        runs: Outcome of each run by variant and seed; variants may lack some seeds.

    Returns:
        One variance per variant, 0 without degrees of freedom.

    Example:
        >>> found = run_variances({"a": {0: 1.0, 1: 3.0}, "b": {0: 1.0, 1: 7.0}})
        >>> [(round(one.value, 9), round(one.degrees, 9)) for one in found.values()]
        [(4.0, 0.5), (4.0, 0.5)]
    """
    seeds = sorted({seed for outcomes in runs.values() for seed in outcomes})
    cells = [
        (row, seeds.index(seed), outcome)
        for row, outcomes in enumerate(runs.values())
        for seed, outcome in outcomes.items()
    ]
    variant, seed = (np.array([cell[axis] for cell in cells], dtype=int) for axis in (0, 1))
    outcome = np.array([cell[2] for cell in cells])
    # Indicators of the variants, then of the seeds; their rank is below their number.
    design = np.hstack([np.eye(len(runs))[variant], np.eye(len(seeds))[seed]])
    left, sizes, _ = np.linalg.svd(design, full_matrices=False)
    basis = left[:, sizes > ROUNDING * sizes[0]]
    outcome = outcome - outcome.mean()
    residual = outcome - basis @ (basis.T @ outcome)
    free = 1 - np.square(basis).sum(axis=1)
    squares = np.bincount(variant, np.square(residual), len(runs))
    degrees = np.bincount(variant, free, len(runs))
    known = degrees > ROUNDING
    values = np.divide(squares, degrees, out=np.zeros(len(runs)), where=known).tolist()
    return dict(zip(runs, map(MeanSquare, values, (degrees * known).tolist()), strict=True))
