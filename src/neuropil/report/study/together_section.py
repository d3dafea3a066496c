"""The section that compares the joint gain of the winners with the sum of their gains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neuropil.report.page import Section
from neuropil.report.study.forest_plot import forest_axis, forest_row
from neuropil.report.study.gain_scale import GainScale
from neuropil.report.study.gain_text import GainText, whole_percent
from neuropil.report.study.variants_table import time_text
from neuropil.study.gain_digits import is_known

if TYPE_CHECKING:
    from collections.abc import Mapping


def together_section(found: Mapping[str, Any]) -> Section | None:
    """Return the single gains, their sum and the joint gain; None if not measured."""
    joint = found.get("together")
    if not joint:
        return None
    text, smallest = GainText.of(found), found["study"].get("smallest")
    winners = [v for name in joint["names"] for v in found["variants"] if v["name"] == name]
    alone = {"low": None, "high": None, "verdict": "", "seeds": joint["seeds"]}
    rows = [
        *({**v, "group": "alone"} for v in winners),
        {**alone, "title": "Sum of the single gains", "gain": joint["sum"]},
        {**joint, "title": "All together", "group": "measured"},
    ]
    scale = GainScale.of(rows, smallest)
    return Section(
        "study_together",
        rows=[forest_row({**row, "published": None}, scale, text) for row in rows],
        axis=forest_axis(scale, smallest),
        finding=finding(joint, text),
        time=time_text(joint.get("seconds"), found["baseline"].get("seconds")),
    )


def finding(joint: Mapping[str, Any], text: GainText) -> str:
    """Return in words how the joint gain compares with the sum."""
    gain, low, high, total = (joint[key] for key in ("gain", "low", "high", "sum"))
    words = (
        f"Together the {len(joint['names'])} winners give {text.estimate(gain, low, high)}; "
        f"their single gains add up to {text.gain(total)}."
    )
    if not is_known(gain) or gain <= 0 or total <= 0:
        return words
    words += f" That is {whole_percent(round(gain / total, 2))} of the sum"
    if not (is_known(low) and is_known(high)):
        return f"{words}."
    if high < total:
        return f"{words}: in part they do the same."
    stronger = "they strengthen each other" if low > total else "within chance they add up"
    return f"{words}: {stronger}."
