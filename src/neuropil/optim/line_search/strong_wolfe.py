"""Line search for a step along a direction that meets the strong Wolfe conditions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal, NamedTuple, TypeAlias, final

Phi: TypeAlias = Callable[[float], tuple[float, float, Any]]

SHRINK = 0.1  # next trial, as a fraction of the way to a point where φ is not finite
STRETCH = 4.0  # largest extrapolation while no minimum is enclosed
NARROW = 0.66  # halve an interval that two trials have not shrunk below this factor
HAIR = 1e-14  # relative width of an interval too narrow for a further step


class LineStep(NamedTuple):
    """The result of a line search: the lowest value found, never above the start.

    Attributes:
        step: The step along the direction; 0 if no lower value was found.
        value: φ there.
        slope: φ′ there.
        payload: The third result of φ there; None if ``step`` is 0.
        evaluations: The number of evaluations of φ.
        reason: ``"wolfe"`` if both conditions hold. Otherwise why the search failed: rounding
            hides any further decrease of the ``"loss"``, the ``"step"`` would be too short to
            matter, or it is ``"stuck"`` because the evaluations ran out.
    """

    step: float
    value: float
    slope: float
    payload: Any
    evaluations: int
    reason: Literal["wolfe", "loss", "step", "stuck"]

    @property
    def success(self) -> bool:
        """Whether both Wolfe conditions hold."""
        return self.reason == "wolfe"


def strong_wolfe(
    phi: Phi,
    step: float,
    value: float,
    slope: float,
    *,
    c1: float = 1e-4,
    c2: float = 0.9,
    max_evaluations: int = 20,
    resolution: float = 2.0**-52,
    narrowest: float = 0.0,
) -> LineStep:
    """Find a step that lowers φ enough and flattens it enough.

    φ(t) ≤ φ(0) + c₁ t φ′(0)  and  |φ′(t)| ≤ c₂ |φ′(0)|

    Trials where φ or φ′ is not finite count as too far. If the decrease that the first
    condition requires is smaller than φ's rounding error, φ(t) ≤ φ(0) is sufficient.

    Args:
        phi: Returns ``(φ(t), φ′(t), payload)``; the payload is returned with the result.
        step: The first trial.
        value: φ(0).
        slope: φ′(0), below 0.
        c1: The required average slope, as a fraction of the first slope.
        c2: The largest slope at the end, as a fraction of the first; above ``c1``, below 1.
        max_evaluations: The largest number of evaluations of φ.
        resolution: The relative rounding error of φ's values.
        narrowest: A step length that is too short to matter.

    Raises:
        ValueError: If the start is not finite, the slope does not descend, the first trial is
            not positive, or ``0 < c1 < c2 < 1`` does not hold.

    Reference:
        Moré, Thuente, "Line search algorithms with guaranteed sufficient decrease", 1994. Ours
        also avoids points where the function is not finite, and stops when the interval is too
        narrow for the rounding of the values.

    Example:
        >>> def phi(t):
        ...     return (t - 3) ** 2, 2 * (t - 3), None
        >>> found = strong_wolfe(phi, step=1.0, value=9.0, slope=-6.0, c2=0.1)
        >>> found.step, found.value, found.evaluations, found.success
        (3.0, 0.0, 2, True)
    """
    check(step, value, slope, c1, c2)
    best = Trial(0.0, value, slope)
    payload: Any = None
    bracket = Bracket(best, c1, resolution)
    for count in range(1, max_evaluations + 1):
        trial = Trial(step, *(answer := phi(step))[:2])
        if not (math.isfinite(trial.value) and math.isfinite(trial.slope)):
            step = bracket.before(step)
        else:
            if trial.value < best.value:
                best, payload = trial, answer[2]
            if bracket.low_enough(trial) and abs(trial.slope) <= -c2 * slope:
                return LineStep(*trial, answer[2], count, "wolfe")
            step = bracket.after(trial)
        reason = bracket.reason_to_stop(step, narrowest)
        if reason is not None:
            return LineStep(*best, payload, count, reason)
    return LineStep(*best, payload, max_evaluations, "stuck")


class Trial(NamedTuple):
    """A step with the function's value and slope there."""

    step: float
    value: float
    slope: float

    def tilt(self, lean: float) -> Trial:
        """Return the trial for the function φ(t) − lean · t."""
        return Trial(self.step, self.value - lean * self.step, self.slope - lean)


