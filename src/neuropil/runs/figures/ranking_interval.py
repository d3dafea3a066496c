"""Confidence intervals of F1 and of areas under curves.

None of them has a width of 0 for perfect figures, as a bootstrap interval has.
"""

from __future__ import annotations

import math
from statistics import NormalDist

from neuropil.runs.figures.confidence_interval import score_interval, wilson_interval

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
    area: float, members: int, others: int, *, confidence: float = 0.95
) -> tuple[float, float]:
    """Return Newcombe's interval of an area under the ROC curve.

    Its ends θ solve |θ − area| = z √V(θ) with the variance of Hanley and McNeil for members m
    and others n, V(θ) = θ (1 − θ) (1 + N (1 − θ)/(2 − θ) + N θ/(1 + θ)) / (m n) and
    N = (m + n)/2 − 1.

    Args:
        area: The area under the curve.
        members: Number of examples of the class.
        others: Number of other examples.
        confidence: Confidence level of the interval.

    Reference:
        R. G. Newcombe, "Confidence intervals for an effect size measure based on the
        Mann–Whitney statistic. Part 2", Statistics in Medicine 25 (2006), method 5.

    Example:
        >>> low, high = roc_auc_interval(0.9, 20, 980)
        >>> round(low, 3), round(high, 3)
        (0.803, 0.95)
    """
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    mean = (members + others) / 2 - 1

    def reach(theta: float) -> float:
        spread = 1 + mean * ((1 - theta) / (2 - theta) + theta / (1 + theta))
        return z * math.sqrt(theta * (1 - theta) * spread / (members * others))

    def end(bound: float) -> float:
        inside, outside = area, bound
        for _ in range(HALVINGS):
            middle = (inside + outside) / 2
            if abs(middle - area) <= reach(middle):
                inside = middle
            else:
                outside = middle
        return inside

    return (0.0 if area == 0 else end(0.0)), (1.0 if area == 1 else end(1.0))
