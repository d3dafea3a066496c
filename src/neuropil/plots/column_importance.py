"""The importance of the columns of a table as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neuropil.plots.theme import BLUE, INK, MUTED, blank, label, quiet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from neuropil.runs.figures.importance import Importance

MOST_COLUMNS = 20


def column_importance(importances: Sequence[Importance], metric: str = "") -> Figure:
    """Draw the importance of the columns of a table, with 95 % intervals.

    Each point is the drop of a metric when the cells of a column are shuffled. A column whose
    interval holds 0 may be without use. With more than 20 columns the first 20 are drawn.

    Args:
        importances: The columns, as `neuropil.runs.permutation_importance` returns them.
        metric: The name of the metric, for the axis.

    Raises:
        ValueError: If `importances` is empty.

    Example:
        >>> from neuropil.runs import Importance
        >>> figure = column_importance([Importance("age", 0.2, 0.1, 0.3)], "accuracy")
        >>> figure.axes[0].get_xlabel()
        'drop of accuracy when the column is shuffled'
    """
    if not importances:
        raise ValueError("column_importance: needs at least one column.")
    shown = list(importances)[:MOST_COLUMNS]
    figure, [axes] = blank(4.4, 0.26 * len(shown) + 0.8)
    places = np.arange(len(shown))
    axes.axvline(0, color=INK, linewidth=1)
    low, high = [each.low for each in shown], [each.high for each in shown]
    axes.hlines(places, low, high, color=BLUE, linewidth=1.6, alpha=0.6)
    drops = [each.drop for each in shown]
    axes.scatter(drops, places, 34, color=BLUE, linewidth=0, zorder=3)
    what = label(metric) if metric else "the metric"
    quiet(axes, grid="x")
    # From the right edge it may reach below the names, where a centred one would be cut.
    axes.set_xlabel(
        f"drop of {what} when the column is shuffled", loc="right", color=MUTED, fontsize=9.5
    )
    axes.set_yticks(places, [label(each.name) for each in shown])
    axes.set_ylim(len(shown) - 0.4, -0.6)
    return figure
