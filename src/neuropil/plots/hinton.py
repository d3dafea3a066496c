"""Hinton diagrams: a matrix drawn as squares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neuropil.plots.palette import NEGATIVE, POSITIVE, ZERO
from neuropil.plots.theme import blank, label, quiet, turn_labels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure


def hinton(
    matrix: Any,
    rows: Sequence[object] | None = None,
    columns: Sequence[object] | None = None,
) -> Figure:
    """Draw a matrix as squares on grey: light squares are positive, dark ones negative.

    The square of w_ij has the area |w_ij| / max |w|; the largest fills its cell. Areas are
    easier to compare than colours, and small weights do not clutter the picture. The signs
    differ in lightness, so that they can be told apart in black and white.

    Shape:
        `matrix`: ``(rows, columns)``; a vector is one row.

    Args:
        matrix: The numbers: an array, a tensor, or nested lists.
        rows: Names of the rows.
        columns: Names of the columns.

    Raises:
        ValueError: If the input is not a matrix, a number is not finite, or the number of names
            is wrong.

    Reference:
        G. E. Hinton and T. Shallice, "Lesioning an attractor network: investigations of
        acquired dyslexia", Psychological Review 98 (1991).

    Example:
        >>> figure = hinton([[1.0, -0.25], [0.0, 0.25]])
        >>> positive, negative = figure.axes[0].collections
        >>> len(positive.get_paths()), len(negative.get_paths())
        (2, 1)
    """
    weights = check_matrix(matrix)
    height, width = weights.shape
    inch = float(np.clip(9 / max(width, height), 0.09, 0.3))
    around = 0.15 if columns is None else 0.9
    figure, [axes] = blank(max(2.4, width * inch + 1.2), max(0.6, height * inch + around))
    draw_squares(axes, weights)
    quiet(axes, grid=None)
    axes.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5), aspect="equal")
    if rows is not None:
        axes.set_anchor("W")  # beside the names: in the middle, long ones would be cut
    size = min(9, 0.85 * 72 * inch)
    name_ticks(axes.set_yticks, rows, height, "rows", size)
    name_ticks(axes.set_xticks, columns, width, "columns", size)
    if columns is not None:
        turn_labels(axes)
    return figure


def check_matrix(matrix: Any) -> np.ndarray[Any, Any]:
    """Return the input as a matrix of finite numbers.

    Raises:
        ValueError: If it is not one.
    """
    if hasattr(matrix, "detach"):
        matrix = matrix.detach().cpu()
    weights = np.atleast_2d(np.asarray(matrix, np.float64))
    if weights.ndim != 2 or not weights.size:
        raise ValueError(f"hinton: needs a matrix, got the shape {weights.shape}.")
    if not np.isfinite(weights).all():
        raise ValueError("hinton: all numbers must be finite, got NaN or infinity.")
    return weights


def draw_squares(axes: Any, weights: np.ndarray[Any, Any]) -> None:
    """Draw the positive squares, then the negative ones."""
    from matplotlib.collections import PolyCollection
    from matplotlib.patches import Rectangle

    height, width = weights.shape
    axes.add_patch(Rectangle((-0.5, -0.5), width, height, color=ZERO, linewidth=0))
    largest = np.abs(weights).max() or 1.0
    for sign, color in ((1, POSITIVE), (-1, NEGATIVE)):
        y, x = np.nonzero(sign * weights > 0)
        half = np.sqrt(np.abs(weights[y, x]) / largest) / 2
        corners = np.stack(
            [
                np.stack([x + dx * half, y + dy * half], axis=1)
                for dx, dy in ((-1, -1), (1, -1), (1, 1), (-1, 1))
            ],
            axis=1,
        )
        axes.add_collection(PolyCollection(list(corners), facecolor=color, edgecolor="none"))


def name_ticks(
    set_ticks: Any, names: Sequence[object] | None, count: int, what: str, size: float
) -> None:
    """Write the names along one side, if there are any.

    Raises:
        ValueError: If the numbers of names and cells differ.
    """
    if names is None:
        set_ticks([])
        return
    if len(names) != count:
        raise ValueError(f"hinton: {count} {what} in the matrix, {len(names)} names.")
    set_ticks(range(count), [label(name) for name in names], fontsize=size)
