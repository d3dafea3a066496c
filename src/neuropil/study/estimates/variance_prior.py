"""The prior of variances that differ: a scaled inverse χ² distribution fitted to estimates."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.special import chdtri, digamma, fdtrc, polygamma

from neuropil.study.estimates.satterthwaite import MeanSquare

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

# Larger prior degrees of freedom are never credible: they mean that true standard deviations
# differ by a fifth or less, which a dozen variances of a few seeds each cannot show.
MOST_DEGREES = 12.0
# Estimates below this quantile of chance count as equal to it. A few runs may agree to the last
# example, and the logarithm of their variance would say that variants differ without bounds.
LEAST_QUANTILE = 0.05
# Newton's method for the trigamma function converges quadratically, and never needs more.
NEWTON_STEPS = 15


class Prior(NamedTuple):
    """Prior of variances.

    Attributes:
        variance: Mean of the variances, s₀².
        degrees: Its degrees of freedom d₀; the more, the more alike the variances.
    """

    variance: float
    degrees: float

    def moderated(self, found: MeanSquare) -> MeanSquare:
        """Return (d₀ s₀² + d s²) / (d₀ + d), which has d₀ + d degrees of freedom."""
        degrees = self.degrees + found.degrees
        value = self.degrees * self.variance + found.degrees * found.value
        return MeanSquare(value / degrees, degrees)

    def is_smaller(self, found: MeanSquare, level: float) -> bool:
        """Return whether an F test finds an estimate larger than the prior allows."""
        if found.value <= self.variance or not found.degrees:
            return False
        if not self.variance:
            return True
        ratio = found.value / self.variance
        return bool(fdtrc(found.degrees, self.degrees, ratio) < level)


def fit_prior(found: Iterable[MeanSquare]) -> Prior:
    """Return the prior of which estimates are a sample.

    s₀² is the mean of the estimates weighted by their degrees of freedom. Smyth's estimate from
    the logarithms is smaller if true variances differ, and too small for the larger of them. d₀
    is Smyth's (`prior_degrees`), but at most 12 and at most the sum of all degrees of freedom.

    Args:
        found: The estimates, some of them with degrees of freedom.
    """
    values, degrees = np.array([one for one in found if one.degrees]).T
    total = float(degrees.sum())
    variance = float(degrees @ values) / total
    least = variance * chdtri(degrees, 1 - LEAST_QUANTILE) / degrees
    fitted = prior_degrees(np.maximum(values, least), degrees)
    return Prior(variance, min(fitted, MOST_DEGREES, total))


def prior_degrees(values: NDArray[Any], degrees: NDArray[Any]) -> float:
    """Return Smyth's estimate of d₀, infinite if the variances differ by no more than chance.

    With e_v = log s²_v − ψ(d_v/2) + log(d_v/2), it solves
    ψ′(d₀/2) = Σ_v (e_v − ē)² / (V − 1) − mean ψ′(d_v/2).

    Args:
        values: The estimates s²_v: all are positive, or all are 0.
        degrees: Their degrees of freedom d_v.

    Reference:
        G. K. Smyth, "Linear models and empirical Bayes methods for assessing differential
        expression in microarray experiments", Statistical Applications in Genetics and
        Molecular Biology 3 (2004), section 6.2.
    """
    half = degrees / 2
    if len(values) < 2 or not values.all():
        return math.inf
    logarithms = np.log(values) - digamma(half) + np.log(half)
    excess = float(np.var(logarithms, ddof=1) - polygamma(1, half).mean())
    return 2 * inverse_trigamma(excess) if excess > 0 else math.inf


def inverse_trigamma(value: float) -> float:
    """Return the x > 0 at which ψ′(x) is a positive number, by Newton's method for 1/ψ′.

    Reference:
        Smyth (2004), appendix: 1/ψ′ is convex, so that the steps from 1/2 + 1/value, which is
        at or above the solution, never leave the interval.
    """
    if value > 1e7 or value < 1e-6:  # the asymptotes, where Newton's method loses precision
        return 1 / math.sqrt(value) if value > 1 else 1 / value
    x = 0.5 + 1 / value
    for _ in range(NEWTON_STEPS):
        slope = float(polygamma(1, x))
        x += slope * (1 - slope / value) / float(polygamma(2, x))
    return x
