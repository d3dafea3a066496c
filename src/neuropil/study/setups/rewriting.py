"""Rewriting of networks: other layers in the place of some, all else as it was."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, TypeAlias, TypeVar, cast

from neuropil.checks import shown
from neuropil.core import Layer, Network, ShapeError
from neuropil.core.block import Block
from neuropil.core.composition import graph_of
from neuropil.core.graph import OPEN, Graph, Node, layer_names, numbered_calls, single
from neuropil.core.graph_joins import inputs_after_join
from neuropil.core.graph_shapes import GivenInput, node_with_shape, with_shapes
from neuropil.layers import Identity
from neuropil.layers.mixing.gate import Part
from neuropil.study.setups.kept_names import heir_of, set_names

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from neuropil.core.layer import Composable
    from neuropil.core.shape import Shape

L = TypeVar("L", bound=Layer)
# Takes the name of a layer, the layer and the shapes of its inputs; returns what takes its
# place, or None to keep it.
Change: TypeAlias = "Callable[[str, Layer, tuple[Shape, ...]], Composable | None]"


def rewrite(network: Network, change: Change) -> Network:
    """Return a copy of a network with other layers in the place of some.

    Shapes are inferred anew and all parameters are new; the given network stays as it is. Kept
    layers keep their names and hyper-parameters, in blocks too: a block with a changed part
    becomes a network in one layer. A layer that is called several times is replaced at each
    call by the same one.

    The replacement takes over the name of the layer if the user gave it, and otherwise if it
    takes over its parameters, so that weights can be passed on by name; other new layers get
    names that were not in use. `Identity` in the place of another layer takes that layer out.
    Networks inside other layers than blocks, such as `EachRegion`, stay as they are.

    Args:
        network: A built network.
        change: ``change(name, layer, input_shapes)`` returns a layer or a chain of layers to
            take the place of a layer, or None to keep it. It may return the layer itself in a
            chain, as in ``layer >> BatchNorm()``. The shapes are those in the new network.
            Parts of blocks have dotted names, as in ``"residualblock1.convolution2"``, and are
            asked for if the block itself is kept.

    Raises:
        ShapeError: When the network is not built, or a new layer does not fit.

    Example:
        >>> from neuropil.layers import Elu, Input, Relu, Softmax
        >>> network = Input(4) >> Relu(8) >> Softmax(3)
        >>> rewrite(network, lambda name, layer, shapes: Elu(8) if name == "relu1" else None)
        Input(4) >> Elu(8, name='relu1') >> Softmax(3)
    """
    network.require_built()
    if network.graph.is_open:
        raise ShapeError("a network without an Input cannot be rewritten: join it to one.")
    graph = Rewriting(change, network.layers).run(network.graph)
    return Network(graph._replace(nodes=with_shapes((), graph.nodes)))


class Rewriting:
    """One pass over a graph.

    Args:
        change: As for `rewrite`.
        layers: The layers of the graph by name.
        prefix: What comes before the names in the argument of `change`.
        given: The shape of the open input in the given and in the new graph, if there is one.
    """

    def __init__(
        self,
        change: Change,
        layers: Mapping[str, Layer],
        prefix: str = "",
        given: tuple[Shape, Shape] = ((), ()),
    ) -> None:
        self.change = change
        self.names = {id(layer): name for name, layer in layers.items()}
        self.prefix = prefix
        self.shape, shape = given
        self.front = Node(cast("Layer", GivenInput()), (), 0, shape, "float")
        self.nodes: list[Node] = []
        # By the identity of a given layer: what takes its place.
        self.pieces: dict[int, Graph] = {}
        # By the identity of a new layer: its name.
        self.wanted: dict[int, str] = {}
        self.changed = False

    def run(self, graph: Graph) -> Graph:
        """Return the new graph, without parameters.

        Raises:
            ShapeError: When a new layer does not fit.
        """
        places = {OPEN: OPEN}
        for place, node in enumerate(graph.nodes):
            sources = tuple(places[source] for source in node.inputs)
            known = id(node.layer) in self.pieces
            if not known:
                self.pieces[id(node.layer)] = self.piece(graph, node, sources)
            piece = self.pieces[id(node.layer)]
            if place not in graph.outputs and takes_out(node.layer, piece, sources):
                places[place] = sources[0]
                continue
            start = len(self.nodes)
            places[place] = self.splice(piece, sources, again=known)
            self.pass_name(node.layer, sources, self.nodes[start:])
        outputs = [places[place] for place in graph.outputs]
        new = Graph.of(numbered_calls(self.nodes), outputs)
        return set_names(new, self.wanted, {*self.names.values()})

    def piece(self, graph: Graph, node: Node, sources: tuple[int, ...]) -> Graph:
        """Return the graph that takes the place of a layer, of new layers."""
        layer, name = node.layer, self.prefix + self.names[id(node.layer)]
        shapes = self.shapes_at(sources)
        new = self.change(name, layer, shapes)
        if new is not None:
            self.changed = True
            return renewed(graph_of(new), is_open=bool(sources))
        if not isinstance(layer, Block):
            return single(unbuilt(layer))
        own = node.inputs[0]
        before = self.shape if own == OPEN else graph.nodes[own].shape or ()
        try:
            return self.block(layer, name, before, shapes[0])
        except ShapeError:  # composed for the new shape it may choose parts that fit
            return self.block(layer, name, shapes[0], shapes[0])

    def block(self, block: Block, name: str, composed: Shape, shape: Shape) -> Graph:
        """Return the graph of one layer for a block whose parts may change.

        Args:
            block: The block.
            name: Its name.
            composed: The shape of the input that the block is composed for.
            shape: The shape of its input in the new network.

        Raises:
            ShapeError: When a part does not fit.
        """
        graph = unbuilt(block).plan(composed)
        inside = Rewriting(self.change, layer_names(graph), f"{name}.", (composed, shape))
        new = inside.run(graph)
        if not inside.changed:
            return single(unbuilt(block))
        self.changed = True
        open_nodes = (node._replace(shape=None, kind=None) for node in new.nodes)
        part = Part(Network(Graph.of(open_nodes, new.outputs)), name=block.given_name)
        self.wanted[id(part)] = name.removeprefix(self.prefix)
        return single(part)

    def splice(self, piece: Graph, sources: tuple[int, ...], *, again: bool) -> int:
        """Add the nodes of a graph, and return the position of its output.

        Raises:
            ShapeError: When they do not fit.
        """
        offset = len(self.nodes)
        for node in piece.nodes:
            inputs = inputs_after_join(node.inputs, offset, sources) if node.inputs else ()
            mark = object() if again and inputs else node.mark
            node = node._replace(inputs=inputs, mark=mark)
            if inputs:
                given = [self.node_at(place) for place in inputs]
                node = node_with_shape(node, given, [each.shape or () for each in given])
            self.nodes.append(node)
        (end,) = piece.outputs
        return offset + end

    def node_at(self, place: int) -> Node:
        """Return the node at a position; the open input has one too."""
        return self.front if place == OPEN else self.nodes[place]

    def pass_name(self, layer: Layer, sources: tuple[int, ...], added: list[Node]) -> None:
        """Note which of the added layers takes over the name of a layer."""
        new = [(node.layer, self.shapes_at(node.inputs)) for node in added]
        heir = heir_of(layer, self.shapes_at(sources), new)
        if heir is not None:
            self.wanted.setdefault(id(heir), self.names[id(layer)])

    def shapes_at(self, places: tuple[int, ...]) -> tuple[Shape, ...]:
        """Return the shapes of the outputs at some positions."""
        return tuple(self.node_at(place).shape or () for place in places)


def takes_out(layer: Layer, piece: Graph, sources: tuple[int, ...]) -> bool:
    """Return whether a graph in the place of a layer only takes it out."""
    (first, *more) = piece.nodes
    removes = isinstance(first.layer, Identity) and not isinstance(layer, Identity)
    named = layer.given_name or first.layer.given_name
    return removes and not more and not named and len(sources) == 1 and sources[0] != OPEN


def renewed(graph: Graph, *, is_open: bool) -> Graph:
    """Return a graph with a new layer in the place of each, without parameters.

    Args:
        graph: The graph.
        is_open: Whether it must take an input, or else begin with one.

    Raises:
        ShapeError: When it does not, or has several outputs.
    """
    if graph.is_open != is_open:
        kind = "a layer that takes an input" if is_open else "an Input"
        raise ShapeError(
            f"{shown(graph.nodes[0].layer)} cannot take the place of {kind}: give another "
            f"{'such layer' if is_open else 'Input'}."
        )
    if len(graph.outputs) != 1:
        raise ShapeError(
            f"one layer cannot be replaced by a network with {len(graph.outputs)} outputs: "
            f"merge them with Concatenate() or Elementwise('add')."
        )
    new = {id(node.layer): unbuilt(node.layer) for node in graph.nodes}
    nodes = (node._replace(layer=new[id(node.layer)]) for node in graph.nodes)
    return Graph.of(nodes, graph.outputs)


def unbuilt(layer: L) -> L:
    """Return a new layer with the same arguments, without parameters."""
    args, kwargs = copy.deepcopy(layer.__dict__["_call"])
    return type(layer)(*args, **kwargs)
