"""Learning curves: the metrics of each epoch, in training and in validation."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from neuropil.plots.theme import BLUE, ORANGE, blank, heading, key, quiet
from neuropil.text import figure_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from neuropil.training import History

BOOKKEEPING = {"epoch", "steps", "seconds"}
VALIDATION = "validation_"
# A loss that falls by a larger factor gets a logarithmic axis, so that its end is not flat.
LOGARITHMIC_FROM = 30


def learning_curves(history: History, columns: Sequence[str] | None = None) -> Figure:
    """Draw the loss, the metrics and the learning rate over the epochs.

    Each metric has its own axes; the training curve is dashed, the validation curve solid.
    Training figures are averages over the epoch while the weights change, with dropout and
    augmentation on, so they may be worse than the validation figures.

    Args:
        history: The history that `Trainer.fit` returned.
        columns: The metrics to draw, such as ``["loss", "accuracy", "lr"]``; all by default.

    Raises:
        ValueError: If the history is empty or lacks one of the columns.

    Example:
        >>> from neuropil.training import History
        >>> history = History(
        ...     [
        ...         {"epoch": 1, "loss": 0.9, "validation_loss": 1.0},
        ...         {"epoch": 2, "loss": 0.3, "validation_loss": 0.5},
        ...     ]
        ... )
        >>> figure = learning_curves(history)
        >>> [line.get_label() for line in figure.axes[0].get_lines()]
        ['training', 'validation']
    """
    if not len(history):
        raise ValueError("learning_curves: the history is empty.")
    shown = curve_names(history) if columns is None else list(columns)
    if unknown := [name for name in shown if name not in curve_names(history)]:
        raise ValueError(
            f"learning_curves: the history has no column {unknown[0]!r}; it has "
            f"{', '.join(curve_names(history))}."
        )
    figure, all_axes = blank(3.7 * len(shown), 2.6, len(shown))
    for axes, name in zip(all_axes, shown, strict=True):
        draw_curve(axes, history, name)
    return figure


def plot_history(history: History, column: str | None = None, ax: Axes | None = None) -> Axes:
    """Draw a figure over the epochs on matplotlib axes, and return these; see `History.plot`.

    Args:
        history: The history.
        column: The figure; by default the first one, usually the loss.
        ax: The axes; by default those of a new figure.

    Raises:
        ValueError: If the history is empty.
        KeyError: If no epoch has this figure.
    """
    if not len(history):
        raise ValueError("the history is empty: it is drawn after the first epoch.")
    name = column or curve_names(history)[0]
    history[name]  # raises the error that names the columns
    name = name.removeprefix(VALIDATION)
    if ax is None:
        from neuropil.plots.notebook import NotebookAxes

        _, [ax] = blank(4.6, 3.2, subplot_kw={"axes_class": NotebookAxes})
    draw_curve(ax, history, name)
    return ax


def curve_names(history: History) -> list[str]:
    """Return the names of the metrics to draw, the learning rate last."""
    names = (name.removeprefix(VALIDATION) for name in history.columns)
    found = [name for name in dict.fromkeys(names) if name not in BOOKKEEPING]
    return sorted(found, key=lambda name: name == "lr")


def draw_curve(axes: Axes, history: History, name: str) -> None:
    """Draw the training and the validation curve of one metric."""
    from matplotlib.ticker import MaxNLocator

    epochs = numbers(history, "epoch") if "epoch" in history.columns else []
    epochs = epochs or list(range(1, len(history) + 1))
    drawn: list[float] = []
    styles: dict[str, dict[str, Any]] = {
        name: {"color": BLUE, "linestyle": (0, (4, 1.6)), "label": "training"},
        VALIDATION + name: {"color": ORANGE, "linestyle": "-", "label": "validation"},
    }
    for column, style in styles.items():
        if column not in history.columns:
            continue
        values = numbers(history, column)
        drawn += [value for value in values if math.isfinite(value)]
        # A line through one point is invisible.
        marker = "o" if len(epochs) < 3 else None
        axes.plot(epochs, values, linewidth=1.8, marker=marker, markersize=5, **style)
    wide = name == "loss" and bool(drawn) and 0 < LOGARITHMIC_FROM * min(drawn) < max(drawn)
    if wide:
        axes.set_yscale("log")
    quiet(axes, x="epoch")
    heading(axes, curve_title(name) + " (logarithmic)" * wide)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if len(epochs) == 1:
        axes.set_xlim(epochs[0] - 1, epochs[0] + 1)
    if name != "lr":
        key(axes, loc="best")


def numbers(history: History, column: str) -> list[float]:
    """Return a column; NaN, which is not drawn, replaces missing values."""
    return [math.nan if value is None else float(value) for value in history[column]]


def curve_title(name: str) -> str:
    """Return the name of a metric in words."""
    return "learning rate" if name == "lr" else figure_name(name)
