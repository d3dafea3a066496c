"""Write a study as a page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from neuropil.core.atomic import replacing
from neuropil.report.page import render, render_sections
from neuropil.report.study.forest_section import forest_section
from neuropil.report.study.method_section import method_section
from neuropil.report.study.more_data_section import more_data_section
from neuropil.report.study.published_section import published_section
from neuropil.report.study.recommendation_section import recommendation_section
from neuropil.report.study.together_section import together_section
from neuropil.report.study.variants_table import variants_table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike


def write_study(path: str | PathLike[str], found: Mapping[str, Any]) -> Path:
    """Write a study as one HTML file, which loads nothing.

    It has the recommendation, the gains as a forest plot and as a table with their costs, the
    winners together, the learning curve, and what the intervals mean. The file is replaced
    atomically.

    Args:
        path: The file, such as ``"study.html"``; its folder must exist.
        found: The study as plain data, as in its ``study.json``.
    """
    path = Path(path)
    sections = {
        "Recommendation": recommendation_section(found),
        "Gains": forest_section(found),
        "Costs": variants_table(found),
        "Together": together_section(found),
        "More data": more_data_section(found),
        "Published gains": published_section(found),
        "Method": method_section(found),
    }
    values = {"title": found["study"]["data"], "sections": render_sections(sections)}
    with replacing(path) as file:
        file.write(render("study", values).encode("utf-8", "replace"))
    return path
