"""Shapes of the nodes of a graph, computed from its input shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from typing_extensions import override

from neuropil.checks import shown
from neuropil.core.graph import OPEN, Graph, Kind, Node
from neuropil.core.shape import Shape, ShapeError, format_shape

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from neuropil.core.layer import Layer


def with_shapes(before: tuple[Node, ...], added: Sequence[Node]) -> tuple[Node, ...]:
    """Return all nodes, with the shapes of the added ones computed and their layers built.

    Shapes are computed before parameters, so that a graph that does not fit builds nothing.
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
        else:
            layer.check_starts(*shapes)
    for layer, shapes in ready:
        layer.build(*shapes)  # a shared layer's second call is checked against its first
    return tuple(nodes)


def node_with_shape(node: Node, sources: list[Node], shapes: list[Shape]) -> Node:
    """Return the node with the shape and kind of its output.

    Raises:
        ShapeError: When the layer cannot take the outputs of the layers before it.
    """
    layer = node.layer
    kind = sources[0].kind
    if layer.dtype_taken != "any":
        for place, (source, shape) in enumerate(zip(sources, shapes, strict=True)):
            masks = place > 0 and layer.is_mask(shape)
            wanted = "int" if masks else layer.dtype_taken
            if source.kind != wanted:
                raise ShapeError(kind_message(source, layer, wanted))
        kind = "float"
    try:
        shape = layer.output_shape(*shapes)
    except ShapeError as error:
        # The layer's message names what it needs and the fix; this adds the source of the
        # input.
        given = " and ".join(
            f"{shown(source.layer)} gives {format_shape(shape)}"
            for source, shape in zip(sources, shapes, strict=True)
        )
        raise ShapeError(" ".join(f"{given}. {error}".split())) from None  # in one line
    return Node(layer, node.inputs, node.call, shape, kind, node.mark)


def kind_message(source: Node, layer: Layer, wanted: str) -> str:
    """Return the message for integers where floats are needed, or vice versa."""
    fix = (
        "put Embedding(…) in between"
        if source.kind == "int"
        else "declare the input with dtype='int64'"
    )
    needs = "floats" if wanted == "float" else "integers"
    if wanted != layer.dtype_taken:
        needs = "a mask of integers"
    gives = "integers" if source.kind == "int" else "floats"
    return f"{shown(layer)} takes {needs}, and {shown(source.layer)} gives {gives}: {fix}."


def check_order_of_axes(nodes: Sequence[Node], node: Node, shapes: list[Shape]) -> None:
    """Raise an error if a signal (C, L) would silently be read as a sequence (T, D).

    Raises:
        ShapeError: When a layer would work along the positions instead of the channels.
    """
    layer = node.layer
    if layer.assumes_sequence and len(shapes[0]) == 2 and gives_signal(nodes, node.inputs):
        raise ShapeError(
            f"{shown(layer)} would normalise over the positions of a signal "
            f"{format_shape(shapes[0])}, channels first: give axis=0 for its channels, or "
            f"axis=-1 for its positions."
        )


def gives_signal(nodes: Sequence[Node], places: Iterable[int]) -> bool:
    """Return whether one of these nodes is known to return its channels first."""
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


class GivenInput:
    """Placeholder for the input of an open graph in error messages."""

    @override
    def __repr__(self) -> str:
        return "the given input"


def with_input(graph: Graph, shape: Shape, kind: Kind = "float") -> Graph:
    """Return an open graph with shapes computed from its input shape; nothing is built.

    Args:
        graph: The graph.
        shape: Shape of the input.
        kind: Whether the input holds floats or integers.

    Raises:
        ShapeError: When a layer cannot take the outputs of the layers before it.
    """
    front = Node(cast("Layer", GivenInput()), (), 0, shape, kind)
    nodes: list[Node] = []
    for node in graph.nodes:
        sources = [front if place == OPEN else nodes[place] for place in node.inputs]
        shapes = [source.shape for source in sources if source.shape is not None]
        nodes.append(node_with_shape(node, sources, shapes))
        check_order_of_axes(nodes, nodes[-1], shapes)
    return graph._replace(nodes=tuple(nodes))


def nodes_and_shapes(graph: Graph, shape: Shape) -> list[tuple[Node, tuple[Shape, ...]]]:
    """Return each node of an open graph with the shapes of its inputs."""
    shapes = [node.shape or () for node in graph.nodes] + [shape]  # the open input is -1
    return [(node, tuple([shapes[i] for i in node.inputs])) for node in graph.nodes]


# Two inputs of each rank that differ in every length: what is equal in both outputs does not
# depend on the input. The lengths are large enough for windows and divisible by groups, and
# twice a length plus one is rounded in another way by strides.
CHANNELS, LENGTHS = (240, 480), (224, 449)
RANKS = range(1, 5)


def foreseen_shapes(graph: Graph) -> tuple[Shape | None, ...]:
    """Return the shape of each output that is the same for every input, or else None.

    Where it depends on the rank of the input, it is that for vectors, if they are taken and the
    shape is known completely. Lengths that depend on the input are free.

    Args:
        graph: A graph with an open input and no other.
    """
    by_rank = [shapes for rank in RANKS if (shapes := shapes_for_rank(graph, rank))]
    if not by_rank:
        return (None,) * len(graph.outputs)
    return tuple(map(agreed, zip(*by_rank, strict=True)))


def agreed(shapes: tuple[Shape, ...]) -> Shape | None:
    """Return the shape that all ranks give, or else a known one of the lowest rank."""
    first = shapes[0]
    return first if len({*shapes}) == 1 or None not in first else None


def shapes_for_rank(graph: Graph, rank: int) -> tuple[Shape, ...] | None:
    """Return the output shapes for inputs of a rank, or None if it is refused."""
    for kind in ("float", "int"):
        try:
            pair = [
                with_input(graph, (channels, *[length] * (rank - 1)), kind)
                for channels, length in zip(CHANNELS, LENGTHS, strict=True)
            ]
        except ShapeError:
            continue
        ends = [[one.nodes[place].shape or () for place in one.outputs] for one in pair]
        return tuple(
            tuple(a if a == b else None for a, b in zip(*shapes, strict=True))
            for shapes in zip(*ends, strict=True)
        )
    return None
