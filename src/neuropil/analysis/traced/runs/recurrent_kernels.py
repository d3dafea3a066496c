"""Recurrent layers with the allocations of the CPU kernels, which the meta device lacks."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode
from typing_extensions import override

from neuropil.analysis.traced.runs.onednn_lstm import ONEDNN, Layer, OneDNN, without_gradients

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class RecurrentKernels(TorchFunctionMode):
    """Mode in which recurrent layers on the meta device allocate like the CPU's kernels."""

    @override
    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        name = getattr(func, "__name__", "")
        cell = CELLS.get(name)
        if cell is not None and args[0].is_meta:
            return cell(*args)
        run = RUNS.get(name)
        if run is None or not is_plain(args):
            return func(*args, **(kwargs or {}))
        return run_layers(run, *args)


def is_plain(args: Any) -> bool:
    """Tell whether a call is on the meta device and without packed sequences."""
    return len(args) == 9 and isinstance(args[3], bool) and args[0].is_meta


class LayerOutput(NamedTuple):
    """The output of one direction of a layer.

    Args:
        output: Outputs of all steps.
        ends: Last states.
        steps: Outputs step by step, in memory until both directions are concatenated.
        gates: Gates of all steps, in memory until the other direction starts.
    """

    output: Tensor
    ends: tuple[Tensor, ...]
    steps: Sequence[Tensor] = ()
    gates: Tensor | None = None


def run_layers(
    run: Callable[[Tensor, tuple[Tensor, ...], Layer], LayerOutput],
    x: Tensor,
    states: Any,
    weights: Sequence[Tensor],
    bias: bool,  # noqa: FBT001 - the signature of the function that it replaces
    layers: int,
    dropout: float,
    train: bool,  # noqa: FBT001
    bidirectional: bool,  # noqa: FBT001
    batch_first: bool,  # noqa: FBT001
) -> tuple[Tensor, ...]:
    """Return the outputs of a stack of layers, and their last states."""
    states = (states,) if isinstance(states, Tensor) else states
    x = x.transpose(0, 1) if batch_first else x
    # OneDNN makes a contiguous copy of the input and holds it until its last layer.
    x = first = x.contiguous() if run is lstm else x
    directions = 1 + bidirectional
    every = layers_of(weights, layers * directions, bias=bias)
    ends: list[tuple[Tensor, ...]] = []
    # A layer's outputs stay in memory until those of the next layer replace them.
    given: list[LayerOutput | None] = [None] * directions
    for number in range(layers):
        for turn in range(directions):
            given = [each and each._replace(gates=None) for each in given]
            place = number * directions + turn
            made = run(x, tuple(state[place] for state in states), every[place])
            given[turn] = made
            ends.append(made.ends)
            del made
        x = concatenate([each.output for each in given if each])
        given = [each if each and not each.steps else None for each in given]
        if dropout and train and number < layers - 1:
            x = F.dropout(x, dropout)
    del first
    last = tuple(torch.stack(parts) for parts in zip(*ends, strict=True))
    return x.transpose(0, 1) if batch_first else x, *last


def concatenate(outputs: Sequence[Tensor]) -> Tensor:
    """Return the outputs of all directions, concatenated."""
    return outputs[0] if len(outputs) == 1 else torch.cat([*outputs], -1)


def layers_of(weights: Sequence[Tensor], count: int, *, bias: bool) -> list[Layer]:
    """Return the weights of each layer and direction."""
    each = len(weights) // count
    projected = each > (4 if bias else 2)
    layers: list[Layer] = []
    for start in range(0, each * count, each):
        own = [*weights[start : start + each]]
        projection = own.pop() if projected else None
        weight, into, *biases = own
        input_bias, state_bias = biases or (None, None)
        layers.append(Layer(weight, into, input_bias, state_bias, projection))
    return layers


def lstm(x: Tensor, states: tuple[Tensor, ...], layer: Layer) -> LayerOutput:
    """Return the output of an LSTM: one call of oneDNN for the types it supports."""
    if x.dtype not in ONEDNN or layer.projection is not None:
        return run_steps(lstm_step, x, states, layer)
    tensors = [x, *states, *(weight for weight in layer if weight is not None)]
    if torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors):
        output, *ends = OneDNN.apply(*tensors)
    else:
        output, *ends = without_gradients(x, states, layer)
    return LayerOutput(output, tuple(ends))


