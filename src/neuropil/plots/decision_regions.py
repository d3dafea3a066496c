"""Decision regions as a picture: the class that is predicted at each point of a plane."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from neuropil.plots.palette import borders, class_palette
from neuropil.plots.theme import INK, MUTED, PAPER, blank, heading, key, label, quiet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    Array = np.ndarray[Any, Any]

# The number of points along each axis at which the classifier is evaluated.
SIDE = 300
MARGIN, PALENESS = 0.08, 0.72
MOST_ROWS, MOST_NAMES = 2000, 12
# The minimum number of rows drawn of a rare class.
FEWEST = 20


class Classifier(Protocol):
    """A fitted classifier."""

    classes_: Array

    def predict(self, X: Array) -> Array:
        """Return the class of each row."""
        ...


def decision_regions(model: Classifier, X: Any, y: Any) -> Figure:
    """Draw the regions of the classes, the rows, and the prototypes if the model has any.

    The colour of a point is the class that `predict` returns there. Prototypes (``prototypes_``
    and ``prototype_labels_``, as in the LVQ family) are diamonds. If there are many rows, about
    2,000 are drawn, some of every class, and the title says how many.

    Args:
        model: A classifier fitted to two columns.
        X: Rows of two columns.
        y: Their classes.

    Raises:
        ValueError: If there are not two columns, or the numbers of rows and classes differ.

    Example:
        >>> from neuropil.classic import LVQ
        >>> X, y = [[0.0, 0.0], [1.0, 0.0], [5.0, 5.0], [6.0, 5.0]], ["a", "a", "b", "b"]
        >>> figure = decision_regions(LVQ(1).fit(X, y), X, y)
        >>> [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
        ['a', 'b']
    """
    rows, classes = np.asarray(X, float), np.asarray(y)
    if rows.ndim != 2 or rows.shape[1] != 2:
        raise ValueError(
            f"decision_regions: needs rows of two columns, got the shape {rows.shape}."
        )
    if len(classes) != len(rows):
        raise ValueError(
            f"decision_regions: needs one class per row, got {len(rows)} rows, "
            f"{len(classes)} classes."
        )
    figure, [axes] = blank(6.4, 5.6)
    color_plane(axes, model, rows)
    drawn = choose_rows(classes)
    draw_rows(axes, model.classes_, rows[drawn], classes[drawn])
    prototypes = getattr(model, "prototypes_", None)
    if prototypes is not None:
        colors = class_colors(model.classes_, model.prototype_labels_)  # pyright: ignore[reportAttributeAccessIssue]  # comes with prototypes_
        axes.scatter(*prototypes.T, s=60, marker="D", color=colors, edgecolors=INK, zorder=4)
    quiet(axes, grid=None)
    if len(model.classes_) <= MOST_NAMES:
        key(axes, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    own = "" if prototypes is None else f", {len(prototypes)} prototypes"
    share = float(np.mean(np.asarray(model.predict(rows)) == classes))
    part = "" if len(drawn) == len(rows) else f", {len(drawn)} drawn"
    heading(axes, f"{type(model).__name__}: {share:.1%} of {len(rows)} rows correct{own}{part}")
    return figure


def choose_rows(classes: Array) -> Array:
    """Return the indices of the rows to draw: an equal share of every class, at least a few."""
    names, numbers, counts = np.unique(classes, return_inverse=True, return_counts=True)
    if len(classes) <= MOST_ROWS:
        return np.arange(len(classes))
    fewest = max(1, min(FEWEST, MOST_ROWS // len(names)))
    chosen = []
    for place, count in enumerate(counts):
        wanted = min(count, max(fewest, round(MOST_ROWS * count / len(classes))))
        members = np.flatnonzero(numbers == place)
        chosen.append(members[np.linspace(0, count - 1, wanted).round().astype(int)])
    return np.sort(np.concatenate(chosen))


def class_colors(classes: Array, labels: Array) -> Array:
    """Return the colour of each label; labels unknown to the model are dark."""
    codes = np.searchsorted(classes, labels).clip(max=len(classes) - 1)
    colors = np.array(class_palette(len(classes)))[codes]
    return np.where(classes[codes] == labels, colors, INK)


def color_plane(axes: Axes, model: Classifier, rows: Array) -> None:
    """Fill the axes with the pale colours of the classes."""
    from matplotlib.colors import to_rgb

    low, high = rows.min(axis=0), rows.max(axis=0)
    margin = MARGIN * np.where(high > low, high - low, 1)
    low, high = low - margin, high + margin
    across, along = (np.linspace(a, b, SIDE) for a, b in zip(low, high, strict=True))
    places = np.stack(np.meshgrid(across, along), axis=-1).reshape(-1, 2)
    colors = [to_rgb(color) for color in class_colors(model.classes_, model.classes_)]
    codes = np.searchsorted(model.classes_, np.asarray(model.predict(places)))
    pale = PALENESS * np.array(to_rgb(PAPER)) + (1 - PALENESS) * np.array(colors)
    picture = pale[codes].reshape(SIDE, SIDE, 3)
    # Pale colours of many classes look alike, so draw a line between neighbouring regions.
    picture[borders(codes.reshape(SIDE, SIDE))] = to_rgb(MUTED)
    axes.imshow(
        picture,
        extent=(low[0], high[0], low[1], high[1]),
        origin="lower",
        aspect="auto",
        interpolation="nearest",
    )


def draw_rows(axes: Axes, classes: Array, rows: Array, labels: Array) -> None:
    """Draw the rows of each class, those unknown to the model in ink."""
    for name in np.union1d(classes, labels):
        chosen = labels == name
        color = class_colors(classes, np.array([name]))
        style = {"s": 9, "color": color, "edgecolors": INK, "linewidths": 0.25}
        axes.scatter(*rows[chosen].T, **style, label=label(name))
