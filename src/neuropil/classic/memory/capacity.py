"""How many patterns an associative memory holds: measured, and as theory has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import erf

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

    from neuropil.classic.base import Floats

# A pattern counts as recalled when no more than one unit in twenty is wrong.
RECALLED = 0.9
# Within the fall, near its upper end: where in the fall matters little in large networks.
FALLING = 0.95


@dataclass(frozen=True)
class CapacityCurve:
    """What was recalled at each load.

    Attributes:
        rule: The learning rule.
        n_units: n.
        loads: α = patterns / n, rising.
        overlaps: ``Σ ξᵢ sᵢ / n`` of the patterns with what was recalled, on average.
        recalled: Share of the patterns recalled with an overlap of at least 0.9.
    """

    rule: str
    n_units: int
    loads: Floats
    overlaps: Floats
    recalled: Floats

    @property
    def knee(self) -> float:
        """The load at which the overlap falls below 0.95, or NaN where it never does.

        In theory, Hebb's rule in a very large network falls at α = 0.138 from 0.967 to nothing.
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
    """Teach a memory more and more random patterns, and ask for all of them each time.

    Args:
        learn: Adds patterns to those that the memory knows.
        recall: Returns the patterns that probes lead to.
        rule: Name of its learning rule.
        n_units: n.
        loads: Patterns per unit.
        flipped: Share of the units that are turned over before recall.
        rng: Where patterns come from.

    Raises:
        ValueError: If loads or shares are no such numbers.
    """
    asked = np.unique(np.asarray(loads, float))
    if not len(asked) or not np.isfinite(asked).all() or asked[0] * n_units < 0.5:
        raise ValueError(
            f"`loads` must be at least one pattern each, 1 / {n_units}, got {loads}."
        )
    if not 0 <= flipped <= 1:
        raise ValueError(f"`flipped` must be from 0 to 1, got {flipped!r}.")
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
    """Return the overlap that mean-field theory gives Hebb's rule in a very large network.

    ``√(2α) = erf(y) / y − 2 e^(−y²) / √π`` has, up to α = 0.138, a largest root y, and the
    overlap is ``erf(y)``; beyond, nothing is recalled, and the result is 0.

    Args:
        loads: α, patterns per unit.

    Reference:
        Amit, Gutfreund, Sompolinsky, "Storing infinite numbers of patterns in a spin-glass
        model of neural networks", 1985, without temperature, replicas alike.

    Example:
        >>> theoretical_overlap([0.05, 0.137, 0.139]).round(3).tolist()
        [1.0, 0.975, 0.0]
    """
    asked = np.atleast_1d(np.asarray(loads, float))
    # Beyond the peak at y = 1.5 the load falls as y grows: one root, found by table.
    y = np.linspace(1.5, 40.0, 400_001)
    held = (erf(y) / y - 2 / np.sqrt(np.pi) * np.exp(-(y**2))) ** 2 / 2
    peak = int(held.argmax())
    found = erf(np.interp(-asked, -held[peak:], y[peak:]))
    return np.where(asked <= held[peak], found, 0.0)