def run_steps(step: Step, x: Tensor, states: tuple[Tensor, ...], layer: Layer) -> LayerOutput:
    """Return the output of a layer that multiplies all inputs at once, then runs by steps."""
    outputs: list[Tensor] = []
    all_gates = F.linear(x, layer.input, layer.input_bias)
    for gates in all_gates.unbind(0):
        states = step(gates, lambda h: F.linear(h, layer.state, layer.state_bias), *states)
        if layer.projection is not None:
            states = F.linear(states[0], layer.projection), *states[1:]
        outputs.append(states[0])
    return LayerOutput(torch.stack(outputs), states, outputs, all_gates)


def lstm_step(gates: Tensor, into: Any, h: Tensor, c: Tensor) -> tuple[Tensor, ...]:
    """Return the states of an LSTM after one step."""
    return through_gates(into(h).add_(gates), c)


def through_gates(gates: Tensor, c: Tensor) -> tuple[Tensor, ...]:
    """Return the states of an LSTM from its gates before the activation functions."""
    # c' = f ⊙ c + i ⊙ g, h' = o ⊙ tanh(c')
    gate, forget, cell, out = gates.unsafe_chunk(4, 1)
    gate, forget, cell, out = gate.sigmoid_(), forget.sigmoid_(), cell.tanh_(), out.sigmoid_()
    c = (forget * c).add_(gate * cell)
    return out * c.tanh(), c


def tanh_step(gates: Tensor, into: Any, h: Tensor) -> tuple[Tensor, ...]:
    """Return the state of an Elman network after one step."""
    return (into(h).add_(gates).tanh(),)


def relu_step(gates: Tensor, into: Any, h: Tensor) -> tuple[Tensor, ...]:
    """Return the state of an Elman network with ReLU after one step."""
    return (into(h).add_(gates).relu(),)


def gru_step(gates: Tensor, into: Any, h: Tensor) -> tuple[Tensor, ...]:
    """Return the state of a GRU after one step."""
    # n = tanh(W_n·x + r ⊙ (U_n·h)), h' = (1 − z) ⊙ n + z ⊙ h = (h − n) ⊙ z + n
    reset_in, update_in, new_in = gates.unsafe_chunk(3, 1)
    reset, update, new = into(h).unsafe_chunk(3, 1)
    reset, update = reset.add_(reset_in).sigmoid_(), update.add_(update_in).sigmoid_()
    new = new_in.add(new.mul_(reset)).tanh_()
    return ((h - new).mul_(update).add_(new),)


def lstm_cell(x: Tensor, states: Any, weight: Tensor, into: Tensor, *biases: Any) -> Any:
    """Return the states of a single step of an LSTM."""
    input_bias, state_bias = biases or (None, None)
    h, c = states
    gates = F.linear(h, into, state_bias).add_(F.linear(x, weight, input_bias))
    return through_gates(gates, c)


def cell(step: Step) -> Callable[..., Any]:
    """Return a function that runs a single step, with the signature of PyTorch's own."""

    def run(x: Tensor, state: Tensor, weight: Tensor, into: Tensor, *biases: Any) -> Tensor:
        input_bias, state_bias = biases or (None, None)
        gates = F.linear(x, weight, input_bias)
        (last,) = step(gates, lambda h: F.linear(h, into, state_bias), state)
        return last

    return run


# Maps the input's gates, the state's multiplication and the previous states to the next states.
Step: TypeAlias = "Callable[..., tuple[Tensor, ...]]"

RUNS = {
    "lstm": lstm,
    "gru": functools.partial(run_steps, gru_step),
    "rnn_tanh": functools.partial(run_steps, tanh_step),
    "rnn_relu": functools.partial(run_steps, relu_step),
}
CELLS = {
    "lstm_cell": lstm_cell,
    "gru_cell": cell(gru_step),
    "rnn_tanh_cell": cell(tanh_step),
    "rnn_relu_cell": cell(relu_step),
}
