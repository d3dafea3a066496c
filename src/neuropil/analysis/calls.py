"""The calls of a network's layers, with the input and output shapes of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

from torch import Tensor

from neuropil.checks import MAX_LENGTH
from neuropil.core import Network, ShapeError, format_shape
from neuropil.core.composition import as_network
from neuropil.core.graph import OPEN, Node
from neuropil.core.graph_shapes import GivenInput, node_with_shape
from neuropil.core.prediction import fits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neuropil.analysis.traced.runs.example_inputs import Example
    from neuropil.core import Layer, Shape
    from neuropil.core.graph import Kind
    from neuropil.core.layer import Composable


class Call(NamedTuple):
    """One call of a layer.

    Args:
        name: Name of the node in its network.
        layer: The layer that is called.
        inputs: Positions of the calls whose outputs it takes; -1 is the network's open end.
        input_shapes: Shape of each input; ``None`` while one of them is unknown.
        shape: Shape of the output; ``None`` while unknown.
        kind: Whether the output holds floats or integers; ``None`` while unknown.
        again: Whether the layer was called before, so that its parameters are already counted.
    """

    name: str
    layer: Layer
    inputs: tuple[int, ...]
    input_shapes: tuple[Shape, ...] | None
    shape: Shape | None
    kind: Kind | None
    again: bool

    @property
    def known_shapes(self) -> tuple[Shape, ...] | None:
        """Shapes of the inputs; ``None`` unless every length is known."""
        shapes = self.input_shapes
        return None if shapes is None or any(None in shape for shape in shapes) else shapes


def calls_of(network: Composable, input_shape: Example | None = None) -> tuple[Call, ...]:
    """Return a network's calls with all shapes that can be inferred; no layer is changed.

    Args:
        network: A network or a layer.
        input_shape: Lengths for the free axes of the input, or the input shape of an open
            network; a sequence of shapes where there are several inputs. Example tensors may
            take the place of shapes.

    Raises:
        ShapeError: When the shapes do not fit the network.
    """
    network = network_of(network)
    nodes, front = network.nodes, None
    if input_shape is not None:
        nodes, front = with_shapes(network, input_shape)
    calls: list[Call] = []
    for name, node in zip(network.node_names, nodes, strict=True):
        sources = [front if place == OPEN else nodes[place] for place in node.inputs]
        shapes = tuple(source.shape for source in sources if source and source.shape)
        complete = shapes if len(shapes) == len(sources) else None
        calls.append(call_at(node, name, complete))
    return tuple(calls)


def call_at(node: Node, name: str, shapes: tuple[Shape, ...] | None) -> Call:
    """Return the call at a node of a graph."""
    return Call(name, node.layer, node.inputs, shapes, node.shape, node.kind, node.call > 0)


def is_known(call: Call) -> bool:
    """Tell whether every length of a call's inputs and output is known."""
    return call.known_shapes is not None and None not in (call.shape or (None,))


def network_of(network: object) -> Network:
    """Return a network itself, or a layer as a network of one layer.

    Raises:
        TypeError: When it is neither a network nor a layer.
    """
    try:
        return as_network(cast("Composable", network))
    except TypeError:
        kind = type(network).__name__
        raise TypeError(
            f"analysis takes a network, a layer or a PyTorch module, got {kind}."
        ) from None


def built_network(network: Composable) -> Network:
    """Return a layer or network as a network that has its parameters.

    Raises:
        ShapeError: When the shape of its input is not known yet.
    """
    network = network_of(network)
    network.require_built()
    return network


def with_shapes(network: Network, input_shape: Example) -> tuple[list[Node], Node | None]:
    """Return the nodes with shapes inferred from the inputs', and the node before the open end.

    Raises:
        ShapeError: When a layer does not accept the output of the layers before it.
    """
    given = list(shapes_of_inputs(network, input_shape))
    front = None
    if network.graph.is_open:
        # An open end that feeds a layer of integers, such as an embedding, holds integers.
        takes = {n.layer.dtype_taken for n in network.nodes if OPEN in n.inputs}
        kind = "int" if takes == {"int"} else "float"
        front = Node(cast("Layer", GivenInput()), (), 0, given.pop(0), kind)
    nodes: list[Node] = []
    for node in network.nodes:
        if not node.inputs:
            nodes.append(node._replace(shape=given.pop(0)))
            continue
        sources = [cast("Node", front) if i == OPEN else nodes[i] for i in node.inputs]
        shapes = [cast("Shape", source.shape) for source in sources]
        nodes.append(node_with_shape(node, sources, shapes))
        if node.layer.built_for is not None:
            node.layer.check_built(*shapes)
    return nodes, front


def shapes_of_inputs(network: Network, given: object) -> tuple[Shape, ...]:
    """Return one valid shape for the open end, if there is one, and one for each input.

    Raises:
        ShapeError: When their number, ranks or lengths differ from the network's.
    """
    declared = network.input_shapes
    wanted = len(declared) + network.graph.is_open
    given = without_batch(given)
    several = isinstance(given, list | tuple) and all(
        isinstance(s, list | tuple) for s in given
    )
    shapes = tuple(map(as_shape, cast("Sequence[object]", given) if several else (given,)))
    if len(shapes) != wanted:
        raise ShapeError(
            f"the network takes {wanted} input{'s' * (wanted > 1)}, but input_shape has "
            f"{len(shapes)}: give one shape for each input, as in ((3, 32, 32), (10,))."
        )
    for shape, want in zip(shapes[len(shapes) - len(declared) :], declared, strict=True):
        if not fits(shape, want):
            raise ShapeError(
                f"the network takes inputs of shape {format_shape(want)}, but input_shape is "
                f"{format_shape(shape)}: only free lengths (None) can be chosen."
            )
    return shapes


def without_batch(given: object) -> object:
    """Return example tensors replaced by their shapes without the batch axis."""
    if isinstance(given, Tensor):
        return tuple(given.shape[1:])
    if isinstance(given, list | tuple):
        return tuple(
            tuple(item.shape[1:]) if isinstance(item, Tensor) else item for item in given
        )
    return given


def as_shape(value: object) -> Shape:
    """Return a value as a shape.

    Raises:
        ShapeError: When it is not a tuple of lengths.
    """
    if (
        not isinstance(value, tuple | list)
        or not value
        or not all(n is None or (type(n) is int and 1 <= n <= MAX_LENGTH) for n in value)
    ):
        raise ShapeError(
            f"input_shape must be a tuple of lengths without the batch axis, such as "
            f"(3, 224, 224), got {value!r}."
        )
    return tuple(value)
