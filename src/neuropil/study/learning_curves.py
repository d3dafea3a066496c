"""The outcome against the number of training examples: what more of them would give."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import stats

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

# Points from which the gain of the next doubling can be told.
FEWEST_POINTS = 3
# Draws of the curve within its errors, for the interval of the gain.
DRAWS = 2000
# A lower end below this part of the upper one counts as 0.
NOTHING = 0.01
# The values that are tried for the part of a gain that the next doubling gives.
RATES = np.linspace(0.01, 0.99, 99)


class Point(NamedTuple):
    """A mean outcome with its interval.

    Attributes:
        mean: The mean over seeds and examples.
        low: The lower end of the interval.
        high: The upper end.
    """

    mean: float
    low: float
    high: float


class Curve(NamedTuple):
    """A learning curve.

    Attributes:
        points: The outcome at each number of examples.
        doubled: The gain that twice the examples would give; None for two points.
    """

    points: list[Point]
    doubled: Point | None


def learning_curve(values: Sequence[Floats], *, level: float = 0.95) -> Curve:
    """Return the outcome at numbers of examples that double, and the gain of doubling again.

    The outcome is taken to rise as ``a − b n^−c``, of which each doubling gives ``r = 2^−c`` of
    the gain of the one before; a, b and r in [0, 1) are fitted by least squares. The interval
    is that of the curves within the errors of the points, which vary together: they share
    seeds and test examples.

    Shape:
        Each of the values ``(S, N)``: seeds and groups of test examples.

    Args:
        values: The values at n, 2n, 4n, … examples, at least two; greater is better.
        level: The level of the intervals.

    Reference:
        C. Cortes and others, "Learning curves: asymptotic values and rate of convergence",
        1993.

    Example:
        >>> import numpy as np
        >>> values = [np.full((3, 50), value) for value in (80.0, 88.0, 92.0)]
        >>> round(learning_curve(values).doubled.mean, 2)  # 8, 4, then 2
        2.0
    """
    points = [mean_outcome(each, level=level) for each in values]
    if len(points) < FEWEST_POINTS:
        return Curve(points, None)
    means = np.array([each.mean() for each in values])
    spread = covariance(values)
    draws = np.random.default_rng(0).multivariate_normal(means, spread, DRAWS, method="eigh")
    tails = (1 - level) / 2
    low, high = np.quantile(next_gain(draws), [tails, 1 - tails])
    gain = float(next_gain(means[None])[0])
    # The fitted gain of a curve without a rise is small, but never exactly 0.
    low = 0.0 if low < NOTHING * high else min(gain, float(low))
    return Curve(points, Point(gain, low, max(gain, float(high))))


def mean_outcome(values: Floats, *, level: float = 0.95) -> Point:
    """Return the mean of an outcome over seeds and examples, with its interval.

    Shape:
        ``(S, N)``: seeds and groups of test examples.

    Args:
        values: The values.
        level: The level of the interval.
    """
    mean = float(values.mean())
    error = float(stats.norm.ppf(0.5 + level / 2) * np.sqrt(covariance([values])[0, 0]))
    return Point(mean, mean - error, mean + error)


def covariance(values: Sequence[Floats]) -> Floats:
    """Return the covariance of the means over seeds and over examples.

    The variation between seeds and examples together is in both parts, so that the errors are
    rather too large than too small.
    """
    count = len(values)
    total = np.zeros((count, count))
    for axis in (1, 0):
        means = np.array([each.mean(axis) for each in values])
        if means.shape[1] > 1:
            total += np.atleast_2d(np.cov(means)) / means.shape[1]
    return total


def next_gain(means: Floats) -> Floats:
    """Return the gain of one more doubling, for each row of outcomes.

    The curve ``a − b r^k`` with b ≥ 0 that fits best in the sum of squares is found by trying
    values of r; a and b follow from linear regression.
    """
    count = means.shape[1]
    powers = RATES[:, None] ** np.arange(count)
    shapes = powers - powers.mean(1, keepdims=True)
    centered = means - means.mean(1, keepdims=True)
    slopes = np.minimum(centered @ shapes.T / (shapes**2).sum(1), 0)
    errors = -2 * slopes * (centered @ shapes.T) + slopes**2 * (shapes**2).sum(1)
    best = errors.argmin(1)
    rate = RATES[best]
    return -slopes[np.arange(len(means)), best] * rate ** (count - 1) * (1 - rate)


def same_as_examples(
    outcome: float, examples: Sequence[int], means: Sequence[float]
) -> int | None:
    """Return the number of examples with an outcome, on a curve that is made to rise.

    Args:
        outcome: The outcome.
        examples: The numbers of examples, in rising order.
        means: The outcome at each.

    Returns:
        The number, interpolated between their logarithms; None outside of the curve.

    Example:
        >>> same_as_examples(89.0, [100, 200, 400], [80.0, 88.0, 90.0])
        283
    """
    rising = np.maximum.accumulate(np.asarray(means, float))
    if not rising[0] <= outcome <= rising[-1] or rising[0] == rising[-1]:
        return None
    return round(float(np.exp(np.interp(outcome, rising, np.log(np.asarray(examples, float))))))
