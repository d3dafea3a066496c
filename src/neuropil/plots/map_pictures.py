"""Plots of self-organising maps: U-matrix, hits, component planes and clusters."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from neuropil.plots.palette import DATA_INK, class_palette, shades
from neuropil.plots.theme import BLUE, GRID, MUTED, PAPER, blank, heading, label

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from neuropil.classic import SOFM

    Array = np.ndarray[Any, Any]

MOST_PLANES, PLANES_ABREAST = 36, 6


def u_matrix(model: SOFM) -> Figure:
    """Draw the distance of each unit from its neighbours: clusters are light, borders dark.

    Cells are squares or hexagons, as in the topology of the map; unit (0, 0) is at the top
    left.

    Args:
        model: A fitted map with one axis or two.

    Raises:
        ValueError: If the grid has more axes.

    Example:
        >>> from neuropil.classic import SOFM
        >>> figure = u_matrix(SOFM((2, 3)).fit([[0.0], [1.0], [5.0]]))
        >>> len(figure.axes[0].collections[0].get_paths())
        6
    """
    values = model.u_matrix().ravel()
    figure, [axes] = sheet(model)
    draw_cells(axes, model, facecolor=shades(DATA_INK)(rescale(values)))
    explain(figure, axes, model, values, shades(DATA_INK), "mean distance to neighbours")
    heading(axes, "U-matrix")
    return figure


def hit_map(model: SOFM, X: Any, labels: Sequence[object] | None = None) -> Figure:
    """Draw how often each unit is the best match of a row, as the filled area of its cell.

    Args:
        model: A fitted map with one axis or two.
        X: Rows of features.
        labels: The label of each row; each unit shows the most frequent label of its rows.

    Raises:
        ValueError: If the grid has more axes, or the numbers of labels and rows differ.

    Example:
        >>> from neuropil.classic import SOFM
        >>> X = [[0.0], [2.0], [4.0]]
        >>> model = SOFM((1, 3), final_radius=0.1).fit(X)
        >>> figure = hit_map(model, X, labels=["a", "b", "c"])
        >>> [text.get_text() for text in figure.axes[0].texts]
        ['a', 'b', 'c']
    """
    if labels is not None and len(labels) != len(X):
        raise ValueError(
            f"hit_map: needs one label per row, got {len(X)} rows, {len(labels)} labels."
        )
    hits = model.hit_map(X).ravel()
    figure, [axes] = sheet(model)
    draw_cells(axes, model, facecolor=PAPER)
    pale = BLUE if labels is None else "#9ecae1"
    sizes = np.sqrt(hits / max(1, hits.max()))
    draw_cells(axes, model, sizes, facecolor=pale, edgecolor="none")
    if labels is not None:
        name_units(axes, model, model.predict(X), labels)
    most = int(hits.max())
    heading(axes, f"Hits: {hits.sum()} rows, at most {most} on a unit")
    return figure


def component_planes(model: SOFM, names: Sequence[object] | None = None) -> Figure:
    """Draw the value of each feature over the map: correlated features look alike.

    Each plane has its own scale, from its smallest value to its largest. The first 36 are
    drawn.

    Args:
        model: A fitted map with one axis or two.
        names: Names of the features; by default those of the columns that the map was fitted
            to.

    Raises:
        ValueError: If the grid has more axes, or the numbers of names and features differ.

    Example:
        >>> from neuropil.classic import SOFM
        >>> figure = component_planes(SOFM((2, 2)).fit([[0, 1], [1, 0]]), ["a", "b"])
        >>> [axes.get_title(loc="left") for axes in figure.axes[:2]]
        ['a', 'b']
    """
    from matplotlib import colormaps

    planes = model.component_planes()
    count = len(planes)
    known = getattr(model, "feature_names_in_", [f"feature {i}" for i in range(count)])
    words = list(known if names is None else names)
    if len(words) != count:
        raise ValueError(
            f"component_planes: needs one name per feature, got {count} features, {len(words)} "
            "names."
        )
    drawn = min(count, MOST_PLANES)
    figure, grid = sheet(model, drawn)
    colors = colormaps["cividis"]
    for axes, plane, name in zip(grid, planes, words, strict=False):
        values = plane.ravel()
        draw_cells(axes, model, facecolor=colors(rescale(values)), edgecolor="face")
        explain(figure, axes, model, values, colors, "")
        heading(axes, label(name))
    return figure


def cluster_map(model: SOFM, n_clusters: int) -> Figure:
    """Draw the clusters of units that Ward's method finds, merging only neighbours.

    Args:
        model: A fitted map with one axis or two.
        n_clusters: Number of clusters.

    Raises:
        ValueError: If the grid has more axes, or has fewer units.

    Example:
        >>> from neuropil.classic import SOFM
        >>> figure = cluster_map(SOFM((2, 2)).fit([[0, 1], [1, 0]]), 2)
        >>> sorted(text.get_text() for text in figure.axes[0].texts)
        ['0', '1']
    """
    regions = model.cluster_map(n_clusters).ravel()
    figure, [axes] = sheet(model)
    colors = np.array(class_palette(n_clusters))[regions]
    draw_cells(axes, model, facecolor=colors, edgecolor=PAPER)
    places = plane_positions(model)
    for region in range(n_clusters):
        inside = places[regions == region]
        # Label the unit nearest to the centre: the centre itself may lie in another cluster.
        x, y = inside[((inside - inside.mean(axis=0)) ** 2).sum(axis=1).argmin()]
        tag = {"boxstyle": "round", "facecolor": PAPER, "edgecolor": "none"}
        axes.text(x, y, str(region), ha="center", va="center", color=DATA_INK, bbox=tag)
    heading(axes, f"{n_clusters} clusters")
    return figure


def plane_positions(model: SOFM) -> Array:
    """Return x and y of each unit.

    Raises:
        ValueError: If the grid has more than two axes.
    """
    places = model.grid_.positions
    if places.shape[1] > 2:
        raise ValueError(
            f"a picture needs a grid with one axis or two, got {places.shape[1]} axes: "
            f"{model.grid_.sides}."
        )
    if places.shape[1] == 1:
        return np.column_stack([places[:, 0], np.zeros(len(places))])
    return places[:, ::-1]


def sheet(model: SOFM, count: int = 1) -> tuple[Figure, list[Axes]]:
    """Return a figure and its axes, each with room for the whole map."""
    places = plane_positions(model)
    width, height = np.ptp(places, axis=0) + 1
    rows = math.ceil(count / PLANES_ABREAST)
    abreast = math.ceil(count / rows)
    # A single map is large; planes side by side are as small as legible.
    longest = 5.0 if count == 1 else 2.2
    inch = longest / max(width, height)
    below = 1.3 if is_flat(model) else 0.55
    size = abreast * (width * inch + 0.9), rows * (height * inch + below)
    figure, grid = blank(*size, columns=abreast, rows=rows)
    for axes in grid:
        axes.set_axis_off()
        axes.set(aspect="equal")
    return figure, grid[:count]


def draw_cells(axes: Axes, model: SOFM, sizes: Array | float = 1.0, **colors: Any) -> None:
    """Draw each unit as a cell, scaled by its size."""
    from matplotlib.collections import PolyCollection

    places = plane_positions(model)
    if model.grid_.hexagonal:
        # Hexagons with a corner at the top; cells at a distance of 1 touch.
        angles = np.pi / 3 * np.arange(6) + np.pi / 2
        corners = np.column_stack([np.cos(angles), np.sin(angles)]) / math.sqrt(3)
    else:
        corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) / 2
    scale = np.broadcast_to(sizes, len(places))[:, None, None]
    colors = {"edgecolor": GRID, "linewidth": 0.6} | colors
    axes.add_collection(PolyCollection(list(places[:, None] + corners * scale), **colors))
    left, top = places.min(axis=0) - 0.7
    right, bottom = places.max(axis=0) + 0.7
    axes.set(xlim=(left, right), ylim=(bottom, top))


def name_units(axes: Axes, model: SOFM, best: Array, labels: Sequence[object]) -> None:
    """Write the most frequent label of its rows on each unit."""
    names, numbers = np.unique([str(name) for name in labels], return_inverse=True)
    places = plane_positions(model)
    counts = np.zeros((len(places), len(names)), int)
    np.add.at(counts, (best, numbers), 1)
    width = np.ptp(places, axis=0).max() + 1
    size = float(np.clip(150 / width, 4, 10))
    for unit in np.flatnonzero(counts.sum(axis=1)):
        (x, y), text = places[unit], label(names[counts[unit].argmax()], 6)
        axes.text(x, y, text, ha="center", va="center", color=DATA_INK, fontsize=size)


def rescale(values: Array) -> Array:
    """Return values rescaled to the range from 0 to 1."""
    low, high = values.min(), values.max()
    return (values - low) / (high - low if high > low else 1)


def explain(
    figure: Figure, axes: Axes, model: SOFM, values: Array, colors: Any, words: str
) -> None:
    """Draw a colour bar beside the axes, or below them if there is no room."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    low, high = float(values.min()), float(values.max())
    scale = ScalarMappable(Normalize(low, high if high > low else low + 1), colors)
    where = "bottom" if is_flat(model) else "right"
    bar = figure.colorbar(scale, ax=axes, shrink=0.75, aspect=18, location=where)
    bar.outline.set_visible(False)
    bar.set_label(words, color=MUTED, fontsize=9)
    bar.ax.tick_params(length=0, labelsize=8, labelcolor=MUTED)


def is_flat(model: SOFM) -> bool:
    """Tell whether a map is too low for a colour bar beside it."""
    width, height = np.ptp(plane_positions(model), axis=0) + 1
    return 3 * height < width
