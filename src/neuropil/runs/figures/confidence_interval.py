"""Confidence intervals of metrics."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

Array = np.ndarray[Any, Any]

# More examples are averaged in this many groups first: as accurate, and not slower.
MOST_ROWS = 5000


def wilson_interval(
    successes: int, trials: int, *, confidence: float = 0.95
) -> tuple[float, float]:
    """Return the Wilson score interval of a proportion.

    With p = successes / n and z the normal quantile,
    (p + z²/2n ± z √(p(1 − p)/n + z²/4n²)) / (1 + z²/n). Unlike p ± z √(p(1 − p)/n), it
    stays within 0 and 1, and its width is not 0 if all trials or none succeed.

    Args:
        successes: Number of successes.
        trials: Number of trials, n.
        confidence: Confidence level of the interval.

    Raises:
        ValueError: If the number of trials is 0, or a number is out of range.

    Reference:
        E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
        Journal of the American Statistical Association 22 (1927).

    Example:
        >>> low, high = wilson_interval(355, 360)
        >>> round(low, 3), round(high, 3)
        (0.968, 0.994)
    """
    if not (trials > 0 and 0 <= successes <= trials and 0 < confidence < 1):
        raise ValueError(
            f"wilson_interval: needs 0 ≤ successes ≤ trials, at least one trial and a "
            f"confidence between 0 and 1, got {successes}, {trials} and {confidence}."
        )
    return score_interval(successes / trials, trials, confidence)


def score_interval(share: float, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return Wilson's interval of a share, which need not be a whole number of the trials."""
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    middle = share + z * z / (2 * trials)
    reach = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    whole = 1 + z * z / trials
    # These two ends are exactly 0 and 1; rounding would miss them slightly.
    low = (middle - reach) / whole if share > 0 else 0.0
    return low, (middle + reach) / whole if share < 1 else 1.0


def bootstrap_interval(
    statistic: Callable[[Array], Array],
    rows: Array,
    *,
    confidence: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> tuple[float, float]:
    """Return the bootstrap percentile interval of a function of column means.

    The examples are resampled with replacement `resamples` times; the interval holds the middle
    `confidence` of the values of the statistic. A function of column means, m ↦ s(m), covers
    mean errors, their roots and R².

    Shape:
        `rows`: ``(N, columns)``.

    Args:
        statistic: Returns one number per row of column means, ``(B, columns) -> (B)``.
        rows: The values to average, one row per example.
        confidence: Confidence level of the interval.
        resamples: Number of resamples.
        seed: Seed of the resampling.

    Reference:
        B. Efron and R. J. Tibshirani, "An Introduction to the Bootstrap" (1993), chapter 13.

    Example:
        >>> heights = np.array([[1.0], [2.0], [3.0], [4.0]])
        >>> low, high = bootstrap_interval(lambda means: means[:, 0], heights)
        >>> 1 <= low < 2.5 < high <= 4
        True
    """
    values = bootstrap_values(statistic, rows, resamples=resamples, seed=seed)
    low, high = np.quantile(values, [0.5 - confidence / 2, 0.5 + confidence / 2])
    return float(low), float(high)


def bootstrap_values(
    statistic: Callable[[Array], Array], rows: Array, *, resamples: int = 1000, seed: int = 0
) -> Array:
    """Return a function of column means for each bootstrap resample of the rows.

    The resamples depend only on the number of rows and the seed: columns may be given apart.

    Args:
        statistic: Returns one value per row of column means, ``(B, columns)`` to ``(B, …)``.
        rows: The values to average, one row per example.
        resamples: Number of resamples.
        seed: Seed of the resampling.
    """
    generator = np.random.default_rng(seed)
    if len(rows) > MOST_ROWS:
        rows = group_means(rows, generator.permutation(len(rows)) % MOST_ROWS)
    count = len(rows)
    # The counts of the drawn examples are multinomial, so no example needs to be copied.
    block = max(1, 2**22 // count)
    draws = [
        generator.multinomial(
            count, np.full(count, 1 / count), size=min(block, resamples - start)
        )
        for start in range(0, resamples, block)
    ]
    return np.concatenate([statistic(times @ rows / count) for times in draws])


def group_means(rows: Array, groups: Array) -> Array:
    """Return one row per group, scaled so that their mean is that of all rows."""
    sums = np.stack([np.bincount(groups, column, MOST_ROWS) for column in rows.T], axis=1)
    return sums * (MOST_ROWS / len(rows))
