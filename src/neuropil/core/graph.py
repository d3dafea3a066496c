"""Graphs of layers as plain tuples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from neuropil.checks import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from neuropil.core.layer import Layer
    from neuropil.core.shape import Shape

# Stands among a node's inputs for what will be joined to the graph's open end.
OPEN = -1

Kind: TypeAlias = Literal["float", "int"]


class Node(NamedTuple):
    """One call of a layer.

    Args:
        layer: What is called.
        inputs: Positions of the nodes whose outputs it takes; -1 is the graph's open end.
        call: Which call of the layer this is, from 0; more than one only where it is shared.
        shape: Shape of one output sample; ``None`` until the graph is joined to an `Input`.
        kind: Whether the output holds floats or integers; ``None`` until then.
    """

    layer: Layer
    inputs: tuple[int, ...]
    call: int = 0
    shape: Shape | None = None
    kind: Kind | None = None

    @property
    def key(self) -> tuple[int, int]:
        """What makes two nodes the same: the layer object and the number of the call."""
        return id(self.layer), self.call


class Graph(NamedTuple):
    """Nodes, each after those it takes its inputs from, and the positions of the outputs.

    Args:
        nodes: The nodes.
        outputs: Positions of the nodes whose outputs the graph gives.
        calls: How often each layer is called, by its identity.
        given: The layers that the user named, by name.
    """

    nodes: tuple[Node, ...]
    outputs: tuple[int, ...]
    calls: dict[int, int]
    given: dict[str, Layer]

    @classmethod
    def of(cls, nodes: Iterable[Node], outputs: Iterable[int]) -> Graph:
        """Return the graph of these nodes, with their calls counted and names gathered."""
        nodes, calls, given = tuple(nodes), {}, {}
        for layer, _, call, _, _ in nodes:
            calls[id(layer)] = max(calls.get(id(layer), 0), call + 1)
            if layer.given_name is not None:
                add_given(given, {layer.given_name: layer})
        return cls(nodes, tuple(outputs), calls, given)

    @property
    def is_open(self) -> bool:
        """Whether something can be joined in front."""
        return any(OPEN in node.inputs for node in self.nodes)


def single(layer: Layer) -> Graph:
    """Return the graph of one layer."""
    given = {} if layer.given_name is None else {layer.given_name: layer}
    node = Node(layer, (OPEN,))
    if layer.inputs_taken == (0, 0):
        kind: Kind = "int" if layer.dtype_taken == "int" else "float"
        node = Node(layer, (), 0, layer.output_shape(), kind)
    return Graph((node,), (0,), {id(layer): 1}, given)


def add_given(names: dict[str, Layer], more: dict[str, Layer]) -> None:
    """Add names that the user gave.

    Raises:
        ValueError: When two layers bear one.
    """
    for name, layer in more.items():
        if names.setdefault(name, layer) is not layer:
            raise ValueError(f"two layers are named {shown(name)}: give each its own name.")


def layer_names(graph: Graph) -> dict[str, Layer]:
    """Return the layers by name, each once: the user's name, or class name and number."""
    names: dict[str, Layer] = {}
    numbers: dict[str, int] = {}
    for layer in {id(node.layer): node.layer for node in graph.nodes}.values():
        name = layer.given_name
        stem = type(layer).__name__.lower()
        while name is None or (name in graph.given and layer.given_name is None):
            numbers[stem] = numbers.get(stem, 0) + 1
            name = f"{stem}{numbers[stem]}"
        names[name] = layer
    return names
