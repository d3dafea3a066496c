"""Plots of a regression: predictions, residuals, and errors by true value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neuropil.plots.theme import (
    BLUE,
    INK,
    ORANGE,
    blank,
    key,
    label,
    quiet,
    short_number,
    shorten_numbers,
    turn_labels,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = np.ndarray[Any, Any]

# The style of the line of exact predictions.
GUIDE: dict[str, Any] = {"color": INK, "linewidth": 1, "linestyle": (0, (2, 2))}


def predicted_against_true(predictions: Any, targets: Any, name: str | None = None) -> Figure:
    """Draw predictions against true values; exact predictions lie on the diagonal.

    Shape:
        `predictions` and `targets`: ``(N)``.

    Args:
        predictions: The predictions of the network, in the targets' units.
        targets: The true values, along the horizontal axis.
        name: Name of the predicted quantity, for the axes.

    Raises:
        ValueError: If these are not two equally long arrays of finite numbers.

    Example:
        >>> figure = predicted_against_true([1.0, 2.5], [1.0, 2.0], "price")
        >>> figure.axes[0].get_xlabel(), figure.axes[0].get_ylabel()
        ('true price', 'predicted')
    """
    predicted, true = check_pair(predictions, targets)
    figure = cloud(true, predicted, f"true {label(name or 'value')}", "predicted")
    figure.axes[0].axline((true[0], true[0]), slope=1, **GUIDE)
    return figure


def residuals(predictions: Any, targets: Any, name: str | None = None) -> Figure:
    """Draw the errors, predicted − true, against the predictions.

    A good fit leaves a shapeless band around 0. A bow means that the model has missed
    something; a funnel means that errors grow with the value.

    Shape:
        `predictions` and `targets`: ``(N)``.

    Args:
        predictions: The predictions, along the horizontal axis.
        targets: The true values, in the same units.
        name: Name of the predicted quantity, such as "price".

    Raises:
        ValueError: If these are not two equally long arrays of finite numbers.

    Example:
        >>> figure = residuals([1.0, 2.5], [1.0, 2.0], "price")
        >>> figure.axes[0].get_xlabel()
        'predicted price'
    """
    predicted, true = check_pair(predictions, targets)
    error = predicted - true
    figure = cloud(predicted, error, f"predicted {label(name or 'value')}", "predicted − true")
    figure.axes[0].axhline(0, **GUIDE)
    return figure


def error_by_decile(predictions: Any, targets: Any, name: str | None = None) -> Figure:
    """Draw the mean errors of each tenth of the examples, in the order of their true values.

    Bars are the mean of |predicted − true|, points the mean of predicted − true; a point away
    from 0 shows a bias. Equal true values are never split between tenths.

    Shape:
        `predictions` and `targets`: ``(N)``.

    Args:
        predictions: The predictions of the network, in the targets' units.
        targets: The true values, by which the examples are put in order.
        name: Name of the predicted quantity, for the axes.

    Raises:
        ValueError: If these are not two equally long arrays of finite numbers.

    Example:
        >>> figure = error_by_decile([1.0, 2.5, 3.0, 5.0], [1.0, 2.0, 3.0, 4.0])
        >>> [float(bar.get_height()) for bar in figure.axes[0].patches]
        [0.0, 0.5, 0.0, 1.0]
    """
    predicted, true = check_pair(predictions, targets)
    parts = tenths(true)
    error = predicted - true
    size = [float(np.abs(error[part]).mean()) for part in parts]
    lean = [float(error[part].mean()) for part in parts]
    figure, [axes] = blank(3.8, 3.5)
    axes.bar(range(len(parts)), size, 0.82, color=BLUE, alpha=0.75, label="mean |error|")
    axes.axhline(0, color=INK, linewidth=0.8)
    axes.plot(range(len(parts)), lean, "o", color=ORANGE, markersize=5, label="mean error")
    quiet(axes, x=f"true {label(name or 'value')}, in tenths of the examples")
    shorten_numbers(axes.yaxis, max(size))
    names = [
        f"{short_number(true[part].min())}–{short_number(true[part].max())}" for part in parts
    ]
    axes.set_xticks(range(len(parts)), names, fontsize=8)
    turn_labels(axes)
    key(axes)
    return figure


def tenths(true: Array) -> list[Array]:
    """Return the indices of each tenth by value, keeping equal values together."""
    inner = np.unique(np.quantile(true, np.arange(1, 10) / 10))
    place = np.searchsorted(inner, true, side="left")
    return [np.flatnonzero(place == number) for number in np.unique(place)]


def cloud(x: Array, y: Array, x_name: str, y_name: str) -> Figure:
    """Return a scatter plot, more transparent the more points there are."""
    figure, [axes] = blank(3.8, 3.5)
    opacity = float(np.clip(12 / np.sqrt(len(x)), 0.25, 0.8))
    axes.scatter(x, y, 14, color=BLUE, alpha=opacity, linewidth=0)
    quiet(axes, x=x_name, y=y_name, grid="both")
    shorten_numbers(axes.xaxis, float(np.abs(x).max()))
    shorten_numbers(axes.yaxis, float(np.abs(y).max()))
    return figure


def check_pair(predictions: Any, targets: Any) -> tuple[Array, Array]:
    """Return predictions and targets as two arrays of finite numbers.

    Raises:
        ValueError: If they are not.
    """
    predicted, true = np.asarray(predictions, np.float64), np.asarray(targets, np.float64)
    if predicted.ndim != 1 or predicted.shape != true.shape or not predicted.size:
        raise ValueError(
            f"needs one prediction for each target, (N) and (N), got the shapes "
            f"{predicted.shape} and {true.shape}."
        )
    if not (np.isfinite(predicted).all() and np.isfinite(true).all()):
        raise ValueError("predictions and targets must be finite, got NaN or infinity.")
    return predicted, true
