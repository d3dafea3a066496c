"""Figures as a table in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.table import Table

    from neuropil.runs.task import Figures

SHORT = {"root_mean_squared_error": "RMSE", "mean_absolute_error": "MAE", "r2": "R²"}


def table(figures: Mapping[str, Figures]) -> Table:
    """Return figures as a table, a part a row."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    columns = list(dict.fromkeys(name for part in figures.values() for name in part))
    columns.sort(key=lambda name: name == "loss")
    result = Table(box=SIMPLE_HEAD, pad_edge=False)
    result.add_column("")
    for name in columns:
        result.add_column(readable(name), justify="right")
    for part, values in figures.items():
        style = "bold" if part == "test" else ""
        result.add_row(part, *(shown(values.get(name)) for name in columns), style=style)
    return result


def readable(name: str) -> str:
    """Return a metric's name for people."""
    return SHORT.get(name, name.replace("_", " "))


def shown(value: float | None) -> str:
    """Return a figure with the digits that matter."""
    if value is None:
        return "–"
    if abs(value) < 1000:
        return f"{value:.4f}"
    return f"{value:,.1f}" if abs(value) < 1e9 else f"{value:.3g}"
