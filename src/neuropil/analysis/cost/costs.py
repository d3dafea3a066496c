"""What a network costs to run: multiply–adds and the memory of its activations."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from typing_extensions import override

from neuropil.analysis.calls import Call, calls_of, is_known, network_of
from neuropil.analysis.cost.activation_memory import activation_memory
from neuropil.analysis.traced.call_report import Report, report
from neuropil.analysis.traced.runs.meta_copy import is_foreign
from neuropil.analysis.traced.runs.module_run import trace
from neuropil.core import ShapeError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import nn

    from neuropil.analysis.cost.activation_memory import Memory
    from neuropil.analysis.traced.runs.example_inputs import Example
    from neuropil.core.layer import Composable


@dataclass(frozen=True, slots=True)
class LayerCost:
    """What one call of a layer costs for one sample.

    Args:
        name: The layer's name in the network.
        multiply_adds: Multiplications followed by an addition.
        output_bytes: What its output takes; 0 where that is its input in another shape.
        training_bytes: What it adds to what the backward pass needs; ``None`` where that is
            not known.
    """

    name: str
    multiply_adds: int
    output_bytes: int
    training_bytes: int | None


class CostMemory(NamedTuple):
    """The memory of a network and of its layers, as `Cost` has it."""

    inference_bytes: int
    training_bytes: int | None
    layers: tuple[LayerCost, ...]


class Cost:
    """What a network costs for one sample; a batch of N takes N times the multiply–adds.

    Memory takes longer to find than multiply–adds, so it is worked out when it is first asked
    for.

    Args:
        multiply_adds: Multiplications followed by an addition (MACs); FLOPs are twice that.
        memory: Works out the rest.
    """

    def __init__(self, multiply_adds: int, memory: Callable[[], CostMemory]) -> None:
        self.multiply_adds = multiply_adds
        self.work_out = memory

    @functools.cached_property
    def memory(self) -> CostMemory:
        """All figures but the multiply–adds."""
        return self.work_out()

    @property
    def inference_bytes(self) -> int:
        """The most that activations take at once in a forward pass without gradients.

        Each is freed after its last use.
        """
        return self.memory.inference_bytes

    @property
    def training_bytes(self) -> int | None:
        """Bytes of the activations that a forward pass keeps for its backward pass.

        ``None`` for a module that fails in training mode.
        """
        return self.memory.training_bytes

    @property
    def layers(self) -> tuple[LayerCost, ...]:
        """The same by layer, in network order; a shared layer is listed for each call."""
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
        # A copy needs the figures, and neither the network nor how to work them out.
        return {"multiply_adds": self.multiply_adds, "memory": self.memory}

    @override
    def __repr__(self) -> str:
        return (
            f"Cost(multiply_adds={self.multiply_adds}, {str(self.memory)[len('CostMemory(') :]}"
        )


def cost(network: Composable | nn.Module, input_shape: Example | None = None) -> Cost:
    """Return the multiply–adds and the activation memory of a network, per layer and in all.

    A convolution takes F·F·(C/groups) multiply–adds for each number of its output, a layer with
    units N_in; pooling, enlarging, activations, normalisation and additions of the bias count
    as none. A layer that is called several times costs each time. A product of two complex
    numbers counts as four of real ones.

    Memory for inference is the peak of the tensors that are alive while the layers run in their
    order. The network's inputs are held by the caller throughout, and a block's until it
    returns; ReLU writes over the output of a convolution that nobody else takes. Memory for
    training is the sum of what PyTorch saves for the backward pass: the inputs of convolutions
    and of layers with units, the outputs of ReLU, the places of the maxima in pooling, the
    statistics of batch normalisation, and so on, found by running one replica of each kind of
    layer on the meta device. Both are for one sample, in the network's floating type;
    parameters, their gradients, the optimiser's state and the workspace of single operations,
    such as fast convolutions, come on top.

    Of any other PyTorch module a replica without numbers is run, and every operation counted:
    products of matrices, convolutions, attention, recurrent layers, wherever they are called.
    What a module does itself, between its parts, stands under its own name. The figures are
    those of the input that is given, its batch included. A module that cannot run without
    numbers is run for real, as a copy. What multiplies and has no formula here, such as Fourier
    transforms and solvers, is named in the notes of `summary`.

    Args:
        network: A network, a layer, or any PyTorch module; nothing in it is run or changed.
        input_shape: Lengths for the free axes of the input, such as ``(3, 224, 224)``, or the
            shape of what an open network will be joined to; one for each of several inputs.
            For a module, what it takes: a shape without the batch, a tensor, several of these
            in a tuple, or tensors by name in a dictionary.

    Raises:
        ShapeError: When a length is not known that the cost depends on, or a module fails on
            what it is given.

    Reference:
        Multiply–adds as published with ResNet and its kin (there "FLOPs"): He et al., "Deep
        residual learning for image recognition", 2016, table 1.

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
    """Return the memory of a network of which every length is known."""
    memory = cast("Memory", activation_memory(calls, results))
    layers = [
        LayerCost(call.name, *figures)
        for call, *figures in zip(calls, costs, memory.outputs, memory.kept, strict=True)
    ]
    return CostMemory(memory.inference, memory.training, tuple(layers))


def memory_of_module(known: Report) -> CostMemory:
    """Return the memory of a module, and what those of its parts cost that do anything."""
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


def missing_shape_hint(calls: Sequence[Call]) -> str:
    """Return how to tell the lengths that are missing."""
    shapes = [call.shape for call in calls if not call.inputs and call.shape is not None]
    if any(call.shape is None for call in calls) or not shapes:
        return "join the network to an Input(…), or give input_shape, such as (3, 224, 224)"
    # Any length will do as an example; this is the one that most published networks take.
    example = tuple(tuple(length or 224 for length in shape) for shape in shapes)
    return f"give input_shape, such as {example[0] if len(example) == 1 else example}"
