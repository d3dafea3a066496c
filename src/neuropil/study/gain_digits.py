"""Gains of a study as text, all with the same number of decimals."""

from __future__ import annotations

import math
from statistics import median
from typing import TYPE_CHECKING, Any, TypeGuard

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_DECIMALS = 6


def gain_decimals(found: Mapping[str, Any]) -> int:
    """Return the number of decimals of all gains of a study.

    Differences can be told apart that are as large as the smallest that matters, or as half the
    width of the usual interval.

    Args:
        found: The study as plain data.
    """
    rows = [*found["variants"], *([found["together"]] if found.get("together") else [])]
    halves = [
        (row["high"] - row["low"]) / 2
        for row in rows
        if is_known(row["low"]) and is_known(row["high"])
    ]
    sizes = [found["study"].get("smallest") or 0.0, median(halves) if halves else 0.0]
    return decimals_for(min((s for s in sizes if s > 0), default=1.0))


def gain_digits(value: float, decimals: int) -> str:
    """Return a number; one that rounds to 0 gets as many decimals as it needs.

    Example:
        >>> gain_digits(-0.83, 1), gain_digits(0.012, 1), gain_digits(-1e-9, 1)
        ('−0.8', '0.01', '0.0')
    """
    text = f"{value:,.{decimals}f}"
    if not float(text.replace(",", "")):
        # "+0.0, helps" would contradict itself.
        is_tiny = abs(value) < 10.0**-MOST_DECIMALS
        text = text.lstrip("-") if is_tiny else significant(value, 1)
    return text.replace("-", "−")


def signed(text: str) -> str:
    """Return the text of a number with a sign, unless it is 0.

    Example:
        >>> signed("0.8"), signed("−0.8"), signed("0.0")
        ('+0.8', '−0.8', '0.0')
    """
    return text if text.startswith("−") or not text.strip("0.") else f"+{text}"


def is_known(value: float | None) -> TypeGuard[float]:
    """Return whether a number is there and finite."""
    return value is not None and math.isfinite(value)


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
