"""The scale of a forest plot: which gains it shows, and where."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from neuropil.study.gain_digits import is_known

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# A row that reaches farther from 0 than this many times the median row does not widen the
# scale, unless it helps: one failed change must not squeeze all others into a line.
FARTHEST = 3.0
# The band of small differences never fills the plot.
BAND_MARGIN = 1.5
# On a telephone, more labels would run into each other.
MOST_TICKS = 5


@dataclass(frozen=True)
class GainScale:
    """A linear scale of gains with 0 on it.

    Args:
        left: The gain at its left end.
        right: The gain at its right end.
        step: Distance between two ticks.

    Example:
        >>> scale = GainScale(-1.0, 3.0, 1.0)
        >>> scale.place(0.0), scale.place(99.0), scale.ticks
        (25.0, 100.0, [-1.0, 0.0, 1.0, 2.0, 3.0])
    """

    left: float
    right: float
    step: float

    @classmethod
    def of(cls, rows: Sequence[Mapping[str, Any]], smallest: float | None) -> GainScale:
        """Return the scale for the gains and intervals of rows.

        Args:
            rows: Each with ``gain``, ``low`` and ``high``, which may be None, and a verdict.
            smallest: The smallest difference that matters; the scale is wider than this.
        """
        known = [
            [row[key] for key in ("low", "gain", "high") if is_known(row[key])] for row in rows
        ]
        sizes = [max(map(abs, values), default=0.0) for values in known]
        limit = FARTHEST * median([size for size in sizes if size] or [0.0])
        ends = [
            end
            for row, values, size in zip(rows, known, sizes, strict=True)
            for end in values
            if size <= limit or row.get("verdict") == "helps"
        ]
        band = BAND_MARGIN * (smallest or 0.0)
        left, right = min([-band, *ends]), max([band, *ends])
        if left == right:
            left, right = -1.0, 1.0
        step = tick_step(right - left)
        # Ends at half steps waste less of the plot than ends at whole ones.
        half = step / 2
        return cls(math.floor(left / half) * half, math.ceil(right / half) * half, step)

    def place(self, value: float) -> float:
        """Return the place of a gain in percent of the width, at an end if it lies beyond."""
        share = (value - self.left) / (self.right - self.left)
        return 100 * min(max(share, 0.0), 1.0)

    def place_if_shown(self, value: float | None) -> float | None:
        """Return the place of a gain, or None if it is not known or lies beyond an end."""
        if value is None or not self.left <= value <= self.right:
            return None
        return self.place(value)

    @property
    def ticks(self) -> list[float]:
        """The gains that are labelled, 0 among them."""
        first = math.ceil(self.left / self.step - 1e-9)
        last = math.floor(self.right / self.step + 1e-9)
        return [number * self.step for number in range(first, last + 1)]


def tick_step(width: float) -> float:
    """Return the step of 1, 2 or 5 times a power of ten that gives few ticks.

    Example:
        >>> tick_step(4.0), tick_step(0.3), tick_step(70.0)
        (1.0, 0.1, 20.0)
    """
    power = 10.0 ** math.floor(math.log10(width / MOST_TICKS))
    return next(m * power for m in (1, 2, 5, 10) if width / (m * power) <= MOST_TICKS)
