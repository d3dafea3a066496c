"""Levels of the tests at several looks at growing data (Lan and DeMets's alpha spending)."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Gauss-Legendre quadrature. Up to 50 looks, errors of the levels are below 1e-8 of them.
NODES, WEIGHTS = np.polynomial.legendre.leggauss(200)
# Densities further than this many standard deviations away are 0.
FAR = 8.0


def spent(alpha: float, fraction: float) -> float:
    """Return the part of α that is spent when a fraction of the data is known.

    α log(1 + (e − 1) t), whose levels are almost the same at all looks, as Pocock's. Functions
    that spend less at first (O'Brien and Fleming's) ask for p-values below 10⁻⁵ there, which a
    few seeds with their few degrees of freedom do not give, so that nothing would stop early.

    Args:
        alpha: Probability of a wrong rejection at any look.
        fraction: t, from 0 to 1.

    Reference:
        K. K. G. Lan and D. L. DeMets, "Discrete sequential boundaries for clinical trials",
        Biometrika 70 (1983).

    Example:
        >>> spent(0.05, 1.0)
        0.05
    """
    return alpha * math.log1p((math.e - 1) * fraction)


@functools.cache
def levels(alpha: float, looks: tuple[int, ...]) -> tuple[float, ...]:
    """Return the level of the one-sided test at each look, which together have level α.

    At look k the mean over n_k seeds is tested at level Φ(−c_k). With the sum of the seeds as a
    Brownian motion at the times n_k / n_K, c_k solves
    P(first beyond its bound at look k) = spent(t_k) − spent(t_{k−1}), by integration over the
    density of the sum that has stayed below all bounds so far. The part of the variance that
    further seeds do not reduce only makes the looks more alike, and the tests more cautious.

    Args:
        alpha: Probability of a rejection at any look under the null hypothesis.
        looks: Increasing numbers of seeds; the last is that of the whole study.

    Reference:
        P. Armitage, C. K. McPherson and B. C. Rowe, "Repeated significance tests on
        accumulating data", Journal of the Royal Statistical Society A 132 (1969).

    Example:
        >>> [round(level, 4) for level in levels(0.025, (1, 2, 3, 4, 5))]
        [0.0074, 0.0076, 0.008, 0.0083, 0.0085]
    """
    # Before the first look the sum is 0 for certain.
    places, masses, before = np.zeros(1), np.ones(1), 0.0
    found: list[float] = []
    for look in looks:
        time = look / looks[-1]
        step, deviation = math.sqrt(time - before), math.sqrt(time)
        asked = spent(alpha, time) - spent(alpha, before)
        bound = bound_for(asked, places, masses, step, FAR * deviation)
        found.append(float(ndtr(-bound / deviation)))
        half = (bound + FAR * deviation) / 2
        reached = bound - half + half * NODES
        moves = np.exp(-np.square((reached[:, None] - places) / step) / 2)
        masses = half * WEIGHTS * (moves @ masses) / (step * math.sqrt(2 * math.pi))
        places, before = reached, time
    return tuple(found)


def bound_for(
    asked: float, places: NDArray[Any], masses: NDArray[Any], step: float, farthest: float
) -> float:
    """Return the bound that a sum at random places passes in a step with the probability asked.

    Args:
        asked: The probability.
        places: Where the sum may be.
        masses: Probabilities of the places.
        step: Standard deviation of the step.
        farthest: Largest bound.
    """

    def excess(bound: float) -> float:
        return float(masses @ ndtr((places - bound) / step)) - asked

    return float(brentq(excess, -farthest, farthest))
