"""The health of a network's gradients in the terminal: a table, then the verdicts."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from neuropil.analysis.health.health_rows import LayerHealth
    from neuropil.analysis.health.health_verdicts import Verdict

GAP = "  "
HEALTHY = "Healthy: gradients reach every layer, and none explode."


def as_text(rows: Sequence[LayerHealth], verdicts: Sequence[Verdict]) -> str:
    """Return a line for each layer, and below them what is wrong."""
    columns = {title: list(map(cell, rows)) for title, cell in COLUMNS.items()}
    columns = {title: cells for title, cells in columns.items() if any(cells)}
    widths = [max(map(len, (title, *cells))) for title, cells in columns.items()]
    head, *lines = (
        GAP.join(
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in [tuple(columns), *zip(*columns.values(), strict=True)]
    )
    ruler = "─" * (sum(widths) + len(GAP) * (len(widths) - 1))
    below = [f"{verdict}." for verdict in verdicts] or [HEALTHY]
    return "\n".join([head, ruler, *lines, ruler, *below])


def number(value: float | None) -> str:
    """Return a number in three digits, nothing for none."""
    if value is None:
        return ""
    return f"{value:#.3g}".rstrip(".") if 1e-3 <= abs(value) < 1e4 else f"{value:.2g}"


COLUMNS: dict[str, Callable[[LayerHealth], str]] = {
    "Layer": lambda row: row.title,
    "Gradient": lambda row: number(row.gradient),
    "Weights": lambda row: number(row.weight),
    "Ratio": lambda row: number(row.relative),
    "Mean": lambda row: number(row.mean),
    "Deviation": lambda row: number(row.deviation),
    "Dead": lambda row: "" if row.dead is None else f"{row.dead} of {row.units}",
    "Saturated": lambda row: "" if row.saturated is None else f"{row.saturated:.0%}",
}
