"""The graph of a growing neural gas over the data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neuropil.plots.palette import class_palette
from neuropil.plots.theme import INK, MUTED, PAPER, blank, heading, quiet
from neuropil.text import number_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from neuropil.classic import GrowingNeuralGas

    Array = np.ndarray[Any, Any]

# More rows would only cover each other.
MOST_ROWS = 5000


def growing_gas(model: GrowingNeuralGas, X: Any) -> Figure:
    """Draw the graph over the rows, each connected component in its own colour.

    Rows of more than two columns are projected onto their first two principal components, so
    edges may seem to cross. At most 5,000 rows are drawn, chosen at random.

    Args:
        model: A fitted gas.
        X: Rows, with at least two columns.

    Raises:
        ValueError: If there is only one column.

    Example:
        >>> from neuropil.classic import GrowingNeuralGas
        >>> X = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]
        >>> figure = growing_gas(GrowingNeuralGas(max_nodes=4, random_state=0).fit(X), X)
        >>> len(figure.axes[0].collections[1].get_segments()) > 0  # the edges
        True
    """
    rows = np.asarray(model.input(X), float)
    if rows.shape[1] < 2:
        raise ValueError("growing_gas: needs rows with at least two columns, got one.")
    rows, nodes = project(rows, np.asarray(model.nodes_, float))
    count = int(model.components_.max()) + 1
    colors = np.array(class_palette(count))[model.components_]
    figure, [axes] = blank(6.4, 5.6)
    # Drawn at random: every k-th row might leave out a whole kind of row.
    drawn = np.sort(np.random.default_rng(0).permutation(len(rows))[:MOST_ROWS])
    axes.scatter(*rows[drawn].T, s=5, color="#b9c2cb", linewidths=0)
    draw_graph(axes, nodes, model.edges_, colors)
    projected = rows.shape[1] < np.shape(model.nodes_)[1]
    names = (
        ("first principal component", "second principal component") if projected else ("", "")
    )
    quiet(axes, x=names[0], y=names[1], grid=None)
    axes.set_aspect("equal", adjustable="datalim")
    parts = len(np.unique(model.components_))
    words = number_of(parts, "component")
    heading(axes, f"Growing gas: {len(nodes)} nodes, {len(model.edges_)} edges, {words}")
    return figure


def project(rows: Array, nodes: Array) -> tuple[Array, Array]:
    """Return rows and nodes, projected onto the first two principal components of the rows."""
    if rows.shape[1] == 2:
        return rows, nodes
    centre = rows.mean(axis=0)
    _, vectors = np.linalg.eigh(np.cov(rows.T))
    plane = vectors[:, :-3:-1]
    return (rows - centre) @ plane, (nodes - centre) @ plane


def draw_graph(axes: Axes, nodes: Array, edges: Array, colors: Array) -> None:
    """Draw the edges, and the nodes over them."""
    from matplotlib.collections import LineCollection

    lines = [(nodes[a], nodes[b]) for a, b in edges]
    axes.add_collection(LineCollection(lines, colors=MUTED, linewidths=1.0))
    size = float(np.clip(4000 / len(nodes), 6, 40))
    edge = INK if len(nodes) <= 300 else PAPER
    axes.scatter(*nodes.T, s=size, color=colors, edgecolors=edge, linewidths=0.5, zorder=3)
