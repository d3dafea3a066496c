"""Cutting graphs of layers: the part up to a node, the part after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.checks import shown
from neuropil.core.graph import OPEN, Graph

if TYPE_CHECKING:
    from collections.abc import Sequence


def upto(graph: Graph, *positions: int) -> Graph:
    """Return the part of a graph that these nodes need; they are its outputs."""
    needed = set(positions)
    for place in range(max(positions, default=OPEN), OPEN, -1):
        if place in needed:
            needed.update(graph.nodes[place].inputs)
    return subgraph(graph, sorted(needed - {OPEN}), positions)


def after(graph: Graph, position: int, names: Sequence[str]) -> Graph:
    """Return the part of a graph after a node, open where the node stood.

    Raises:
        ValueError: When that part also takes something from before the cut.
    """
    behind: set[int] = set()
    for place, node in enumerate(graph.nodes):
        if any(source == position or source in behind for source in node.inputs):
            behind.add(place)
    if not behind:
        raise ValueError(f"nothing comes after {shown(names[position])}.")
    for place in sorted(behind):
        for source in graph.nodes[place].inputs:
            if source != position and source not in behind:
                what = "the input" if source == OPEN else repr(names[source])
                raise ValueError(
                    f"the network cannot be cut after {names[position]!r}, since "
                    f"{names[place]!r} also takes {what}, which lies in front: cut before the "
                    f"branches part or after they meet."
                )
    return subgraph(graph, sorted(behind), tuple(i for i in graph.outputs if i in behind))


def subgraph(graph: Graph, positions: Sequence[int], outputs: tuple[int, ...]) -> Graph:
    """Return the chosen nodes only; what they take from others becomes the open end."""
    places = {position: place for place, position in enumerate(positions)}
    nodes = tuple(
        graph.nodes[position]._replace(
            inputs=tuple(places.get(source, OPEN) for source in graph.nodes[position].inputs)
        )
        for position in positions
    )
    return Graph.of(nodes, (places[position] for position in outputs))
