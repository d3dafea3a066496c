"""The number of patterns that an associative memory holds: measured, and in theory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import erf

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

    from neuropil.classic.base import Floats

# The overlap of a recalled pattern: 0.9 means that at most one unit in twenty is wrong.
RECALLED = 0.9
# The overlap that defines the knee: just below the theoretical 0.967 at the critical load.
FALLING = 0.95


@dataclass(frozen=True)
class CapacityCurve:
    """The quality of recall at each load.

    Attributes:
        rule: The learning rule.
        n_units: n.
        loads: α = patterns / n, increasing.
        overlaps: The mean overlap ``Σ ξᵢ sᵢ / n`` of a pattern ξ and its recalled state s.
        recalled: The fraction of patterns recalled with an overlap of at least 0.9.
    """

    rule: str
    n_units: int
    loads: Floats
    overlaps: Floats
    recalled: Floats

    @property
    def knee(self) -> float:
        """The load at which the overlap falls below 0.95, or NaN if it never does.

        In theory, with Hebb's rule in a very large network, it falls from 0.967 to 0 at
        α = 0.138.
        """
        few = np.flatnonzero(self.overlaps < FALLING)
        if not len(few) or few[0] == 0:
            return float("nan")
        there = slice(few[0] - 1, few[0] + 1)
        return float(np.interp(-FALLING, -self.overlaps[there], self.loads[there]))


def measure_capacity(
    learn: Callable[[Floats], Any],
    recall: Callable[[Floats], Floats],
    rule: str,
    n_units: int,
    loads: ArrayLike,
    flipped: float,
    rng: np.random.RandomState,
) -> CapacityCurve:
    """Store more and more random patterns in a memory, and recall all of them at each load.

    Args:
        learn: Adds patterns to the memory.
        recall: Returns the final states of probes.
        rule: The name of the learning rule.
        n_units: n.
        loads: Patterns per unit.
        flipped: The fraction of units flipped before recall.
        rng: Generator of the patterns.

    Raises:
        ValueError: If ``loads`` or ``flipped`` is out of its range.
    """
    asked = np.unique(np.asarray(loads, float))
    if not len(asked) or not np.isfinite(asked).all() or asked[0] * n_units < 0.5:
        raise ValueError(
            f"`loads` must each be at least one pattern, 1 / {n_units}, got {loads}."
        )
    if not 0 <= flipped <= 1:
        raise ValueError(f"`flipped` must be from 0 to 1, got {flipped!r}.")
    # Loads that round to the same number of patterns are measured once.
    counts = np.unique(np.rint(asked * n_units).astype(int))
    patterns = rng.choice([-1.0, 1.0], size=(counts[-1], n_units))
    overlaps, recalled, known = [], [], 0
    for count in counts:
        learn(patterns[known:count])
        known = count
        turn = rng.random_sample((count, n_units)) < flipped
        found = recall(np.where(turn, -1, 1) * patterns[:count])
        # m = Σ ξᵢ sᵢ / n is 1 − 2 · (share of units that are wrong).
        overlap = (found * patterns[:count]).mean(axis=1)
        overlaps.append(overlap.mean())
        recalled.append((overlap >= RECALLED).mean())
    return CapacityCurve(
        rule, n_units, counts / n_units, np.array(overlaps), np.array(recalled)
    )


def theoretical_overlap(loads: ArrayLike) -> Floats:
    """Return the mean-field overlap of Hebb's rule in a very large network.

    Up to α = 0.138, ``√(2α) = erf(y) / y − 2 e^(−y²) / √π`` has a largest root y, and the
    overlap is ``erf(y)``. Beyond it nothing is recalled, and the result is 0.

    Args:
        loads: α, patterns per unit.

    Reference:
        Amit, Gutfreund, Sompolinsky, "Storing infinite numbers of patterns in a spin-glass
        model of neural networks", 1985, at temperature 0, replica symmetric.

    Example:
        >>> theoretical_overlap([0.05, 0.137, 0.139]).round(3).tolist()
        [1.0, 0.975, 0.0]
    """
    asked = np.atleast_1d(np.asarray(loads, float))
    # Beyond its peak near y = 1.5 the load falls as y grows, so the root is unique; it is
    # interpolated in a table.
    y = np.linspace(1.5, 40.0, 400_001)
    # The equation solved for α.
    held = (erf(y) / y - 2 / np.sqrt(np.pi) * np.exp(-(y**2))) ** 2 / 2
    peak = int(held.argmax())
    found = erf(np.interp(-asked, -held[peak:], y[peak:]))
    return np.where(asked <= held[peak], found, 0.0)
