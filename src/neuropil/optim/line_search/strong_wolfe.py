"""Line search for a step along a direction that meets the strong Wolfe conditions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal, NamedTuple, TypeAlias, final

from neuropil.optim.line_search.interpolation import NARROW, Trial, interpolate

Phi: TypeAlias = Callable[[float], tuple[float, float, Any]]

SHRINK = 0.1  # next trial, as a fraction of the way to a point where φ is not finite
STRETCH = 4.0  # largest extrapolation while no minimum is enclosed
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
