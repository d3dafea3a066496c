"""Graphs of layers as plain tuples: joining, setting side by side, cutting, naming."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias, cast

from typing_extensions import override

from neuropil.checks import shown
from neuropil.core.shape import Shape, ShapeError, format_shape

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from neuropil.core.layer import Layer

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
    return Graph(shaped(first.nodes, moved), outputs, first.calls | second.calls, given)


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
    mend = "put Concatenate() or Elementwise('add') between"
    if number < fewest:
        mend = f"set side by side what it takes: parallel(a, b) >> {type(layer).__name__}(…)"
    given = " and ".join(shown(first.nodes[source].layer) for source in sources)
    raise ShapeError(
        f"{shown(layer)} takes {layer.inputs_in_words} and is given {number}, by {given}: "
        f"{mend}."
    )


def stands_already(layer: Layer) -> str:
    """Return the message for a layer object that would be called twice."""
    return (
        f"{shown(layer)} stands in this network already: write it out again for a layer "
        f"with its own weights, or call it twice by repeat(…, share=True) or "
        f"parallel(…, share=True)."
    )


def shaped(before: tuple[Node, ...], added: Sequence[Node]) -> tuple[Node, ...]:
    """Return all nodes, with the shapes of those added worked out and their layers built.

    Shapes come first and parameters after, so that a graph that does not fit builds nothing.
    """
    nodes = list(before)
    ready: list[tuple[Layer, list[Shape]]] = []
    for node in added:
        sources = [nodes[position] for position in node.inputs if position != OPEN]
        shapes = [source.shape for source in sources if source.shape is not None]
        if shapes and len(shapes) == len(node.inputs):
            node = node_with_shape(node, sources, shapes)
            check_order_of_axes(nodes, node, shapes)
            ready.append((node.layer, shapes))
        nodes.append(node)
    for layer, shapes in ready:
        if layer.built_for is not None:
            layer.check_built(*shapes)
    for layer, shapes in ready:
        layer.build(*shapes)  # a shared layer's second call is checked against its first
    return tuple(nodes)


def node_with_shape(node: Node, sources: list[Node], shapes: list[Shape]) -> Node:
    """Return the node with its output's shape and kind.

    Raises:
        ShapeError: When the layer cannot take what the layers in front give.
    """
    layer = node.layer
    kind = sources[0].kind
    if layer.dtype_taken != "any":
        for source, shape in zip(sources, shapes, strict=True):
            masks = len(shapes) > 1 and layer.is_mask(shape)
            wanted = "int" if masks else layer.dtype_taken
            if source.kind != wanted:
                raise ShapeError(wrong_kind(source, layer, wanted))
        kind = "float"
    try:
        shape = layer.output_shape(*shapes)
    except ShapeError as error:
        # The layer's own words hold what it needs and the mend; here comes who gave it.
        given = " and ".join(
            f"{shown(source.layer)} gives {format_shape(shape)}"
            for source, shape in zip(sources, shapes, strict=True)
        )
        raise ShapeError(" ".join(f"{given}. {error}".split())) from None  # in one line
    return Node(layer, node.inputs, node.call, shape, kind)


def check_order_of_axes(nodes: Sequence[Node], node: Node, shapes: list[Shape]) -> None:
    """Refuse to take a signal (C, L) for a sequence (T, D) where nobody asked for that.

    Raises:
        ShapeError: When a layer would work along the positions in place of the channels.
    """
    layer = node.layer
    if layer.assumes_sequence and len(shapes[0]) == 2 and gives_signal(nodes, node.inputs):
        raise ShapeError(
            f"{shown(layer)} would normalise over the positions of a signal "
            f"{format_shape(shapes[0])}, channels first: give axis=0 for its channels, or "
            f"axis=-1 for its positions."
        )


def gives_signal(nodes: Sequence[Node], places: Iterable[int]) -> bool:
    """Tell whether one of these nodes gives channels first, as far as the layers say so."""
    waiting, seen = [*places], {OPEN}
    while waiting:
        place = waiting.pop()
        if place in seen:
            continue
        seen.add(place)
        node = nodes[place]
        if node.layer.channels_first is None:
            waiting += node.inputs
        elif node.layer.channels_first:
            return True
    return False


class Given:
    """Stands before an open graph, in the words of errors."""

    @override
    def __repr__(self) -> str:
        return "the given input"


def with_input(graph: Graph, shape: Shape, kind: Kind = "float") -> Graph:
    """Return an open graph with the shapes that follow from its input's; nothing is built.

    Args:
        graph: The graph.
        shape: Shape of what is given to it.
        kind: Whether that holds floats or integers.

    Raises:
        ShapeError: When a layer cannot take what the layers before it give.
    """
    front = Node(cast("Layer", Given()), (), 0, shape, kind)
    nodes: list[Node] = []
    for node in graph.nodes:
        sources = [front if place == OPEN else nodes[place] for place in node.inputs]
        shapes = [source.shape for source in sources if source.shape is not None]
        nodes.append(node_with_shape(node, sources, shapes))
        check_order_of_axes(nodes, nodes[-1], shapes)
    return graph._replace(nodes=tuple(nodes))


def fed(graph: Graph, shape: Shape) -> list[tuple[Node, tuple[Shape, ...]]]:
    """Return each node of such a graph with the shapes of its inputs."""
    shapes = [node.shape or () for node in graph.nodes] + [shape]  # the open end is -1
    return [(node, tuple([shapes[i] for i in node.inputs])) for node in graph.nodes]


def wrong_kind(source: Node, layer: Layer, wanted: str) -> str:
    """Return the message for integers where floats are needed, or the other way round."""
    mend = (
        "put Embedding(…) between"
        if source.kind == "int"
        else "declare the input with dtype='int64'"
    )
    needs = "floats" if wanted == "float" else "integers"
    if wanted != layer.dtype_taken:
        needs = "a mask of integers"
    gives = "integers" if source.kind == "int" else "floats"
    return f"{shown(layer)} takes {needs}, and {shown(source.layer)} gives {gives}: {mend}."


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


def upto(graph: Graph, *positions: int) -> Graph:
    """Return the part of a graph that these nodes need; they are its outputs."""
    needed = set(positions)
    for place in range(max(positions, default=OPEN), OPEN, -1):
        if place in needed:
            needed.update(graph.nodes[place].inputs)
    return kept(graph, sorted(needed - {OPEN}), positions)


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
    return kept(graph, sorted(behind), tuple(i for i in graph.outputs if i in behind))


def kept(graph: Graph, positions: Sequence[int], outputs: tuple[int, ...]) -> Graph:
    """Return the chosen nodes only; what they take from others becomes the open end."""
    places = {position: place for place, position in enumerate(positions)}
    nodes = tuple(
        graph.nodes[position]._replace(
            inputs=tuple(places.get(source, OPEN) for source in graph.nodes[position].inputs)
        )
        for position in positions
    )
    return Graph.of(nodes, (places[position] for position in outputs))


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
