"""The outcome of a study against the number of examples or the share of wrong labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from neuropil.plots.theme import BLUE, ORANGE, blank, heading, key, quiet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure

    from neuropil.report.study.gain_text import GainText

MOST_LABELS = 7


@dataclass(frozen=True)
class Point:
    """A mean with its interval, whose ends may be None.

    Args:
        x: Number of examples, or share of wrong labels in percent.
        mean: Mean outcome.
        low: Lower end of the interval.
        high: Upper end.
    """

    x: float
    mean: float
    low: float | None
    high: float | None

    @classmethod
    def of(cls, row: Mapping[str, Any], x: float) -> Point:
        """Return the point of a row of plain data."""
        return cls(x, row["mean"], row["low"], row["high"])


def outcome_curve(points: Sequence[Point], title: str, x: str, text: GainText) -> Figure:
    """Draw means with their intervals, joined by a line.

    Args:
        points: The points, from left to right.
        title: Heading of the drawing.
        x: Label of the horizontal axis.
        text: Writes the outcomes at the vertical axis.
    """
    from matplotlib.ticker import MaxNLocator

    figure, [axes] = blank(5.6, 3.4)
    line = {"color": BLUE, "marker": "o", "markersize": 5, "linewidth": 1.8}
    axes.plot([p.x for p in points], [p.mean for p in points], label="measured", **line)
    draw_intervals(axes, points, BLUE)
    quiet(axes, x=x)
    heading(axes, title)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_formatter(lambda value, _: text.axis_label(value))
    return figure


def learning_curve(
    points: Sequence[Point], twice: Point | None, title: str, text: GainText
) -> Figure:
    """Draw the outcome against the number of examples, on a logarithmic axis.

    Args:
        points: The measured points.
        twice: The extrapolated point for twice the data, if any.
        title: Heading of the drawing.
        text: Writes the outcomes at the vertical axis.
    """
    figure = outcome_curve(points, title, "training examples", text)
    axes = figure.axes[0]
    if twice is not None:
        ahead = {"color": ORANGE, "marker": "o", "markersize": 6, "linestyle": (0, (3, 2))}
        axes.plot(
            [points[-1].x, twice.x], [points[-1].mean, twice.mean],
            markevery=[1], markerfacecolor="none", label="extrapolated", **ahead,
        )  # fmt: skip
        draw_intervals(axes, [twice], ORANGE)
        key(axes, loc="best")
    axes.set_xscale("log")
    numbers = spaced([p.x for p in [*points, *([twice] if twice else [])]])
    axes.set_xticks(numbers, [f"{number:,.0f}" for number in numbers])
    axes.set_xticks([], minor=True)
    return figure


def spaced(numbers: Sequence[float]) -> list[float]:
    """Return the numbers whose labels have room on a logarithmic axis, the largest among them.

    Example:
        >>> spaced([100, 110, 200, 400])
        [400, 200, 110]
    """
    gap = (max(numbers) / min(numbers)) ** (1 / MOST_LABELS)
    kept: list[float] = []
    for number in sorted(numbers, reverse=True):
        if not kept or number * gap <= kept[-1]:
            kept.append(number)
    return kept


def draw_intervals(axes: Any, points: Sequence[Point], color: str) -> None:
    """Draw the known intervals as vertical lines."""
    known = [p for p in points if p.low is not None and p.high is not None]
    lows, highs = [p.low for p in known], [p.high for p in known]
    axes.vlines([p.x for p in known], lows, highs, color=color, linewidth=1.4)
