"""Write the comparison of several runs as a page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from neuropil.core.atomic import replacing
from neuropil.plots.curves import VALIDATION, curve_names
from neuropil.plots.run_curves import run_curves
from neuropil.report.comparison import PARTS, Comparison
from neuropil.report.page import Section, render, render_sections
from neuropil.report.sections.settings_section import setting_text
from neuropil.report.svg import drawing
from neuropil.report.wording import NONE, figure_text, thousands
from neuropil.text import all_of, duration, figure_name, number_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from os import PathLike

    from neuropil.training import History


def write_comparison(path: str | PathLike[str], found: Comparison) -> Path:
    """Write the comparison of several runs as one HTML file, which loads nothing.

    It has the settings that differ, the figures, sizes and times, and the learning curves. The
    file is replaced atomically.

    Args:
        path: The file, such as ``"comparison.html"``; its folder must exist.
        found: The comparison.
    """
    path = Path(path)
    sections = {
        "Results": results(found),
        "Settings": settings(found),
        "Curves": curves(dict(zip(found.names, found.histories, strict=True))),
    }
    values = {
        "title": f"{number_of(len(found.runs), 'run')}: {all_of(found.names)}",
        "sections": render_sections(sections),
    }
    with replacing(path) as file:
        file.write(render("comparison", values).encode("utf-8", "replace"))
    return path


def results(found: Comparison) -> Section:
    """Return the table of figures, sizes and times; the best of each metric is marked."""
    rows = [
        metric_row(found, part, name, values)
        for part in PARTS
        for name, values in found.figures(part).items()
    ]
    rows += [
        plain_row("parameters", [thousands(n) if n else NONE for n in found.parameters]),
        plain_row("epochs trained", [thousands(n) for n in found.epochs]),
        plain_row("training time", [duration(s) if s else NONE for s in found.seconds]),
    ]
    notes = [*found.notes, found.caution] if found.caution else found.notes
    values = {"head": found.names, "rows": rows, "notes": notes, "wrapped": False}
    return Section("comparison_table", title="Results", **values)


def metric_row(
    found: Comparison, part: str, name: str, values: Sequence[float | None]
) -> dict[str, Any]:
    """Return the row of one metric."""
    best = found.best(name, values)
    cells = [
        {
            "text": NONE if v is None else figure_text(name, v),
            "best": v is not None and v == best,
        }
        for v in values
    ]
    return {"name": f"{part}: {figure_name(name)}", "cells": cells}


def plain_row(name: str, texts: Sequence[str]) -> dict[str, Any]:
    """Return a row in which no cell is the best."""
    return {"name": name, "cells": [{"text": text, "best": False} for text in texts]}


def settings(found: Comparison) -> Section:
    """Return the table of the settings that differ."""
    rows = [
        plain_row(
            name.replace("_", " "), [NONE if v is None else setting_text(v) for v in values]
        )
        for name, values in found.settings.items()
    ]
    notes = [] if rows else ["All settings are the same."]
    title = "Settings that differ"
    return Section(
        "comparison_table", title=title, head=found.names, rows=rows, notes=notes, wrapped=True
    )


def curves(histories: Mapping[str, History]) -> Section | None:
    """Return the learning curves, validation before training; None for classic networks."""
    columns = dict.fromkeys(
        column
        for before in (VALIDATION, "")
        for history in histories.values()
        for name in curve_names(history)
        if name != "lr" and (column := before + name) in history.columns
    )
    drawn = [
        drawing(
            run_curves(histories, column),
            f"curve{place}",
            f"The {column.replace('_', ' ')} of each run over the epochs.",
        )
        for place, column in enumerate(columns)
    ]
    return Section("comparison_curves", curves=drawn) if drawn else None
