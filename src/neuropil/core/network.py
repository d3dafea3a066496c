"""Networks: directed graphs of layers that can be run, composed, cut, saved and loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from neuropil.checks import shown
from neuropil.core import graph as graphs
from neuropil.core import graph_text
from neuropil.core.generated_forward import RunsGraph
from neuropil.core.graph import Graph, Node
from neuropil.core.graph_shapes import foreseen_shapes
from neuropil.core.late_module import LateModule
from neuropil.core.later import later
from neuropil.core.layer import Composable, Layer
from neuropil.core.prediction import in_order, predict
from neuropil.core.shape import Shape, ShapeError, only
from neuropil.text import nearest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import PathLike

    import torch
    from torch import Tensor


class Network(RunsGraph, LateModule, Composable):
    """A directed acyclic graph of layers: a PyTorch module that composes like a layer.

    Networks are created by composition: ``a >> b`` is in series, ``a | b`` or `parallel` in
    parallel, and `repeat` copies. Shapes are computed, and parameters created, as soon as the
    network starts with an `Input`; a join that does not fit raises an error immediately.

    Args:
        graph: The nodes and which of them are outputs, as created by composition.
        names: The layers by name, if they keep their names.

    Example:
        >>> from neuropil.layers import Input, Relu, Softmax
        >>> network = Input(4) >> Relu(8) >> Softmax(3)
        >>> network
        Input(4) >> Relu(8) >> Softmax(3)
        >>> network.output_shape
        (3,)
        >>> list(network.state_dict())
        ['relu1.weight', 'relu1.bias', 'softmax1.weight', 'softmax1.bias']

        Several inputs are given in order or by name:

        >>> import torch
        >>> from neuropil.layers import Concatenate, parallel
        >>> pair = parallel(Input(2, name="left"), Input(1, name="right")) >> Concatenate()
        >>> pair(left=torch.ones(1, 2), right=torch.zeros(1, 1))
        tensor([[1., 1., 0.]])
    """

    # Structure

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The calls of the layers, in topological order."""
        return self.graph.nodes

    @property
    def layers(self) -> dict[str, Layer]:
        """The layers by name, each once, in network order."""
        return dict(self.names)

    @property
    def layer_names(self) -> tuple[str, ...]:
        """The name of each node's layer; a layer that is called twice occurs twice."""
        names = {id(layer): name for name, layer in self.names.items()}
        return tuple(names[id(node.layer)] for node in self.nodes)

    @property
    def node_names(self) -> tuple[str, ...]:
        """The name of each node: its layer's, with ``@2`` and so on from the second call."""
        return tuple(
            f"{name}@{node.call + 1}" if node.call else name
            for name, node in zip(self.layer_names, self.nodes, strict=True)
        )

    @property
    def built(self) -> bool:
        """Whether every layer has its parameters."""
        return all(node.layer.built_for is not None for node in self.nodes if node.inputs)

    @property
    def inputs(self) -> tuple[Layer, ...]:
        """The `Input` layers, in the order in which `forward` takes their values."""
        return tuple(node.layer for node in self.nodes if not node.inputs)

    @property
    @override
    def input_names(self) -> tuple[str, ...]:
        """The names of the `Input` layers, also the keywords by which `forward` takes them."""
        nodes = zip(self.node_names, self.nodes, strict=True)
        return tuple(name for name, node in nodes if not node.inputs)

    @property
    def input_shapes(self) -> tuple[Shape, ...]:
        """The shape of one sample of each input."""
        return tuple(node.shape for node in self.nodes if not node.inputs and node.shape)

    @property
    def output_shapes(self) -> tuple[Shape | None, ...]:
        """The shape of one sample of each output; before an `Input`, as for `output_shape`."""
        if self.graph.is_open and not self.inputs:
            return foreseen_shapes(self.graph)
        return tuple(self.nodes[position].shape for position in self.graph.outputs)

    @property
    def input_shape(self) -> Shape:
        """The shape of one sample of the only input.

        Raises:
            ValueError: When there is none, or more than one.
        """
        return only(self.input_shapes, "input")

    @property
    def output_shape(self) -> Shape | None:
        """The shape of one sample of the only output.

        Before the network is joined to an `Input`, it is the shape for every input, with free
        lengths where they depend on it: ``(8,)`` for ``Convolution(8, 3) >> GlobalPooling()``,
        and for vectors ``(10,)`` for ``Relu(10)``. It is None where that cannot be told.

        Raises:
            ValueError: When there is more than one.
        """
        return only(self.output_shapes, "output")

    # Running

    def predict(self, inputs: Any, *, batch_size: int = 512) -> Any:
        """Return the outputs for raw inputs: test mode, no gradients, in batches.

        Args:
            inputs: One array or tensor with the batch axis first; or one for each input of the
                network, as a tuple or list, or as a dict by the inputs' names. NumPy arrays
                give NumPy outputs.
            batch_size: Number of samples per batch.

        Raises:
            ValueError: When the inputs do not have the network's input shape, or a name is
                missing or unknown.

        Example:
            >>> from neuropil.layers import Concatenate, Input, parallel
            >>> network = parallel(Input(2), Input(1, name="age")) >> Concatenate()
            >>> network.predict({"age": [[3.0]], "input1": [[1.0, 2.0]]}).tolist()
            [[1.0, 2.0, 3.0]]
        """
        self.require_built()
        inputs = in_order(inputs, self.input_names)
        return predict(self, inputs, self.input_shapes, batch_size)

    def require_built(self) -> None:
        """Raise an error if the network has no parameters yet.

        Raises:
            ShapeError: When the network was not joined to an `Input`.
        """
        if not self.built:
            raise ShapeError(
                "this network has no parameters yet, since the shape of its input is not "
                "known: join it to one, as in Input(3, 32, 32) >> network."
            )

    def scores(self) -> Network:
        """Return this network without a last Softmax or Sigmoid; all parameters are shared.

        Losses take scores, to avoid a loss of precision. Keys and parameters are the same, so
        training one trains the other.
        """
        nodes, layers = list(self.nodes), self.layers
        for position in self.graph.outputs:
            node = nodes[position]
            affine = node.layer.without_activation()
            if affine is not None and self.graph.calls[id(node.layer)] == 1:
                nodes[position] = node._replace(layer=affine)
                layers[self.layer_names[position]] = affine
        if nodes == list(self.nodes):
            return self
        scores = Network(Graph.of(nodes, self.graph.outputs), names=layers)
        scores.training = self.training
        return scores

    # Parameters

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Initialise all parameters again, in network order regardless of composition."""
        for layer in self.layers.values():
            layer.reset_parameters(generator)

    def normalize(self, *inputs: Tensor, weights: Tensor | None = None) -> None:
        """Set the mean and scale of each `Input` from examples, unless they are set already.

        Args:
            *inputs: The examples for each input, batch axis first.
            weights: The weight of each example; None is 1 for all.

        Raises:
            ValueError: When their number is not the number of inputs.
        """
        if len(inputs) != len(self.inputs):
            raise ValueError(
                f"the network takes {len(self.inputs)} inputs, got examples for {len(inputs)}."
            )
        for layer, examples in zip(self.inputs, inputs, strict=True):
            layer.normalize(examples, weights)  # pyright: ignore[reportCallIssue]  # only Input is a source

    def freeze(self, name: str | Layer) -> None:
        """Freeze all parameters up to a layer, and keep BatchNorm there in test mode.

        Both apply from now on, in a `Trainer` and in your own training loops.

        Args:
            name: Name of the last layer to freeze, such as ``"stage3"``, or the layer itself.

        Raises:
            ValueError: When the layer is not in the network, or the network is not built yet.

        Example:
            >>> from neuropil.layers import BatchNorm, Input, Linear
            >>> network = Input(2) >> Linear(4) >> BatchNorm() >> Linear(1)
            >>> network.freeze("batchnorm1")
            >>> network.batchnorm1.training, network.linear2.training
            (False, True)
        """
        self.require_built()
        for layer in self.upto(name):
            layer.requires_grad_(requires_grad=False)
            for part in layer.modules():
                if not part._modules:  # keep a mode that was set for a part of a block
                    part.train(part.training)  # BatchNorm checks whether it is frozen

    # Cutting

    def upto(self, *names: str | Layer) -> Network:
        """Return the part up to these layers, each an output; weights are shared.

        Args:
            *names: Layers' names, such as ``"convolution3"``, or the layers themselves; several
                give several outputs, as for a feature pyramid.

        Raises:
            ValueError: When a layer is not in the network, or none is given.
        """
        if not names:
            raise ValueError("upto takes the name of at least one layer, got none.")
        return self.part(graphs.upto(self.graph, *map(self.position, names)))

    def after(self, name: str | Layer) -> Network:
        """Return the part after a layer; weights are shared.

        Args:
            name: A layer's name, such as ``"convolution3"``, or the layer itself.

        Raises:
            ValueError: When the layer is not in the network or is the last, or the part would
                also take an output from before the cut.
        """
        return self.part(graphs.after(self.graph, self.position(name), self.node_names))

    def part(self, part: Graph) -> Network:
        """Return a network of some of the nodes, which keep their names."""
        layers = {name: one for name, one in self.layers.items() if id(one) in part.calls}
        return Network(part, names=layers)

    def position(self, name: str | Layer) -> int:
        """Return the position of a node, or of the first call of a layer.

        Args:
            name: The node's name, or its layer.

        Raises:
            ValueError: When it is not in this network.
        """
        names = self.node_names
        for place, node in enumerate(self.nodes):
            if node.layer is name or (isinstance(name, str) and names[place] == name):
                return place
        near = nearest(name, names) if isinstance(name, str) else ""
        raise ValueError(f"this network has no layer {shown(name)}.{near}")

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.layers.values())

    def __len__(self) -> int:
        return len(self.nodes)

    # Summary and files

    def summary(self, input_shape: Shape | None = None) -> Any:
        """Return a table of the layers: shapes, parameters, cost, receptive field, memory.

        The table is a `neuropil.analysis.Summary`.

        Args:
            input_shape: Lengths for the free axes of the input, if it has any.
        """
        return later("summary")(self, input_shape)

    def diagram(self, input_shape: Shape | None = None) -> Any:
        """Return a diagram of the layers and their connections, which a notebook shows.

        The diagram is a `neuropil.analysis.Diagram`; ``.save("network.svg")`` writes it.

        Args:
            input_shape: Lengths for the free axes of the input, if it has any.

        Example:
            >>> from neuropil.layers import Input, Relu
            >>> (Input(4) >> Relu(8)).diagram()
            <Diagram of 308 × 226 pixels, shown in a notebook>
        """
        return later("diagram")(self, input_shape)

    def save(self, folder: str | PathLike[str]) -> None:
        """Write ``network.json`` and ``weights.safetensors`` into a folder.

        Args:
            folder: Created if it does not exist. Files of an earlier network in it are replaced
                only once the new ones are complete.
        """
        later("save")(self, folder)

    @staticmethod
    def load(folder: str | PathLike[str]) -> Network:
        """Load a network written by `save`; nothing in the files is executed.

        Args:
            folder: Folder with ``network.json`` and ``weights.safetensors``.
        """
        return later("load")(folder)

    @staticmethod
    def parse(text: str) -> Network:
        """Read a network from an expression such as ``"Input(4) >> Relu(8) >> Softmax(3)"``.

        Args:
            text: Layers by their public names, joined by ``>>`` and ``|``, with `parallel` and
                `repeat`; the text is parsed, never evaluated.
        """
        return later("parse")(text)

    def _repr_html_(self) -> str:
        return self.summary()._repr_html_()

    @override
    def __repr__(self) -> str:
        return graph_text.expression(self.graph) or graph_text.listing(
            self.graph, self.node_names
        )

    @override
    def __getstate__(self) -> dict[str, Any]:
        _ = self.names  # only an initialised module is copied or pickled
        return super().__getstate__()
