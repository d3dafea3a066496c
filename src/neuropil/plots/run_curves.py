"""One metric of several runs over their epochs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.plots.curves import VALIDATION, curve_title, numbers
from neuropil.plots.theme import blank, heading, key, label, line_style, quiet

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.figure import Figure

    from neuropil.training import History


def run_curves(histories: Mapping[str, History], column: str = "validation_loss") -> Figure:
    """Draw one metric of several trainings over their epochs, a line for each.

    Args:
        histories: The histories of the trainings by name.
        column: The metric, such as ``"validation_accuracy"``.

    Raises:
        ValueError: If no history has this column.

    Example:
        >>> from neuropil.training import History
        >>> slow = History([{"epoch": k, "loss": 1 / k} for k in (1, 2, 3)])
        >>> fast = History([{"epoch": k, "loss": 1 / k**2} for k in (1, 2, 3)])
        >>> figure = run_curves({"slow": slow, "fast": fast}, "loss")
        >>> [line.get_label() for line in figure.axes[0].get_lines()]
        ['slow', 'fast']
    """
    from matplotlib.ticker import MaxNLocator

    drawn = {name: each for name, each in histories.items() if column in each.columns}
    if not drawn:
        raise ValueError(f"run_curves: none of the histories has the column {column!r}.")
    figure, [axes] = blank(5.6, 3.4)
    for place, (name, history) in enumerate(drawn.items()):
        epochs = numbers(history, "epoch") if "epoch" in history.columns else []
        epochs = epochs or list(range(1, len(history) + 1))
        marker = "o" if len(epochs) < 3 else None  # a line through one point is invisible
        style = line_style(place) | {"linewidth": 1.8, "marker": marker, "markersize": 5}
        axes.plot(epochs, numbers(history, column), label=label(name, 40), **style)
    quiet(axes, x="epoch")
    part = " in validation" if column.startswith(VALIDATION) else " in training"
    heading(axes, curve_title(column.removeprefix(VALIDATION)) + part)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    key(axes, loc="best")
    return figure
