"""Joining graphs of layers, and setting them side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.checks import shown
from neuropil.core.graph import OPEN, Graph, Node, add_given
from neuropil.core.graph_shapes import with_shapes
from neuropil.core.shape import ShapeError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from neuropil.core.layer import Layer


def join_graphs(first: Graph, second: Graph) -> Graph:
    """Feed the outputs of one graph into the open end of another.

    Raises:
        ShapeError: When the two do not fit.
    """
    sources, offset = first.outputs, len(first.nodes)
    moved: list[Node] = []
    takes = False
    for layer, inputs, call, shape, kind in second.nodes:
        if call < first.calls.get(id(layer), 0):
            raise ShapeError(stands_already(layer))
        if OPEN in inputs:
            takes = True
            check_sources(layer, inputs, first, second)
        inputs = moved_inputs(inputs, offset, sources)
        moved.append(Node(layer, inputs, call, shape, kind))
    if not takes:
        raise ShapeError(
            f"{shown(second.nodes[0].layer)} starts a network and takes nothing from "
            f"{shown(first.nodes[sources[0]].layer)}: put it first, or leave it out."
        )
    outputs = tuple([offset + position for position in second.outputs])
    given = first.given
    if second.given:
        add_given(given := given.copy(), second.given)
    return Graph(with_shapes(first.nodes, moved), outputs, first.calls | second.calls, given)


def moved_inputs(
    inputs: tuple[int, ...], offset: int, sources: tuple[int, ...]
) -> tuple[int, ...]:
    """Return a node's inputs after a join: the open end replaced by the outputs in front."""
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
    """Refuse another number of outputs in front than a layer takes.

    Raises:
        ShapeError: When that is so, or it is not said which of them feeds which layer.
    """
    sources = first.outputs
    takers = 1 if len(sources) == 1 else sum(OPEN in node.inputs for node in second.nodes)
    if takers > 1:
        raise ShapeError(
            f"{len(sources)} outputs cannot feed {takers} layers, since which feeds which is "
            f"not said: merge the outputs with Concatenate() or Elementwise('add'), or join "
            f"each pair before setting them side by side."
        )
    (fewest, most), number = layer.inputs_taken, len(sources) + len(inputs) - 1
    if fewest <= number <= (most or number):
        return
    fix = "put Concatenate() or Elementwise('add') between"
    if number < fewest:
        fix = f"set side by side what it takes: parallel(a, b) >> {type(layer).__name__}(…)"
    given = " and ".join(shown(first.nodes[source].layer) for source in sources)
    raise ShapeError(
        f"{shown(layer)} takes {layer.inputs_in_words} and is given {number}, by {given}: "
        f"{fix}."
    )


def parallel_graphs(graphs: Iterable[Graph], *, share: bool) -> Graph:
    """Set graphs side by side; what they have in common stands once.

    Raises:
        ShapeError: When a layer would be called twice.
    """
    nodes: list[Node] = []
    places: dict[tuple[int, int], int] = {}
    outputs: list[int] = []
    calls: dict[int, int] = {}
    for graph in graphs:
        moved: list[int] = []
        for layer, inputs, call, shape, kind in graph.nodes:
            inputs = tuple([OPEN if i == OPEN else moved[i] for i in inputs])
            if share:
                call += calls.get(id(layer), 0)
            place = places.setdefault((id(layer), call), len(nodes))
            if place == len(nodes):
                nodes.append(Node(layer, inputs, call, shape, kind))
            elif nodes[place].inputs != inputs:
                raise ShapeError(stands_already(layer))
            moved.append(place)
        for key, times in graph.calls.items():
            calls[key] = calls.get(key, 0) + times
        outputs += [moved[position] for position in graph.outputs]
    if len(set(outputs)) < len(outputs):
        raise ShapeError(
            f"{shown(nodes[outputs[-1]].layer)} would be an output twice: write the network "
            f"out again for its own weights, or use parallel(…, share=True) to call it twice."
        )
    return Graph.of(nodes, outputs)


def stands_already(layer: Layer) -> str:
    """Return the message for a layer object that would be called twice."""
    return (
        f"{shown(layer)} stands in this network already: write it out again for a layer "
        f"with its own weights, or call it twice by repeat(…, share=True) or "
        f"parallel(…, share=True)."
    )
