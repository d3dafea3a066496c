"""The history of a training as HTML for notebooks."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from neuropil.notebook_html import notebook_page, table
from neuropil.text import number_of
from neuropil.training.metrics.metrics import resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

BOOKKEEPING = {"epoch", "steps", "seconds"}
TITLES = ("Figure", "Course", "First", "Last", "Best", "In epoch")
# Size of a curve in pixels, its margin, and the maximum number of its points.
WIDTH, HEIGHT, MARGIN, POINTS = 140, 22, 2, 200


def as_html(columns: Sequence[str], records: Sequence[dict[str, Any]]) -> str:
    """Return a table with one row per figure: its course, its last and its best value.

    Args:
        columns: The names of the figures.
        records: The figures of each epoch.
    """
    if not records:
        return notebook_page("<p>No epochs yet.</p>")
    epochs = [record.get("epoch", place) for place, record in enumerate(records, 1)]
    rows = [
        figure_row(name, [record.get(name) for record in records], epochs)
        for name in columns
        if name not in BOOKKEEPING
    ]
    below = Markup('<p class="quiet">{}</p>').format(extent(records))
    return notebook_page(table(TITLES, rows, TITLES[2:]), below)


def extent(records: Sequence[dict[str, Any]]) -> str:
    """Return the length of a training in epochs, steps and seconds."""
    parts = [number_of(len(records), "epoch")]
    parts += [f"{records[-1]['steps']:,} steps"] * ("steps" in records[-1])
    seconds = [record.get("seconds") for record in records]
    parts += [f"{sum(filter(None, seconds)):.1f} s"] * (None not in seconds)
    return " · ".join(parts)


def figure_row(name: str, values: Sequence[Any], epochs: Sequence[int]) -> list[str]:
    """Return the cells of a figure's row."""
    known = [place for place, value in enumerate(values) if is_finite(value)]
    choose = better(name)
    ends = [short(values[known[0]]), short(values[known[-1]])] if known else ["", ""]
    if not known or choose is None:
        return [name, curve(values), *ends, "", ""]
    best = choose(known, key=lambda place: values[place])
    return [name, curve(values), *ends, short(values[best]), str(epochs[best])]


def better(name: str) -> Callable[..., Any] | None:
    """Return the function that chooses the better of two figures; None if it is not known."""
    name = name.removeprefix("validation_")
    if name in {"loss", "penalty"}:
        return min
    try:
        return max if resolve(name).greater_is_better else min
    except ValueError:
        return None


def curve(values: Sequence[Any]) -> Markup:
    """Return a small drawing of a figure over the epochs, in the colour of the text."""
    every = max(1, len(values) // POINTS)
    drawn = [(x, v) for x, v in enumerate(values) if is_finite(v) and x % every == 0]
    if len(drawn) < 2:
        return Markup()
    low, high = min(v for _, v in drawn), max(v for _, v in drawn)
    across = (WIDTH - 2 * MARGIN) / (len(values) - 1)
    up = (HEIGHT - 2 * MARGIN) / ((high - low) or 1.0)
    points = " ".join(
        f"{MARGIN + x * across:.1f},{HEIGHT - MARGIN - (v - low) * up:.1f}" for x, v in drawn
    )
    return Markup(
        '<svg width="{0}" height="{1}" viewBox="0 0 {0} {1}" aria-hidden="true">'
        '<polyline points="{2}" fill="none" stroke="currentColor" stroke-width="1.5"/></svg>'
    ).format(WIDTH, HEIGHT, points)


def is_finite(value: Any) -> bool:
    """Return whether an epoch has a figure that can be drawn."""
    return value is not None and math.isfinite(value)


def short(value: Any) -> str:
    """Return a figure with four significant digits."""
    return f"{value:.4g}"
