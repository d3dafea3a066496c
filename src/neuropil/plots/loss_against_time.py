"""The loss of several trainings against seconds and against steps."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

from neuropil.plots.curves import curve_title, numbers
from neuropil.plots.theme import blank, heading, key, label, line_style, quiet

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from neuropil.training import History

NEEDED = ("seconds", "steps")
# The smallest loss drawn: the logarithmic axis has to end somewhere.
LEAST = 1e-16


def loss_against_time(histories: Mapping[str, History], column: str = "loss") -> Figure:
    """Draw the loss of several trainings against seconds and against steps.

    Point k of a training is (Σ_{j≤k} seconds_j, loss_k) on the left and (steps_k, loss_k) on
    the right; all axes are logarithmic. A step of one optimiser may cost as much as a hundred
    of another, so the two sides may rank the trainings differently. The legend lists the best
    training first, with the lowest loss that it reached.

    Args:
        histories: The histories that `Trainer.fit` returned, by name.
        column: The metric to draw, such as ``"validation_loss"``; lower must be better.

    Raises:
        ValueError: If there is no history, one is empty, or one lacks the metric, the seconds
            or the steps.

    Example:
        >>> from neuropil.training import History
        >>> fast = [{"steps": 1, "loss": 0.5, "seconds": 0.1}]
        >>> slow = [{"steps": k, "loss": 1 / k, "seconds": 0.2} for k in (1, 2, 3)]
        >>> figure = loss_against_time({"fast": History(fast), "slow": History(slow)})
        >>> [text.get_text() for text in figure.legends[0].get_texts()]
        ['slow: 0.333', 'fast: 0.5']
        >>> [f"{x:.1f}" for x in figure.axes[0].get_lines()[0].get_xdata()]
        ['0.2', '0.4', '0.6']
    """
    if not histories:
        raise ValueError("loss_against_time: needs at least one history.")
    for name, history in histories.items():
        check_history(name, history, column)
    best = {name: lowest_figure(history, column) for name, history in histories.items()}
    figure, (left, right) = blank(9.6, 4.4 + 0.22 * math.ceil(len(best) / 3), 2)
    for place, name in enumerate(sorted(best, key=best.__getitem__)):
        history = histories[name]
        seconds = list(itertools.accumulate(numbers(history, "seconds")))
        text = f"{label(name, 32)}: {best[name]:.3g}"
        draw(left, seconds, numbers(history, column), place, text)
        draw(right, numbers(history, "steps"), numbers(history, column), place, text)
    for axes, unit in ((left, "seconds"), (right, "steps")):
        axes.set_xscale("log")
        axes.set_yscale("log")
        quiet(axes, x=unit, grid="both")
        heading(axes, f"{curve_title(column)} against {unit}")
    right.sharey(left)
    handles, names = left.get_legend_handles_labels()
    key(figure, handles=handles, labels=names, loc="outside lower center", ncols=3)
    return figure


def check_history(name: str, history: History, column: str) -> None:
    """Check that a history can be drawn.

    Raises:
        ValueError: If it is empty or lacks a column.
    """
    if not len(history):
        raise ValueError(f"loss_against_time: the history of {name!r} is empty.")
    for needed in (column, *NEEDED):
        if needed not in history.columns:
            raise ValueError(
                f"loss_against_time: the history of {name!r} has no {needed!r}; it has "
                f"{', '.join(history.columns)}."
            )


def lowest_figure(history: History, column: str) -> float:
    """Return the lowest value of a column; infinity if no value is finite."""
    values = [value for value in numbers(history, column) if math.isfinite(value)]
    return min(values, default=math.inf)


def draw(axes: Axes, xs: list[float], ys: list[float], place: int, text: str) -> None:
    """Draw one training, with gaps at values without a logarithm; zero is drawn as `LEAST`."""
    drawn = [max(y, LEAST) if 0 <= y < math.inf else math.nan for y in ys]
    axes.plot(
        xs,
        drawn,
        **line_style(place),
        linewidth=1.6,
        # A line through one point is invisible.
        marker="o" if len(xs) < 3 else None,
        markersize=4,
        label=text,
    )
