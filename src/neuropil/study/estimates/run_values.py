"""Checks of the values of the runs of a study."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neuropil.checks import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

# Sums of squares of larger values could overflow.
LARGEST = 1e100


def check_values(
    outcomes: Mapping[str, Mapping[int, NDArray[Any]]], baseline: str
) -> dict[str, dict[int, NDArray[Any]]]:
    """Return the values of the runs as float64, with the seeds of each variant in order.

    Args:
        outcomes: Values by variant and seed.
        baseline: The variant that others are compared with.

    Raises:
        ValueError: If the baseline is missing, values are not finite numbers, or runs have
            different numbers of them.

    Example:
        >>> check_values({"baseline": {1: [0, 1], 0: [1, 1]}}, "baseline")
        {'baseline': {0: array([1., 1.]), 1: array([0., 1.])}}
    """
    if baseline not in outcomes:
        known = ", ".join(map(repr, outcomes)) or "no variants"
        raise ValueError(f"the baseline {baseline!r} is not among the variants: {known}.")
    length = None
    checked: dict[str, dict[int, NDArray[Any]]] = {}
    for name, runs in outcomes.items():
        checked[name] = {}
        for seed in sorted(runs):
            values = run_values(runs[seed], f"values of {name!r} with seed {seed}")
            length = len(values) if length is None else length
            if len(values) != length:
                raise ValueError(
                    f"all runs need values of the same examples: {name!r} with seed {seed} has "
                    f"{len(values):,}, other runs have {length:,}."
                )
            checked[name][seed] = values
    return checked


def run_values(given: object, what: str) -> NDArray[Any]:
    """Return the values of one run.

    Raises:
        ValueError: If they are not one row of finite numbers.
    """
    try:
        values = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{what} must be numbers, got {shown(given)}.") from None
    if values.ndim != 1 or not len(values):
        raise ValueError(f"{what} must be a vector of at least one number, got {shown(given)}.")
    bad = np.flatnonzero(~(np.abs(values) <= LARGEST))
    if len(bad):
        raise ValueError(
            f"{what} must be finite and at most {LARGEST:g} in size, got {values[bad[0]]} at "
            f"position {bad[0]:,}."
        )
    return values
