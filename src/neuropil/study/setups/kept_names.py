"""The names of layers in a rewritten network."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from neuropil.core import Layer, ShapeError
from neuropil.core.composition import rename
from neuropil.core.graph import Graph, layer_names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from neuropil.core.shape import Shape


def heir_of(
    old: Layer, shapes: tuple[Shape, ...], new: Sequence[tuple[Layer, tuple[Shape, ...]]]
) -> Layer | None:
    """Return which of several layers takes over the name of the one that they replace.

    It is a copy of it, or else the last one if the user gave the name. Otherwise it is the
    first that has all its parameters, or that is of the same class; None if there is none.

    Args:
        old: The replaced layer.
        shapes: The shapes of its inputs.
        new: The layers in its place, each with the shapes of its inputs.
    """
    layers = [layer for layer, _ in new]
    same = [layer for layer in layers if type(layer) is type(old)]
    copies = [layer for layer in same if repr(layer) == repr(old)]
    if copies:
        return copies[0]
    if old.given_name is not None:
        return layers[-1]
    own = parameters_of(old, shapes).items()
    takers = [each for each, given in new if own and own <= parameters_of(each, given).items()]
    return next(iter((*takers, *same)), None)


def parameters_of(layer: Layer, shapes: tuple[Shape, ...]) -> dict[str, tuple[int, ...]]:
    """Return the shape of each parameter of a layer; empty if the input does not fit."""
    try:
        return layer.parameter_shapes(*shapes)
    except ShapeError:
        return {}


def set_names(graph: Graph, wanted: Mapping[int, str], used: set[str]) -> Graph:
    """Name the layers of a graph, where their names would be others.

    Args:
        graph: The graph; its layers are named in place.
        wanted: Some of the names, by the identity of the layer.
        used: Names that no other layer may have.
    """
    names = dict(wanted)
    taken = used | {*names.values()}
    for layer in {id(node.layer): node.layer for node in graph.nodes}.values():
        if id(layer) not in names:
            names[id(layer)] = layer.given_name or new_name(layer, taken)
            taken.add(names[id(layer)])
    # A given name changes the numbers of the layers without one.
    while wrong := [
        (layer, names[id(layer)])
        for name, layer in layer_names(graph).items()
        if names[id(layer)] != name
    ]:
        for layer, name in wrong:
            rename(layer, name)
        graph = Graph.of(graph.nodes, graph.outputs)
    return graph


def new_name(layer: Layer, taken: set[str]) -> str:
    """Return the first name of a layer by its class and a number that is not in use."""
    stem = type(layer).__name__.lower()
    return next(n for k in itertools.count(1) if (n := f"{stem}{k}") not in taken)
