"""The confusion matrix as a picture."""

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

# With more classes a count does not fit into its cell.
MOST_WITH_NUMBERS = 24
# With more classes only every second class is named, or every third …
MOST_NAMES = 100
# The number of letters that fit side by side below the cells.
LONGEST_ROW = 40
STRONGEST, FAINTEST = 0.92, 0.3
# On cells stronger than this the count is written in a light colour.
DARK_FROM = 0.8


def confusion_matrix(
    targets: Any, predictions: Any = None, classes: Sequence[object] | None = None
) -> Figure:
    """Draw a confusion matrix: true classes as rows, predicted classes as columns.

    Cell (i, j) counts the examples of class i that were predicted as class j. Correct
    predictions, on the diagonal, are blue and mistakes are orange. The larger the share of the
    row, the darker the cell; a share s of mistakes has the strength √s, so that rare mistakes
    are visible. With more than 24 classes the counts are left out and no mistake is fainter
    than 0.3; with more than 100, some names are left out too.

    Shape:
        `targets`: ``(N)`` labels, or without `predictions` the counts ``(K, K)``, as
        `neuropil.training.confusion_matrix` returns. `predictions`: ``(N)`` labels, or the
        probabilities ``(N, K)`` that `Network.predict` returns.

    Args:
        targets: The true labels, numbers or texts; or the counts.
        predictions: The predicted labels, or the probability of each class.
        classes: The classes in the order of the rows, or the names of the classes 0, 1, …; by
            default the labels that occur, sorted.

    Raises:
        ValueError: If there is not one prediction for each target, a label is not among the
            classes, or the counts are not a square matrix of integers with one name per class.

    Example:
        >>> figure = confusion_matrix(["cat", "dog", "dog"], ["cat", "cat", "dog"])
        >>> [text.get_text() for text in figure.axes[0].texts]
        ['1', '1', '1']
        >>> figure = confusion_matrix([[8, 2], [0, 10]], classes=["cat", "dog"])
        >>> sorted(text.get_text() for text in figure.axes[0].texts)
        ['10', '2', '8']
    """
    if predictions is None:
        counts = check_counts(targets)
        classes = range(len(counts)) if classes is None else list(classes)
    else:
        counts, classes = count_labels(targets, predictions, classes)
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
    """Return the matrix as an array of counts.

    Raises:
        ValueError: If it is not a square matrix of counts.
    """
    counts = np.asarray(matrix)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or not counts.size:
        raise ValueError(
            f"confusion_matrix: needs targets and predictions, or a square matrix (K, K), got "
            f"one array of shape {counts.shape}."
        )
    if counts.dtype.kind not in "iu" or (counts < 0).any():
        raise ValueError("confusion_matrix: needs counts, which are integers of at least 0.")
    return counts


def count_labels(
    targets: Any, predictions: Any, classes: Sequence[object] | None
) -> tuple[Array, list[object]]:
    """Return the counts by true and predicted class, and the names of the classes.

    Args:
        targets: The true labels.
        predictions: The predicted labels, or the probabilities of the classes.
        classes: The classes in their order, or the names of the classes 0, 1, …

    Raises:
        ValueError: If the lengths differ, or a label is not among the classes.
    """
    true, predicted = as_labels(targets), np.asarray(predictions)
    known: Sequence[object] | None = None
    if predicted.ndim == 2 and predicted.shape[1] > 1:
        known = range(predicted.shape[1])
        predicted = predicted.argmax(axis=1)
    predicted = as_labels(predicted)
    if len(true) != len(predicted) or not len(true):
        raise ValueError(
            f"confusion_matrix: needs one prediction for each target, at least one, got "
            f"{len(true):,} targets and {len(predicted):,} predictions."
        )
    seen = np.unique([*true.tolist(), *predicted.tolist()]).tolist()
    labels, names = order_of(seen, known, classes)
    places = {label: place for place, label in enumerate(labels)}
    counts = np.zeros((len(labels), len(labels)), dtype=np.int64)
    rows = [places[label] for label in true.tolist()]
    columns = [places[label] for label in predicted.tolist()]
    np.add.at(counts, (rows, columns), 1)
    return counts, names


def as_labels(values: Any) -> Array:
    """Return labels as an array of one axis.

    Raises:
        ValueError: If they have more, or are numbers that are not whole.
    """
    labels = np.asarray(values)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    fractions = labels.dtype.kind == "f" and bool((labels != np.floor(labels)).any())
    if labels.ndim != 1 or fractions:
        what = "fractions" if fractions else f"shape {labels.shape}"
        raise ValueError(
            f"confusion_matrix: needs one label per example, got an array of {what}."
        )
    return labels.astype(np.int64) if labels.dtype.kind in "fb" else labels


def order_of(
    seen: list[Any], known: Sequence[object] | None, classes: Sequence[object] | None
) -> tuple[Sequence[object], list[object]]:
    """Return the labels in the order of the rows, and the names of the rows.

    Raises:
        ValueError: If a label is not among the classes.
    """
    if classes is None:
        labels = seen if known is None else known
        names = list(labels)
    else:
        numbered = not {*seen} <= {*classes} and all(isinstance(label, int) for label in seen)
        labels = range(len(classes)) if numbered else list(classes)
        names = list(classes)
    if outside := [label for label in seen if label not in labels]:
        raise ValueError(
            f"confusion_matrix: the label {outside[0]!r} is not among the {len(names)} classes "
            f"{names[:5]}{'…' * (len(names) > 5)}."
        )
    return labels, names


def row_shares(counts: Array) -> Array:
    """Return each cell's share of its row; a class without examples has zeros."""
    totals = counts.sum(axis=1, keepdims=True)
    return counts / np.maximum(totals, 1)


def strength(counts: Array) -> Array:
    """Return the opacity of each cell: the share if correct, its square root if a mistake."""
    shares = row_shares(counts)
    least = 0 if len(counts) <= MOST_WITH_NUMBERS else FAINTEST
    mistakes = np.where(counts > 0, np.maximum(np.sqrt(shares), least), 0)
    return STRONGEST * np.where(np.eye(len(counts), dtype=bool), shares, mistakes)


def shades(counts: Array) -> Array:
    """Return the colours of the cells, transparent so that the page shows through."""
    from matplotlib.colors import to_rgb

    picture = np.empty((*counts.shape, 4))
    picture[..., :3] = to_rgb(ORANGE)
    picture[np.arange(len(counts)), np.arange(len(counts)), :3] = to_rgb(BLUE)
    picture[..., 3] = strength(counts)
    return picture


def name_axes(axes: Axes, names: list[str], side: float) -> None:
    """Write the class names along both sides, as large as the cells allow."""
    # The names take about 1.6 inches of the figure's side; an inch is 72 points.
    size = min(9.0, 0.8 * 72 * (side - 1.6) / len(names))
    step = -(-len(names) // MOST_NAMES)
    named = range(0, len(names), step)
    axes.set_xticks(named, names[::step], fontsize=size * step)
    axes.set_yticks(named, names[::step], fontsize=size * step)
    if max(map(len, names)) * len(names) > LONGEST_ROW:
        turn_labels(axes)


def separate_cells(axes: Axes, count: int) -> None:
    """Draw thin lines between the cells."""
    # `grid` would make a tick for each line, which takes seconds with 100 classes.
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
