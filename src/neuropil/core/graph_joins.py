"""Series and parallel composition of graphs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.checks import shown
from neuropil.core.graph import OPEN, Graph, Node, add_user_names, numbered_calls
from neuropil.core.graph_shapes import with_shapes
from neuropil.core.shape import ShapeError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from neuropil.core.layer import Layer


def join_graphs(first: Graph, second: Graph) -> Graph:
    """Feed the outputs of one graph into the open input of another.

    Raises:
        ShapeError: When the two do not fit.
    """
    sources, offset = first.outputs, len(first.nodes)
    moved: list[Node] = []
    takes = overlaps = False
    for layer, inputs, call, shape, kind, mark in second.nodes:
        if call < first.calls.get(id(layer), 0):
            if any(node.layer is layer and node.mark is mark for node in first.nodes):
                raise ShapeError(duplicate_message(layer))
            overlaps = True
        if OPEN in inputs:
            takes = True
            check_sources(layer, inputs, first, second)
        inputs = inputs_after_join(inputs, offset, sources)
        moved.append(Node(layer, inputs, call, shape, kind, mark))
    if not takes:
        raise ShapeError(
            f"{shown(second.nodes[0].layer)} starts a network and takes no input from "
            f"{shown(first.nodes[sources[0]].layer)}: put it first, or leave it out."
        )
    outputs = tuple([offset + position for position in second.outputs])
    if overlaps:
        return Graph.of(numbered_calls(with_shapes(first.nodes, moved)), outputs)
    given = first.given
    if second.given:
        add_user_names(given := given.copy(), second.given)
    return Graph(with_shapes(first.nodes, moved), outputs, first.calls | second.calls, given)


def inputs_after_join(
    inputs: tuple[int, ...], offset: int, sources: tuple[int, ...]
) -> tuple[int, ...]:
    """Return a node's inputs after a join, with the first graph's outputs as open input."""
    if inputs == (OPEN,):
        return sources
    moved: list[int] = []
    for position in inputs:
        if position == OPEN:
            moved += sources
        else:
            moved.append(offset + position)
    return tuple(moved)


def check_sources(layer: Layer, inputs: tuple[int, ...], first: Graph, second: Graph) -> None:
    """Raise an error if the first graph has a wrong number of outputs for a layer.

    Raises:
        ShapeError: When the number is wrong, or it is ambiguous which output feeds which layer.
    """
    sources = first.outputs
    takers = 1 if len(sources) == 1 else sum(OPEN in node.inputs for node in second.nodes)
    if takers > 1:
        raise ShapeError(
            f"{len(sources)} outputs cannot feed {takers} layers, since it is ambiguous which "
            f"feeds which: merge the outputs with Concatenate() or Elementwise('add'), or join "
            f"each pair before setting them in parallel."
        )
    (fewest, most), number = layer.inputs_taken, len(sources) + len(inputs) - 1
    if fewest <= number <= (most or number):
        return
    fix = "put Concatenate() or Elementwise('add') in between"
    if number < fewest:
        fix = f"set its inputs in parallel: parallel(a, b) >> {type(layer).__name__}(…)"
    given = " and ".join(shown(first.nodes[source].layer) for source in sources)
    raise ShapeError(
        f"{shown(layer)} takes {layer.inputs_in_words}, got {number} from {given}: {fix}."
    )


def parallel_graphs(graphs: Iterable[Graph], *, share: bool) -> Graph:
    """Set graphs in parallel; nodes that they share occur once.

    Args:
        graphs: The graphs.
        share: Whether each graph calls again the layers that it shares with those before it.

    Raises:
        ShapeError: When a layer would be called twice.
    """
    nodes: list[Node] = []
    places: dict[tuple[int, object], int] = {}
    outputs: list[int] = []
    seen: set[int] = set()
    for graph in graphs:
        moved: list[int] = []
        for layer, inputs, call, shape, kind, mark in graph.nodes:
            inputs = tuple([OPEN if i == OPEN else moved[i] for i in inputs])
            if share and id(layer) in seen:
                mark = object()
            place = places.setdefault((id(layer), mark), len(nodes))
            if place == len(nodes):
                nodes.append(Node(layer, inputs, call, shape, kind, mark))
            elif nodes[place].inputs != inputs:
                raise ShapeError(duplicate_message(layer))
            moved.append(place)
        seen.update(graph.calls)
        outputs += [moved[position] for position in graph.outputs]
    if len(set(outputs)) < len(outputs):
        raise ShapeError(
            f"{shown(nodes[outputs[-1]].layer)} would be an output twice: create the network "
            f"again for its own weights, or use parallel(…, share=True) to call it twice."
        )
    if any(node.mark is not None for node in nodes):
        nodes = numbered_calls(nodes)
    return Graph.of(nodes, outputs)


def duplicate_message(layer: Layer) -> str:
    """Return the message for a layer object that would be called twice."""
    return (
        f"{shown(layer)} is already in this network: create it again for a layer "
        f"with its own weights, or write shared(layer) here to call it again with the same."
    )
