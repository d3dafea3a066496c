"""The confusion matrix as a picture: what was taken for what, and how often."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neuropil.plots.theme import (
    BLUE,
    GRID,
    INK,
    ORANGE,
    PAPER,
    blank,
    label,
    quiet,
    turn_labels,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = np.ndarray[Any, Any]

# Beyond this many classes a number does not fit into its cell.
MOST_WITH_NUMBERS = 24
# Beyond this many, every second class is named, or every third …
MOST_NAMES = 100
# So many letters stand side by side below the cells.
LONGEST_ROW = 40
STRONGEST, FAINTEST = 0.92, 0.3
# From this strength on a cell is so dark that its number must be light.
DARK_FROM = 0.8


def confusion_matrix(matrix: Any, classes: Sequence[object] | None = None) -> Figure:
    """Draw how often each true class (row) was taken for each class (column).

    Cell (i, j) counts the examples of class i that were taken for class j. What is right, on
    the diagonal, is blue, and mistakes are orange; the more of the row's examples, the darker,
    with a share s of mistakes at the strength √s so that rare ones are seen. Beyond 24 classes
    the numbers are left out and no mistake is fainter than 0.3; beyond 100, some of the names
    are left out too.

    Shape:
        `matrix`: ``(K, K)``, whole numbers, as `neuropil.training.confusion_matrix` gives.

    Args:
        matrix: The counts.
        classes: Name of each class; their numbers by default.

    Raises:
        ValueError: When the matrix is not square, holds anything but counts, or the names are
            not as many.

    Example:
        >>> figure = confusion_matrix([[8, 2], [0, 10]], ["cat", "dog"])
        >>> sorted(text.get_text() for text in figure.axes[0].texts)
        ['10', '2', '8']
    """
    counts = check_counts(matrix)
    classes = range(len(counts)) if classes is None else list(classes)
    if len(classes) != len(counts):
        raise ValueError(
            f"confusion_matrix: {len(counts)} classes in the matrix, {len(classes)} names."
        )
    side = min(max(3.4, 0.42 * len(counts) + 1.6), 11)
    figure, [axes] = blank(side, side)
    axes.imshow(shades(counts), interpolation="none", aspect="equal")
    quiet(axes, x="predicted", y="true", grid=None)
    axes.spines[:].set_visible(False)
    name_axes(axes, [label(name) for name in classes], side)
    separate_cells(axes, len(counts))
    if len(counts) <= MOST_WITH_NUMBERS:
        write_counts(axes, counts)
    return figure


def check_counts(matrix: Any) -> Array:
    """Return the matrix as whole numbers.

    Raises:
        ValueError: When it is no matrix of counts.
    """
    counts = np.asarray(matrix)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or not counts.size:
        raise ValueError(
            f"confusion_matrix: needs a square matrix (K, K), got the shape {counts.shape}."
        )
    if counts.dtype.kind not in "iu" or (counts < 0).any():
        raise ValueError("confusion_matrix: needs counts, whole numbers from 0 up.")
    return counts


def row_shares(counts: Array) -> Array:
    """Return each cell's share of its row; a class without examples has zeros."""
    totals = counts.sum(axis=1, keepdims=True)
    return counts / np.maximum(totals, 1)


def strength(counts: Array) -> Array:
    """Return how dark each cell is, from 0 to 1: the share if right, its root if wrong."""
    shares = row_shares(counts)
    least = 0 if len(counts) <= MOST_WITH_NUMBERS else FAINTEST
    wrong = np.where(counts > 0, np.maximum(np.sqrt(shares), least), 0)
    return STRONGEST * np.where(np.eye(len(counts), dtype=bool), shares, wrong)


def shades(counts: Array) -> Array:
    """Return the cells as colours that let the paper through, light or dark as it may be."""
    from matplotlib.colors import to_rgb

    picture = np.empty((*counts.shape, 4))
    picture[..., :3] = to_rgb(ORANGE)
    picture[np.arange(len(counts)), np.arange(len(counts)), :3] = to_rgb(BLUE)
    picture[..., 3] = strength(counts)
    return picture


def name_axes(axes: Axes, names: list[str], side: float) -> None:
    """Write the class names along both sides, as large as the cells allow."""
    # Of the figure's side about 1.6 inches go to the names; 72 points are an inch.
    size = min(9.0, 0.8 * 72 * (side - 1.6) / len(names))
    step = -(-len(names) // MOST_NAMES)
    named = range(0, len(names), step)
    axes.set_xticks(named, names[::step], fontsize=size * step)
    axes.set_yticks(named, names[::step], fontsize=size * step)
    if max(map(len, names)) * len(names) > LONGEST_ROW:
        turn_labels(axes)


def separate_cells(axes: Axes, count: int) -> None:
    """Draw thin lines between the cells."""
    # Not by `grid`, which makes a tick for each line: with 100 classes that takes seconds.
    edges = np.arange(count + 1) - 0.5
    width = 0.8 if count <= MOST_WITH_NUMBERS else 0.3
    axes.hlines(edges, edges[0], edges[-1], color=GRID, linewidth=width)
    axes.vlines(edges, edges[0], edges[-1], color=GRID, linewidth=width)
    axes.margins(0)


def write_counts(axes: Axes, counts: Array) -> None:
    """Write each count that is not zero into its cell."""
    dark = strength(counts) > DARK_FROM
    longest = len(str(counts.max()))
    size = min(10.0, 26 / longest)
    for row, column in np.argwhere(counts > 0):
        color = PAPER if dark[row, column] else INK
        text = str(counts[row, column])
        axes.text(column, row, text, ha="center", va="center", color=color, fontsize=size)
