"""A study in the terminal: a line for each change, then the recommendation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neuropil.cli.console import console, say
from neuropil.report.study.changes import by_gain, seeds_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.table import Table

STYLES = {"helps": "bold green", "hurts": "bold red", "cannot tell": "dim"}


# Columns are separated by three characters, and there is one at either end.
GAPS = 14
LEAST_TITLE = 12


def show_study(found: Mapping[str, Any]) -> None:
    """Print a study, given as plain data: its changes, the best first, and what it recommends.

    Args:
        found: The study, as in its ``study.json``.
    """
    screen = console()
    screen.print(study_table(found, screen.width))
    for advice in found["recommendation"]:
        say(advice)


def study_table(found: Mapping[str, Any], width: int) -> Table:
    """Return a table with a line for each change; titles are cut to the width of the screen."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    from neuropil.text import figure_name, one_line

    study = found["study"]
    rows = figures(found)
    gain = f"gain in {study['unit']}" if study["unit"] else "gain"
    heads = (gain, "verdict", "seeds", "time")
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    titles = [f"baseline: {figure_name(study['outcome'])}"]
    titles += [row["title"] for row in by_gain(found["variants"])]
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("change", no_wrap=True)
    for head in heads:
        justify = "right" if head in ("seeds", "time") else "left"
        table.add_column(head, no_wrap=True, justify=justify)
    for title, row in zip(titles, rows, strict=True):
        cells = [Text(one_line(title)), *map(Text, row)]
        cells[0].truncate(max(width - sum(widths) - GAPS, LEAST_TITLE), overflow="ellipsis")
        cells[2].stylize(STYLES.get(row[1], ""))
        table.add_row(*cells)
    return table


def figures(found: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    """Return the figures of the baseline and of each change as text."""
    from neuropil.report.study.gain_text import GainText
    from neuropil.report.study.variants_table import time_text

    baseline, text = found["baseline"], GainText.of(found)
    own = str(len(baseline["figures"])), time_text(baseline.get("seconds"), None)
    rows = [(text.outcome(baseline["mean"]), "", *own)]
    for row in by_gain(found["variants"]):
        interval = text.interval(row["low"], row["high"])
        gain = text.gain(row["gain"]) + f" ({interval})" * bool(interval)
        time = time_text(row.get("seconds"), None)
        rows.append((gain, row["verdict"], seeds_text(row), time))
    return rows
