"""The section with all figures and costs of the changes as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neuropil.report.page import Section
from neuropil.report.study.changes import by_gain
from neuropil.report.study.gain_text import GainText, whole_percent
from neuropil.report.wording import NONE, thousands
from neuropil.study.gain_digits import significant
from neuropil.text import duration

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# Times of equal work differ by this share from run to run.
SAME_TIME = 0.02
NO_COST, NO_GAIN = "no extra cost", "no gain"
BEYOND = "beyond the sum"


def variants_table(found: Mapping[str, Any]) -> Section:
    """Return the table: the baseline, then the changes with the largest gain first."""
    baseline, text = found["baseline"], GainText.of(found)
    per_second = f"{text.unit or 'gain'} per extra second"
    columns: dict[str, Callable[[Mapping[str, Any]], str]] = {
        "gain": lambda row: text.gain(row["gain"]),
        f"{whole_percent(found['study']['level'])} interval": lambda row: (
            text.interval(row["low"], row["high"]) or NONE
        ),
        "p": lambda row: p_text(row.get("p")),
        "verdict": lambda row: row["verdict"],
        "seeds": lambda row: str(row["seeds"]),
        "time per run": lambda row: time_text(row.get("seconds"), baseline.get("seconds")),
        per_second: lambda row: per_extra_second(row, baseline.get("seconds")),
        "parameters": lambda row: count_text(row.get("parameters")),
        "learning rate": lambda row: factor_text(row.get("lr")),
        BEYOND: lambda row: beyond_text(row.get("interaction"), text),
        "failed runs": lambda row: str(row.get("failed") or ""),
    }
    variants = by_gain(found["variants"])
    for name in ("learning rate", BEYOND, "failed runs"):
        if not any(columns[name](row) for row in (*variants, baseline)):
            del columns[name]
    rows = [(row["title"], [write(row) for write in columns.values()]) for row in variants]
    own = {
        "gain": text.outcome(baseline["mean"]),
        "seeds": str(len(baseline["figures"])),
        "time per run": time_text(baseline.get("seconds"), None),
        "parameters": count_text(baseline.get("parameters")),
        "learning rate": factor_text(baseline.get("lr")),
    }
    return Section(
        "study_table",
        heads=[*columns],
        rows=[("baseline", [own.get(name, "") for name in columns]), *rows],
        per_second=per_second,
        same_time=whole_percent(SAME_TIME),
    )


def factor_text(factor: float | None) -> str:
    """Return the factor of a learning rate; nothing for an unchanged one."""
    return "" if factor in (None, 1.0) else f"× {factor:g}"


def beyond_text(each: Mapping[str, Any] | None, text: GainText) -> str:
    """Return the gain of two changes beyond the sum of theirs, with its interval."""
    if each is None:
        return ""
    interval = text.interval(each["low"], each["high"])
    return text.gain(each["gain"]) + f" ({interval})" * bool(interval)


def p_text(p: float | None) -> str:
    """Return a p-value as text.

    Example:
        >>> p_text(0.0213), p_text(0.00002), p_text(0.44), p_text(None)
        ('0.021', '< 0.001', '0.44', '–')
    """
    if p is None:
        return NONE
    if p < 0.001:
        return "< 0.001"
    return f"{p:.2f}" if p >= 0.0995 else f"{p:.3f}"


def time_text(seconds: float | None, base: float | None) -> str:
    """Return the time of a run, and its ratio to that of the baseline."""
    if seconds is None:
        return NONE
    return duration(seconds) + (f" (× {seconds / base:.2f})" if base else "")


def count_text(count: int | None) -> str:
    """Return a number of parameters as text."""
    return NONE if count is None else thousands(count)


def per_extra_second(row: Mapping[str, Any], base: float | None) -> str:
    """Return the gain divided by the additional seconds of a run.

    Example:
        >>> per_extra_second({"gain": 0.8, "seconds": 3.5}, 3.1)
        '2.0'
        >>> per_extra_second({"gain": 0.8, "seconds": 3.1}, 3.1)
        'no extra cost'
        >>> per_extra_second({"gain": -0.1, "seconds": 3.5}, 3.1)
        'no gain'
    """
    gain, seconds = row["gain"], row.get("seconds")
    if gain is None or seconds is None or base is None:
        return NONE
    if seconds <= base * (1 + SAME_TIME):
        return NO_COST
    if gain <= 0:
        return NO_GAIN
    return significant(gain / (seconds - base), 2)
