"""The section with the forest plot of all changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neuropil.report.page import Section
from neuropil.report.study.changes import by_gain
from neuropil.report.study.forest_plot import forest_axis, forest_row
from neuropil.report.study.gain_scale import GainScale
from neuropil.report.study.gain_text import GainText, whole_percent
from neuropil.text import figure_name

if TYPE_CHECKING:
    from collections.abc import Mapping


def forest_section(found: Mapping[str, Any]) -> Section | None:
    """Return the forest plot, the largest gain first; None if nothing was compared."""
    if not found["variants"]:
        return None
    study, variants = found["study"], by_gain(found["variants"])
    text, smallest = GainText.of(found), study.get("smallest")
    scale = GainScale.of(variants, smallest)
    # Published gains are percentage points of the accuracy on ImageNet.
    shares_scale = study["unit"] == "points"
    rows = [forest_row(v, scale, text, shares_scale=shares_scale) for v in variants]
    return Section(
        "study_forest",
        rows=rows,
        axis=forest_axis(scale, smallest),
        outcome=figure_name(study["outcome"]),
        unit=study["unit"],
        larger=study["larger_is_better"],
        level=whole_percent(study["level"]),
        smallest=text.setting(smallest) if smallest else "",
        cut=any(row["beyond_left"] or row["beyond_right"] for row in rows),
        compared=any(row["published"] is not None for row in rows),
        marked=any(row["published_place"] is not None for row in rows),
    )
