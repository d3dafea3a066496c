"""Blocks: layers composed of layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Never

from typing_extensions import override

from neuropil.checks import shown
from neuropil.core.composition import graph_of
from neuropil.core.generated_forward import RunsGraph
from neuropil.core.graph import Graph, layer_names
from neuropil.core.graph_shapes import nodes_and_shapes, with_input
from neuropil.core.layer import Composable, Layer
from neuropil.core.shape import Shape, ShapeError

if TYPE_CHECKING:
    from torch import Generator


class Block(RunsGraph, Layer):
    """Base class of layers composed of layers, which `compose` joins once the shape is known.

    In a network a block is one node with one name; its parts are child modules, and their
    parameters have dotted names, ``residualblock1.convolution2.weight``. Analyses report each
    part of a block like a layer.

    Args:
        name: Name in the network.

    Example:
        >>> from neuropil.layers import Input, Linear, Relu
        >>> class Twice(Block):
        ...     def compose(self, shape):
        ...         return Relu(shape[0]) >> Linear(shape[0])
        >>> network = Input(3) >> Twice()
        >>> [*network.state_dict()][:2]
        ['twice1.relu1.weight', 'twice1.relu1.bias']
    """

    def __init__(self, *, name: str | None = None) -> None:
        super().__init__(name=name)
        del self.forward  # the generated one raises its own error
        self.graph = None
        self.planned = {}

    def compose(self, shape: Shape) -> Composable:
        """Return the joined layers for an input of this shape, with an open input."""
        raise NotImplementedError

    def plan(self, shape: Shape) -> Graph:
        """Return the graph for an input of this shape, with all shapes computed.

        Raises:
            ShapeError: When the parts do not fit the input or each other.
        """
        planned = self.planned.get(shape)
        if planned is None:
            try:
                graph = self.graph or graph_of(self.compose(shape))
                planned = with_input(graph, shape)
            except ShapeError as error:
                raise ShapeError(f"Inside {shown(self)}: {error}") from None
            self.planned[shape] = planned
        return planned

    @override
    def output_shape(self, shape: Shape) -> Shape:
        graph = self.plan(shape)
        (place,) = graph.outputs
        return graph.nodes[place].shape or ()  # known, since the input is

    @override
    def parameter_shapes(self, shape: Shape) -> dict[str, tuple[int, ...]]:
        return {
            f"{name}.{parameter}": size
            for name, layer, shapes in self.parts(shape)
            for parameter, size in layer.parameter_shapes(*shapes).items()
        }

    @override
    def multiply_adds(self, shape: Shape) -> int:
        return sum(
            node.layer.multiply_adds(*shapes)
            for node, shapes in nodes_and_shapes(self.plan(shape), shape)
        )

    @override
    def reaches(self, shape: Shape) -> Never:
        raise NotImplementedError(
            f"{type(self).__name__} consists of layers: use neuropil.analysis.receptive_field."
        )

    def parts(self, shape: Shape) -> list[tuple[str, Layer, tuple[Shape, ...]]]:
        """Return the name, layer and input shapes of each part, each once."""
        graph = self.plan(shape)
        names = {id(layer): name for name, layer in layer_names(graph).items()}
        fed = {id(node.layer): (node.layer, s) for node, s in nodes_and_shapes(graph, shape)}
        return [(names[key], *part) for key, part in fed.items()]

    @override
    def build(self, *input_shapes: Shape) -> None:
        if self.built_for is not None:
            self.check_built(*input_shapes)
            return
        graph = self.plan(*input_shapes)
        self.set_built(*input_shapes)
        self.graph = graph
        self.planned = {}
        self._modules.update(layer_names(graph))
        for node, shapes in nodes_and_shapes(graph, *input_shapes):
            node.layer.build(*shapes)

    @override
    def check_built(self, *input_shapes: Shape) -> None:
        for node, shapes in nodes_and_shapes(self.plan(*input_shapes), *input_shapes):
            node.layer.check_built(*shapes)

    @override
    def reset_parameters(self, generator: Generator | None = None) -> None:
        for layer in self._modules.values():
            layer.reset_parameters(generator)  # pyright: ignore[reportCallIssue,reportOptionalMemberAccess]  # parts are layers

    def require_built(self) -> None:
        """Raise an error if the block has no parameters yet.

        Raises:
            ShapeError: When the block was not joined to an `Input`.
        """
        if self.built_for is None:
            raise ShapeError(
                f"{shown(self)} has no parameters yet, since the shape of its input is not "
                f"known: join it to an Input first, as in Input(3, 32, 32) >> block."
            )
