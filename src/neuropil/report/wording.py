"""Numbers and names formatted for readers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from neuropil.report.evidence import Figure

# The space before a percent sign must not break: 98.6 %.
THIN = "\N{NARROW NO-BREAK SPACE}"
INTERVAL = f"95{THIN}% interval"
NONE = "–"


def share(value: float) -> str:
    """Return a share as a percentage without the sign; only 1 gives 100 and only 0 gives 0.

    Example:
        >>> share(0.98611), share(1), share(0.99996), share(0.0002)
        ('98.6', '100', '99.996', '0.02')
    """
    if math.isnan(value) or value in (0, 1):
        return NONE if math.isnan(value) else f"{100 * value:.0f}"
    texts = (f"{100 * value:.{digits}f}" for digits in range(1, 9))
    return next((text for text in texts if 0 < float(text) < 100), f"{100 * value:.0f}")


def percent(value: float) -> str:
    r"""Return a share as a percentage with the sign.

    Example:
        >>> percent(0.98611)
        '98.6\u202f%'
    """
    return NONE if math.isnan(value) else f"{share(value)}{THIN}%"


def number(value: float) -> str:
    """Return a measured number with three significant digits, or all before the point.

    Example:
        >>> number(0.051234), number(12345.6), number(999.7), number(13), number(-0.5)
        ('0.0512', '12,346', '1,000', '13.0', '−0.500')
    """
    if math.isnan(value):
        return NONE
    if abs(value) >= 999.5:
        text = f"{value:,.0f}" if abs(value) < 1e9 else f"{value:.3g}"
    else:
        text = f"{value + 0.0:#.3g}".rstrip(".") if value else "0"
    return text.replace("-", "−")


def data_number(value: float) -> str:
    """Return a number of the data: a whole number in full, others with six significant digits.

    Example:
        >>> data_number(1040.0), data_number(0.25), data_number(-3.0), data_number(1269190.0)
        ('1040', '0.25', '−3', '1269190')
    """
    if math.isnan(value):
        return NONE
    whole = abs(value) < 1e9 and value == round(value)
    return f"{value + 0.0:{'.0f' if whole else '.6g'}}".replace("-", "−")


def thousands(count: int) -> str:
    """Return a count with thousands separators, such as ``2,000``."""
    return f"{int(count):,}".replace("-", "−")


def is_share(name: str) -> bool:
    """Tell whether a metric is a share, and thus shown as a percentage."""
    metric = name.partition(" of ")[0]
    return metric.endswith("accuracy") or metric in ("precision", "recall")


def figure_text(name: str, value: float) -> str:
    """Return the value of a metric as text."""
    return percent(value) if is_share(name) else number(value)


def interval(name: str, figure: Figure) -> str:
    """Return an interval as text, such as ``96.8–99.4 %``."""
    write = share if is_share(name) else number
    ends = f"{write(figure.low)} to {write(figure.high)}"
    if figure.low >= 0:
        ends = f"{write(figure.low)}–{write(figure.high)}"
    return ends + f"{THIN}%" * is_share(name)
