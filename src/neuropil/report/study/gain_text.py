"""Gains and outcomes of a study as text, in its unit."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from neuropil.plots.theme import short_number
from neuropil.report.wording import NONE, THIN, data_number
from neuropil.study.gain_digits import gain_decimals, gain_digits, signed

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class GainText:
    """Writes the gains and outcomes of one study.

    Args:
        unit: ``"points"``, ``"seconds"``, ``"epochs"`` or nothing.
        decimals: Number of decimals of a gain.

    Example:
        >>> text = GainText("points", 1)
        >>> text.gain(0.83), text.interval(-0.31, 1.35), text.estimate(-0.8, None, None)
        ('+0.8', '−0.3 to 1.4', '−0.8 points')
        >>> text.outcome(97.12), GainText("epochs", 0).size(1)
        ('97.1\u202f%', '1 epoch')
    """

    unit: str
    decimals: int

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> GainText:
        """Return the writer for a study, given as plain data."""
        return cls(found["study"]["unit"], gain_decimals(found))

    def number(self, value: float | None) -> str:
        """Return a number; one that rounds to 0 gets as many decimals as it needs."""
        if value is None or math.isnan(value):
            return NONE
        if math.isinf(value):
            return "−∞" if value < 0 else "∞"
        return gain_digits(value, self.decimals)

    def axis_label(self, value: float) -> str:
        """Return an outcome as the label of an axis, whose heading names the unit."""
        return short_number(value) + f"{THIN}%" * (self.unit == "points")

    def gain(self, value: float | None) -> str:
        """Return a gain with its sign."""
        text = self.number(value)
        return text if text == NONE else signed(text)

    def size(self, value: float) -> str:
        """Return a difference without a sign, in the unit."""
        return self.with_unit(self.number(value))

    def setting(self, value: float) -> str:
        """Return a difference that was chosen, such as the smallest that matters, in full."""
        return self.with_unit(data_number(value))

    def with_unit(self, text: str) -> str:
        """Return a number with the unit, in the singular after a 1."""
        return f"{text} {self.unit[:-1] if text == '1' else self.unit}".strip()

    def interval(self, low: float | None, high: float | None) -> str:
        """Return an interval; empty if an end is not known."""
        if low is None or high is None:
            return ""
        return f"{self.number(low)} to {self.number(high)}"

    def estimate(self, gain: float | None, low: float | None, high: float | None) -> str:
        """Return a gain in its unit, with its interval."""
        if gain is None:
            return NONE
        text = self.with_unit(self.gain(gain))
        interval = self.interval(low, high)
        return f"{text} ({interval})" if interval else text

    def outcome(self, value: float | None) -> str:
        """Return the outcome of a run: of "points" as a percentage."""
        if value is None:
            return NONE
        return f"{self.number(value)}{THIN}%" if self.unit == "points" else self.size(value)


def whole_percent(share: float) -> str:
    r"""Return a share that was chosen, such as a level, as a percentage.

    Example:
        >>> whole_percent(0.95)
        '95\u202f%'
    """
    return f"{100 * share:g}{THIN}%"
