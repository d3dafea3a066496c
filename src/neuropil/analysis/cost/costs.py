"""The cost of running a network: multiply–adds and the memory of its activations."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from typing_extensions import override

from neuropil.analysis.calls import Call, calls_of, is_known, network_of
from neuropil.analysis.cost.activation_memory import activation_memory
from neuropil.analysis.quantities import memory_size, with_separators
from neuropil.analysis.traced.call_report import Report, report
from neuropil.analysis.traced.runs.meta_copy import is_foreign
from neuropil.analysis.traced.runs.module_run import trace
from neuropil.core import ShapeError
from neuropil.notebook_html import facts, notebook_page, table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import nn

    from neuropil.analysis.cost.activation_memory import Memory
    from neuropil.analysis.traced.runs.example_inputs import Example
    from neuropil.core.layer import Composable


@dataclass(frozen=True, slots=True)
class LayerCost:
    """Cost of one call of a layer for one sample.

    Args:
        name: The layer's name in the network.
        multiply_adds: Multiplications followed by an addition.
        output_bytes: Memory of the output; 0 where it is a view of the input.
        training_bytes: Memory kept for the layer's backward pass; ``None`` where it is not
            known.
    """

    name: str
    multiply_adds: int
    output_bytes: int
    training_bytes: int | None


class CostMemory(NamedTuple):
    """Memory of a network and of its layers, in the attributes of `Cost`."""

    inference_bytes: int
    training_bytes: int | None
    layers: tuple[LayerCost, ...]


class Cost:
    """Cost of a network for one sample; a batch of N takes N times the multiply–adds.

    Memory takes longer to compute than multiply–adds, so it is computed on first use.

    Args:
        multiply_adds: Multiplications followed by an addition (MACs); FLOPs are twice that.
        memory: Function that computes the memory.
    """

    def __init__(self, multiply_adds: int, memory: Callable[[], CostMemory]) -> None:
        self.multiply_adds = multiply_adds
        self.compute_memory = memory

    @functools.cached_property
    def memory(self) -> CostMemory:
        """All figures except the multiply–adds."""
        return self.compute_memory()

    @property
    def inference_bytes(self) -> int:
        """Peak memory of the activations in a forward pass without gradients.

        Each activation is freed after its last use.
        """
        return self.memory.inference_bytes

    @property
    def training_bytes(self) -> int | None:
        """Memory of the activations that a forward pass keeps for its backward pass.

        ``None`` for a module that fails in training mode.
        """
        return self.memory.training_bytes

    @property
    def layers(self) -> tuple[LayerCost, ...]:
        """Costs by layer, in network order; a shared layer is listed for each call."""
        return self.memory.layers

    @override
    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Cost):
            return NotImplemented
        return (self.multiply_adds, self.memory) == (other.multiply_adds, other.memory)

    @override
    def __hash__(self) -> int:
        return hash((self.multiply_adds, self.memory))

    @override
    def __getstate__(self) -> dict[str, Any]:
        # A pickled copy holds the figures, not the network that they are computed from.
        return {"multiply_adds": self.multiply_adds, "memory": self.memory}

    @override
    def __repr__(self) -> str:
        return (
            f"Cost(multiply_adds={self.multiply_adds}, {str(self.memory)[len('CostMemory(') :]}"
        )

    def _repr_html_(self) -> str:
        rows = [
            [
                layer.name,
                with_separators(layer.multiply_adds),
                memory_size(layer.output_bytes),
                memory_size(layer.training_bytes),
            ]
            for layer in self.layers
        ]
        totals = {
            "Mult–adds": with_separators(self.multiply_adds),
            "Memory for inference": memory_size(self.inference_bytes),
            "Memory for training": memory_size(self.training_bytes),
        }
        titles = ["Layer", "Mult–adds", "Output", "Kept for training"]
        known = ((title, text) for title, text in totals.items() if text)
        return notebook_page(table(titles, rows, titles[1:]), facts(known))


def cost(network: Composable | nn.Module, input_shape: Example | None = None) -> Cost:
    """Return the multiply–adds and the activation memory of a network, in total and per layer.

    A convolution takes F·F·(C/groups) multiply–adds for each element of its output, a layer
    with units N_in. Pooling, upsampling, activations, normalisation and the addition of biases
    count as none. A layer that is called several times counts each time. A product of two
    complex numbers counts as four real ones.

    The memory for inference is the peak of the tensors alive while the layers run in order. The
    caller holds the network's inputs throughout, and a block's inputs until the block returns;
    ReLU overwrites the output of a convolution that nothing else uses. The memory for training
    is the sum of the tensors that PyTorch saves for the backward pass: inputs of convolutions
    and of layers with units, outputs of ReLU, indices of the maxima in pooling, statistics of
    batch normalisation, and so on. They are found by running one copy of each kind of layer on
    the meta device. Both figures are for one sample, in the network's floating-point type.
    Parameters, their gradients, the optimiser's state and the working memory of single
    operations, such as fast convolutions, are not included.

    For any other PyTorch module, a copy runs on the meta device and every operation is counted:
    matrix products, convolutions, attention and recurrent layers, wherever they are called. A
    module's own operations, between its parts, are listed under its own name. The figures are
    those of the given input, batch included. A module that cannot run on the meta device is
    copied and run on real data. Operations that multiply and have no formula here, such as
    Fourier transforms and solvers, are named in the notes of `summary`.

    Args:
        network: A network, a layer, or any PyTorch module. Nothing in it is run or changed.
        input_shape: Lengths for the free axes of the input, such as ``(3, 224, 224)``, or the
            input shape of an open network; a sequence of shapes for several inputs. For a
            module, its input: a shape without the batch, a tensor, several of these in a
            tuple, or tensors by name in a dictionary.

    Raises:
        ShapeError: When the cost depends on a length that is not known, or a module fails on
            the given input.

    Reference:
        Multiply–adds as published for ResNet and later networks (there "FLOPs"): He et al.,
        "Deep residual learning for image recognition", 2016, table 1.

    Example:
        >>> from neuropil.layers import Convolution, Flatten, Input, Relu, Softmax
        >>> network = Input(1, 8, 8) >> Convolution(4, 3) >> Relu() >> Flatten() >> Softmax(10)
        >>> whole = cost(network)
        >>> whole.multiply_adds  # 3·3·1 · 4·6·6 + 4·6·6 · 10
        2736
        >>> whole.inference_bytes  # at Softmax: (8·8 + 4·6·6 + 10 + 10) numbers of 4 bytes
        912
        >>> from torch import nn
        >>> cost(nn.LSTM(32, 48, batch_first=True), (50, 32)).multiply_adds  # 50·4·48·(32 + 48)
        768000
    """
    if is_foreign(network):
        run = trace(network, input_shape)
        total = sum(call.multiply_adds for call in run.calls)
        return Cost(total, lambda: memory_of_module(report(run)))
    network = network_of(network)
    calls = calls_of(network, input_shape)
    if not all(map(is_known, calls)):
        raise ShapeError(f"the cost is not known: {missing_shape_hint(calls)}.")
    costs = [call.layer.multiply_adds(*(call.known_shapes or ())) for call in calls]
    results = network.graph.outputs
    return Cost(sum(costs), lambda: memory_of_calls(calls, costs, results))


def memory_of_calls(
    calls: Sequence[Call], costs: Sequence[int], results: Sequence[int]
) -> CostMemory:
    """Return the memory of a network in which every length is known."""
    memory = cast("Memory", activation_memory(calls, results))
    layers = [
        LayerCost(call.name, *figures)
        for call, *figures in zip(calls, costs, memory.outputs, memory.kept, strict=True)
    ]
    return CostMemory(memory.inference, memory.training, tuple(layers))


def memory_of_module(known: Report) -> CostMemory:
    """Return the memory of a module, and the costs of its parts that have any."""
    layers = [
        LayerCost(
            part.name,
            part.call.multiply_adds,
            0 if part.call.children else part.call.output_bytes,
            part.own_kept,
        )
        for part in known.parts
        if not part.call.children or part.call.multiply_adds or part.own_kept
    ]
    layers += [LayerCost(name, 0, 0, size) for name, size in known.only_in_training.items()]
    return CostMemory(known.trace.peak, known.training, tuple(layers))


def sample_shape(source: Call, calls: Sequence[Call]) -> tuple[int, ...]:
    """Return the shape of one sample of a network's input, with its batch axis.

    Raises:
        ShapeError: When a length is not known.
    """
    shape = [length for length in source.shape or (None,) if length is not None]
    if len(shape) < len(source.shape or (None,)):
        raise ShapeError(f"{source.name!r} has a free length: {missing_shape_hint(calls)}.")
    return 1, *shape


def missing_shape_hint(calls: Sequence[Call]) -> str:
    """Return an instruction for giving the missing lengths."""
    shapes = [call.shape for call in calls if not call.inputs and call.shape is not None]
    if any(call.shape is None for call in calls) or not shapes:
        return "start the network with an Input(…), or give input_shape, such as (3, 224, 224)"
    # Any length would do as an example; this is the one that most published networks take.
    example = tuple(tuple(length or 224 for length in shape) for shape in shapes)
    return f"give input_shape, such as {example[0] if len(example) == 1 else example}"
