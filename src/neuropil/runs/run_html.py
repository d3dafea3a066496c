"""A run as a notebook shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neuropil.notebook_html import facts, notebook_page, table

if TYPE_CHECKING:
    from collections.abc import Mapping


# Settings that are shown if they are set.
SHOWN = ("network", "loss", "optimizer", "lr", "schedule", "batch_size", "augment", "ema")


def run_html(run: Any) -> str:
    """Return the facts of a run, and a table of its figures by part of the data.

    Args:
        run: The `Run`.
    """
    data, settings = run.data, run.settings
    sizes = [
        f"{data[part]:,} {part}" for part in ("train", "validation", "test") if data.get(part)
    ]
    chosen = [f"{name} {settings[name]}" for name in SHOWN if settings.get(name) is not None]
    seconds = run.times.get("seconds")
    length = [f"epochs {settings['epochs']:,}"] if settings.get("epochs") else []
    length += [f"{seconds:.1f} s"] if seconds else []
    pairs = {
        "Folder": str(run.path),
        "Status": run.status,
        "Task": data.get("task", {}).get("name", ""),
        "Data": " · ".join([str(data.get("source", "")), *sizes]),
        "Settings": " · ".join(chosen),
        "Training": " · ".join(length),
    }
    parts = [facts((title, text) for title, text in pairs.items() if text)]
    return notebook_page(*parts, *[figures_table(run.figures)] * bool(run.figures))


def figures_table(figures: Mapping[str, Mapping[str, float | None]]) -> str:
    """Return a table with one row per metric and one column per part of the data."""
    names = dict.fromkeys(name for part in figures.values() for name in part)
    rows = [[name, *(short(part.get(name)) for part in figures.values())] for name in names]
    return table(["Figure", *figures], rows, list(figures))


def short(value: float | None) -> str:
    """Return a figure with four significant digits; empty if there is none."""
    return "" if value is None else f"{value:.4g}"
