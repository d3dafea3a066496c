"""Confidence intervals of F1 and of areas under curves.

None of them has a width of 0 for perfect figures, as a bootstrap interval has.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any

import numpy as np

from neuropil.runs.figures.confidence_interval import score_interval, wilson_interval

Array = np.ndarray[Any, Any]
HALVINGS = 50


def f1_interval(
    hits: int, predicted: int, members: int, *, confidence: float = 0.95
) -> tuple[float, float]:
    """Return the interval of F1, from Wilson's interval of the Jaccard index.

    F1 = 2 J / (1 + J) with J = hits / (predicted + members − hits), a proportion of the
    examples that are predicted to be of the class or are.

    Args:
        hits: Number of examples of the class that are predicted to be.
        predicted: Number of examples predicted to be of the class.
        members: Number of examples of the class.
        confidence: Confidence level of the interval.

    Reference:
        Lam, Gopal and Qian, "Confidence intervals for the F1 score: a comparison of four
        methods", arXiv:2309.14621 (2023), the indirect Wilson method.

    Example:
        >>> low, high = f1_interval(12, 16, 20)
        >>> round(low, 3), round(high, 3)
        (0.478, 0.814)
    """
    ends = wilson_interval(hits, predicted + members - hits, confidence=confidence)
    low, high = (2 * end / (1 + end) for end in ends)
    return low, high


def average_precision_interval(
    area: float, members: int, *, confidence: float = 0.95
) -> tuple[float, float]:
    """Return Wilson's interval of an average precision, a mean over the members of the class.

    Args:
        area: The average precision.
        members: Number of examples of the class.
        confidence: Confidence level of the interval.

    Reference:
        Boyd, Eng and Page, "Area under the precision-recall curve: point estimates and
        confidence intervals", ECML PKDD 2013: the binomial interval, here in Wilson's form.

    Example:
        >>> low, high = average_precision_interval(0.7, 20)
        >>> round(low, 3), round(high, 3)
        (0.481, 0.855)
    """
    return score_interval(area, members, confidence)


def roc_auc_interval(
    scores: Array, members: Array, *, confidence: float = 0.95
) -> tuple[float, float]:
    """Return Newcombe's interval of the area A under the ROC curve.

    Its ends θ solve |θ − A| = z √(c V(θ)) with the variance of Hanley and McNeil for m members
    and n others, V(θ) = θ (1 − θ) (1 + N (1 − θ)/(2 − θ) + N θ/(1 + θ)) / (m n) and
    N = (m + n)/2 − 1. That variance is too small where a few members have very low scores, so c
    enlarges it to the variance of DeLong, if this is larger at A.

    Shape:
        Scores and members ``(N)``.

    Args:
        scores: The score of each example.
        members: Whether it belongs to the class; there are such and others.
        confidence: Confidence level of the interval.

    Reference:
        R. G. Newcombe, "Confidence intervals for an effect size measure based on the
        Mann–Whitney statistic. Part 2", Statistics in Medicine 25 (2006), method 5; E. R.
        DeLong, D. M. DeLong and D. L. Clarke-Pearson, Biometrics 44 (1988).

    Example:
        >>> low, high = roc_auc_interval(np.arange(40.0), np.arange(40) > 29)
        >>> round(low, 3), high
        (0.866, 1.0)
    """
    above, below = placements(scores, members)
    area, m, n = float(above.mean()), len(above), len(below)
    mean = (m + n) / 2 - 1

    def variance(theta: float) -> float:
        spread = 1 + mean * ((1 - theta) / (2 - theta) + theta / (1 + theta))
        return theta * (1 - theta) * spread / (m * n)

    least = float(np.var(above) / max(1, m - 1) + np.var(below) / max(1, n - 1))
    larger = max(1.0, least / variance(area)) if 0 < area < 1 else 1.0
    z = NormalDist().inv_cdf(0.5 + confidence / 2) * math.sqrt(larger)

    def end(bound: float) -> float:
        inside, outside = area, bound
        for _ in range(HALVINGS):
            middle = (inside + outside) / 2
            if abs(middle - area) <= z * math.sqrt(variance(middle)):
                inside = middle
            else:
                outside = middle
        return inside

    return (0.0 if area == 0 else end(0.0)), (1.0 if area == 1 else end(1.0))


def placements(scores: Array, members: Array) -> tuple[Array, Array]:
    """Return the share of the others below each member, and of the members above each other.

    Equal scores count half.
    """
    own, rest = np.sort(scores[members]), np.sort(scores[~members])

    def share_below(values: Array, among: Array) -> Array:
        low, high = (np.searchsorted(among, values, side) for side in ("left", "right"))
        return (low + high) / (2 * len(among))

    return share_below(own, rest), 1 - share_below(rest, own)
