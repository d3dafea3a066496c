"""Gains of a study as text, all with the same number of decimals."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any, TypeGuard

from neuropil.plots.theme import short_number
from neuropil.report.wording import NONE, THIN, data_number

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_DECIMALS = 6


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
        rows = [*found["variants"], *([found["together"]] if found.get("together") else [])]
        halves = [
            (row["high"] - row["low"]) / 2
            for row in rows
            if is_known(row["low"]) and is_known(row["high"])
        ]
        sizes = [found["study"].get("smallest") or 0.0, median(halves) if halves else 0.0]
        return cls(
            found["study"]["unit"], decimals_for(min((s for s in sizes if s > 0), default=1.0))
        )

    def number(self, value: float | None) -> str:
        """Return a number; one that rounds to 0 gets as many decimals as it needs."""
        if value is None or math.isnan(value):
            return NONE
        if math.isinf(value):
            return "−∞" if value < 0 else "∞"
        text = f"{value:,.{self.decimals}f}"
        if not float(text.replace(",", "")):
            # "+0.0, helps" would contradict itself.
            is_tiny = abs(value) < 10.0**-MOST_DECIMALS
            text = text.lstrip("-") if is_tiny else significant(value, 1)
        return text.replace("-", "−")

    def axis_label(self, value: float) -> str:
        """Return an outcome as the label of an axis, whose heading names the unit."""
        return short_number(value) + f"{THIN}%" * (self.unit == "points")

    def gain(self, value: float | None) -> str:
        """Return a gain with its sign."""
        text = self.number(value)
        is_zero = not text.strip("0.")
        return f"+{text}" if value is not None and value > 0 and not is_zero else text

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


def is_known(value: float | None) -> TypeGuard[float]:
    """Return whether a number can be drawn."""
    return value is not None and math.isfinite(value)


def whole_percent(share: float) -> str:
    r"""Return a share that was chosen, such as a level, as a percentage.

    Example:
        >>> whole_percent(0.95)
        '95\u202f%'
    """
    return f"{100 * share:g}{THIN}%"


def significant(value: float, digits: int) -> str:
    """Return a number with some significant digits at least, never with an exponent.

    Example:
        >>> significant(0.0000084, 1), significant(125.4, 2)
        ('0.000008', '125')
    """
    decimals = digits - 1 - math.floor(math.log10(abs(value)))
    return f"{value:,.{max(decimals, 0)}f}"


def decimals_for(size: float) -> int:
    """Return the number of decimals with which differences of a size can be told apart.

    Example:
        >>> decimals_for(0.5), decimals_for(0.3), decimals_for(0.1), decimals_for(40.0)
        (1, 1, 2, 0)
    """
    wanted = -math.floor(math.log10(size / 3) + 1e-9)
    return min(max(wanted, 0), MOST_DECIMALS)
