"""Graphs of layers as plain tuples: their nodes, names and parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from neuropil.checks import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from neuropil.core.layer import Layer
    from neuropil.core.shape import Shape

# Among a node's inputs: the open input of the graph, which is joined later.
OPEN = -1

Kind: TypeAlias = Literal["float", "int"]


class Node(NamedTuple):
    """One call of a layer.

    Args:
        layer: The layer that is called.
        inputs: Positions of the nodes whose outputs it takes; -1 is the graph's open input.
        call: Number of this call of the layer, from 0; above 0 only for shared layers.
        shape: Shape of one output sample; ``None`` until the graph is joined to an `Input`.
        kind: Whether the output holds floats or integers; ``None`` until then.
        mark: Identity of a further call of a shared layer; ``None`` for its first.
    """

    layer: Layer
    inputs: tuple[int, ...]
    call: int = 0
    shape: Shape | None = None
    kind: Kind | None = None
    mark: object | None = None

    @property
    def key(self) -> tuple[int, object]:
        """The identity of a node: the layer object, and the mark of a further call.

        The number of the call is not part of it, since joining changes it.
        """
        return id(self.layer), self.mark


class Graph(NamedTuple):
    """Nodes in topological order, and the positions of the outputs.

    Args:
        nodes: The nodes.
        outputs: Positions of the nodes whose outputs the graph returns.
        calls: Number of calls of each layer, by its identity.
        given: The layers named by the user, by name.
    """

    nodes: tuple[Node, ...]
    outputs: tuple[int, ...]
    calls: dict[int, int]
    given: dict[str, Layer]

    @classmethod
    def of(cls, nodes: Iterable[Node], outputs: Iterable[int]) -> Graph:
        """Return the graph of these nodes, with calls counted and names collected."""
        nodes, calls, given = tuple(nodes), {}, {}
        for layer, _, call, *_ in nodes:
            calls[id(layer)] = max(calls.get(id(layer), 0), call + 1)
            if layer.given_name is not None:
                add_user_names(given, {layer.given_name: layer})
        return cls(nodes, tuple(outputs), calls, given)

    @property
    def is_open(self) -> bool:
        """Whether the graph has an open input."""
        return any(OPEN in node.inputs for node in self.nodes)


def numbered_calls(nodes: Iterable[Node]) -> list[Node]:
    """Return the nodes with the calls of each layer numbered in order."""
    calls: dict[int, int] = {}
    result: list[Node] = []
    for node in nodes:
        call = calls[id(node.layer)] = calls.get(id(node.layer), -1) + 1
        result.append(node if node.call == call else node._replace(call=call))
    return result


def single(layer: Layer) -> Graph:
    """Return the graph of a single layer."""
    given = {} if layer.given_name is None else {layer.given_name: layer}
    node = Node(layer, (OPEN,))
    if layer.inputs_taken == (0, 0):
        kind: Kind = "int" if layer.dtype_taken == "int" else "float"
        node = Node(layer, (), 0, layer.output_shape(), kind)
    return Graph((node,), (0,), {id(layer): 1}, given)


def add_user_names(names: dict[str, Layer], more: dict[str, Layer]) -> None:
    """Add names given by the user.

    Raises:
        ValueError: When two layers have the same name.
    """
    for name, layer in more.items():
        if names.setdefault(name, layer) is not layer:
            raise ValueError(
                f"two layers are named {shown(name)}: give each layer its own name."
            )


def layer_names(graph: Graph) -> dict[str, Layer]:
    """Return the layers by name, each once: the user's name, or the class name and a number."""
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


def upto(graph: Graph, *positions: int) -> Graph:
    """Return the part of a graph that leads to these nodes, which are its outputs."""
    needed = set(positions)
    for place in range(max(positions, default=OPEN), OPEN, -1):
        if place in needed:
            needed.update(graph.nodes[place].inputs)
    return subgraph(graph, sorted(needed - {OPEN}), positions)


def after(graph: Graph, position: int, names: Sequence[str]) -> Graph:
    """Return the part of a graph after a node, with an open input in its place.

    Raises:
        ValueError: When that part also takes an output from before the cut.
    """
    later: set[int] = set()
    for place, node in enumerate(graph.nodes):
        if any(source == position or source in later for source in node.inputs):
            later.add(place)
    if not later:
        raise ValueError(f"nothing comes after {shown(names[position])}.")
    for place in sorted(later):
        for source in graph.nodes[place].inputs:
            if source != position and source not in later:
                what = "the input" if source == OPEN else repr(names[source])
                raise ValueError(
                    f"the network cannot be cut after {names[position]!r}, since "
                    f"{names[place]!r} also takes {what}, from before the cut: cut before the "
                    f"branches part or after they meet."
                )
    return subgraph(graph, sorted(later), tuple(i for i in graph.outputs if i in later))


def subgraph(graph: Graph, positions: Sequence[int], outputs: tuple[int, ...]) -> Graph:
    """Return a graph of the chosen nodes; inputs from other nodes become the open input."""
    places = {position: place for place, position in enumerate(positions)}
    nodes = tuple(
        graph.nodes[position]._replace(
            inputs=tuple(places.get(source, OPEN) for source in graph.nodes[position].inputs)
        )
        for position in positions
    )
    return Graph.of(nodes, (places[position] for position in outputs))
