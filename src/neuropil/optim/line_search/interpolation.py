"""The next step of a line search, from the values and slopes at earlier steps."""

from __future__ import annotations

import math
from typing import NamedTuple

NARROW = 0.66  # δ of Moré and Thuente: the factor by which trials shrink an interval


class Trial(NamedTuple):
    """A step with the function's value and slope there."""

    step: float
    value: float
    slope: float

    def tilt(self, lean: float) -> Trial:
        """Return the trial for the function φ(t) − lean · t."""
        return Trial(self.step, self.value - lean * self.step, self.slope - lean)


def interpolate(low: Trial, high: Trial | None, new: Trial, limit: float) -> float:
    """Return the next step, by the four cases of Moré and Thuente (their section 4)."""
    # Case 1: a higher value, so a minimum lies between both.
    if new.value > low.value:
        return between(low, new, limit)
    # Case 4: a lower value, and a slope of the same sign that does not flatten: the function
    # falls ever faster, and nothing near bounds the minimum.
    if abs(new.slope) >= abs(low.slope) and new.slope * low.slope >= 0:
        return limit if high is None else cubic(new, high, limit)
    by_secant = new.step + (low.step - new.step) * new.slope / (new.slope - low.slope)
    by_cubic = cubic(low, new, limit)
    # Case 2: a lower value, and a slope of the other sign. The farther step tends to straddle
    # the minimum, so that the case recurs.
    if new.slope * low.slope < 0:
        return max(by_cubic, by_secant, key=lambda step: abs(step - new.step))
    # Case 3: a lower value, and a slope of the same sign that flattens.
    return beyond(low, high, new, limit, (by_cubic, by_secant))


def between(low: Trial, new: Trial, limit: float) -> float:
    """Return a step between both trials, since a minimum lies there."""
    by_cubic, by_parabola = cubic(low, new, limit), parabola(low, new)
    # The parabola alone moves too little when the new value is much higher than the best.
    if abs(by_cubic - low.step) < abs(by_parabola - low.step):
        return by_cubic
    return (by_cubic + by_parabola) / 2


def beyond(
    low: Trial, high: Trial | None, new: Trial, limit: float, found: tuple[float, float]
) -> float:
    """Return a step past the new trial, where the function falls but flattens."""
    ahead = math.copysign(1.0, new.step - low.step)
    by_cubic, by_secant = found
    if (by_cubic - new.step) * ahead <= 0:  # the cubic has no minimum there
        by_cubic = limit
    if high is None:
        nearest = new.step + 1.1 * (new.step - low.step)
        farther = max(by_cubic, by_secant, key=lambda step: abs(step - new.step))
        return ahead * min(max(ahead * farther, ahead * nearest), ahead * limit)
    nearer = min(by_cubic, by_secant, key=lambda step: abs(step - new.step))
    bound = new.step + NARROW * (high.step - new.step)
    return ahead * min(ahead * nearer, ahead * bound)


def cubic(a: Trial, b: Trial, otherwise: float) -> float:
    """Return the minimum of the cubic through both values and slopes, or ``otherwise``."""
    # d₁ and d₂ of Nocedal and Wright, "Numerical Optimization", 2006, (3.59), divided by the
    # largest of their terms: its square neither overflows nor vanishes.
    theta = 3 * (a.value - b.value) / (b.step - a.step) + a.slope + b.slope
    size = max(abs(theta), abs(a.slope), abs(b.slope))
    inside = (theta / size) ** 2 - (a.slope / size) * (b.slope / size)
    if not inside >= 0:
        return otherwise
    # d₂ has the sign of the difference of the steps, which selects the minimum, not the
    # maximum.
    gamma = math.copysign(size * math.sqrt(inside), b.step - a.step)
    share = (b.slope + gamma - theta) / (b.slope - a.slope + 2 * gamma)
    return b.step - share * (b.step - a.step)


def parabola(a: Trial, b: Trial) -> float:
    """Return the minimum of the parabola through both values and the first slope."""
    width = b.step - a.step
    return a.step + a.slope / ((a.value - b.value) / width + a.slope) / 2 * width