@final
class Bracket:
    """The interval that holds the step, and the choice of the next trial.

    Args:
        start: The trial at t = 0.
        c1: The required average slope, as a fraction of the first slope.
        resolution: The relative rounding error of the values.
    """

    def __init__(self, start: Trial, c1: float, resolution: float) -> None:
        self.start = start
        self.lean = c1 * start.slope
        self.rounding = resolution * abs(start.value)
        self.low = start  # the best end, from which the function falls towards the other
        self.high: Trial | None = None  # the other end, once a minimum is enclosed
        self.wall: float | None = None  # a point where the function is not finite
        self.first_stage = True
        self.widths = (math.inf, math.inf)

    def low_enough(self, trial: Trial) -> bool:
        """Tell whether a trial meets the first Wolfe condition, up to rounding."""
        needed = self.lean * trial.step
        if -needed <= self.rounding:
            return trial.value <= self.start.value
        return trial.value <= self.start.value + needed

    def before(self, step: float) -> float:
        """Record a step where the function is not finite; return the next step."""
        self.wall, self.high = step, None
        self.widths = (math.inf, math.inf)
        return self.low.step + SHRINK * (step - self.low.step)

    def after(self, trial: Trial) -> float:
        """Record a finite trial; return the next step."""
        enough = self.low_enough(trial)
        # Moré and Thuente's first stage ends where ψ(t) = φ(t) − φ(0) − c₁ t φ′(0) is at most 0
        # and φ rises: from there on an interval holds a minimiser of φ itself.
        if enough and trial.slope >= 0:
            self.first_stage = False
        # Until then ψ, the tilted function, replaces φ where φ has fallen, but not enough: a
        # point that meets the first condition is sought.
        tilts = self.first_stage and not enough and trial.value <= self.low.value
        lean = self.lean if tilts else 0.0
        low, new = self.low.tilt(lean), trial.tilt(lean)
        high = None if self.high is None else self.high.tilt(lean)
        limit = self.limit(trial) if high is None else high.step
        try:
            step = interpolate(low, high, new, limit)
        except ZeroDivisionError:
            step = math.nan
        # Their updating algorithm: a higher trial bounds the interval; a lower one becomes the
        # best end, and the old end becomes the bound if φ falls back towards it.
        if new.value > low.value:
            self.high = trial
        else:
            if new.slope * (low.step - new.step) < 0:  # φ falls towards the old end
                self.high = self.low
            self.low = trial
        return self.safe(step, limit)

    def limit(self, trial: Trial) -> float:
        """Return the farthest step to try while no minimum is enclosed."""
        if self.wall is not None:
            return (trial.step + self.wall) / 2
        return trial.step + STRETCH * (trial.step - self.low.step)

    def safe(self, step: float, limit: float) -> float:
        """Return a step inside the interval; its middle if it has not shrunk enough."""
        if self.high is None:
            return step if math.isfinite(step) else limit
        low, high = self.low.step, self.high.step
        width = abs(high - low)
        slow = width >= NARROW * self.widths[0]
        self.widths = (self.widths[1], width)
        inside = min(low, high) < step < max(low, high)
        return step if inside and not slow else low + 0.5 * (high - low)

    def reason_to_stop(self, step: float, narrowest: float) -> Literal["loss", "step"] | None:
        """Return the reason to give up, or None to continue."""
        far = self.high.step if self.high is not None else self.wall
        if far is None:
            return None if math.isfinite(step) else "step"
        width = abs(far - self.low.step)
        # Estimated from the slope at the best end, φ falls by no more than this in the
        # interval.
        if self.high is not None and width * abs(self.low.slope) <= self.rounding:
            return "loss"
        hair = max(narrowest, HAIR * abs(far), HAIR * self.low.step)
        return "step" if width <= hair else None


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


def check(step: float, value: float, slope: float, c1: float, c2: float) -> None:
    """Check the arguments of a line search.

    Raises:
        ValueError: If one of them is invalid.
    """
    if not (math.isfinite(value) and -math.inf < slope < 0):
        raise ValueError(
            f"A line search needs a finite value and a slope below 0 at the start, got value "
            f"{value:g} and slope {slope:g}."
        )
    if not 0 < step < math.inf:
        raise ValueError(f"The first trial of a line search must be above 0, got {step:g}.")
    if not 0 < c1 < c2 < 1:
        raise ValueError(f"A line search needs 0 < c1 < c2 < 1, got c1={c1:g} and c2={c2:g}.")
