"""Recurrent layers as a processor runs them: PyTorch goes another way without numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# Types whose LSTM is one call of oneDNN; others are run step by step.
ONEDNN = (torch.float32, torch.bfloat16, torch.float16)
PAGE = 4096


class Layer(NamedTuple):
    """The weights of one direction of one recurrent layer."""

    input: Tensor
    state: Tensor
    input_bias: Tensor | None = None
    state_bias: Tensor | None = None


class RecurrentKernels(TorchFunctionMode):
    """Meanwhile, recurrent layers without numbers allocate what those on a processor do."""

    @override
    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        run = RUNS.get(getattr(func, "__name__", ""))
        if run is None or not is_plain(args):
            return func(*args, **(kwargs or {}))
        return stacked(run, *args)


def is_plain(args: Any) -> bool:
    """Tell whether there are no numbers, no packed sequences and no projections."""
    if len(args) != 9 or not isinstance(args[3], bool) or not args[0].is_meta:
        return False
    _, _, weights, bias, layers, _, _, bidirectional, _ = args
    return len(weights) == (4 if bias else 2) * layers * (1 + bidirectional)


def stacked(
    run: Callable[..., tuple[Tensor, ...]],
    x: Tensor,
    states: Any,
    weights: Sequence[Tensor],
    bias: bool,  # noqa: FBT001 - the order of the function that it stands for
    layers: int,
    dropout: float,
    train: bool,  # noqa: FBT001
    bidirectional: bool,  # noqa: FBT001
    batch_first: bool,  # noqa: FBT001
) -> tuple[Tensor, ...]:
    """Return the outputs of layers upon layers, and their last states."""
    states = (states,) if isinstance(states, Tensor) else states
    x = x.transpose(0, 1) if batch_first else x
    each, directions = 4 if bias else 2, 1 + bidirectional
    ends: list[tuple[Tensor, ...]] = []
    for number in range(layers):
        outputs: list[Tensor] = []
        for place in range(number * directions, (number + 1) * directions):
            own = Layer(*weights[place * each : (place + 1) * each])
            output, *end = run(x, tuple(state[place] for state in states), own)
            outputs.append(output)
            ends.append(tuple(end))
        x = outputs[0] if len(outputs) == 1 else torch.cat(outputs, -1)
        if dropout and train and number < layers - 1:
            x = F.dropout(x, dropout)
    last = tuple(torch.stack(parts) for parts in zip(*ends, strict=True))
    return x.transpose(0, 1) if batch_first else x, *last


def lstm(x: Tensor, states: tuple[Tensor, ...], layer: Layer) -> tuple[Tensor, ...]:
    """Return an LSTM's outputs and last states: one call of oneDNN where it has the type."""
    if x.dtype not in ONEDNN:
        return stepped(lstm_step, x, states, layer)
    return OneDNN.apply(x.contiguous(), *states, *layer)


def gru(x: Tensor, states: tuple[Tensor, ...], layer: Layer) -> tuple[Tensor, ...]:
    """Return a GRU's outputs and last state."""
    return stepped(gru_step, x, states, layer)


def rnn_tanh(x: Tensor, states: tuple[Tensor, ...], layer: Layer) -> tuple[Tensor, ...]:
    """Return the outputs and last state of an Elman network."""
    return stepped(lambda gates, into, h: (into(h).add_(gates).tanh(),), x, states, layer)


def rnn_relu(x: Tensor, states: tuple[Tensor, ...], layer: Layer) -> tuple[Tensor, ...]:
    """Return the outputs and last state of an Elman network with Relu."""
    return stepped(lambda gates, into, h: (into(h).add_(gates).relu(),), x, states, layer)


def stepped(
    step: Callable[..., tuple[Tensor, ...]],
    x: Tensor,
    states: tuple[Tensor, ...],
    layer: Layer,
) -> tuple[Tensor, ...]:
    """Return what a layer gives that multiplies all inputs at once, then goes by steps."""
    outputs: list[Tensor] = []
    for gates in F.linear(x, layer.input, layer.input_bias).unbind(0):
        states = step(gates, lambda h: F.linear(h, layer.state, layer.state_bias), *states)
        outputs.append(states[0])
    return torch.stack(outputs), *states


def lstm_step(gates: Tensor, into: Any, h: Tensor, c: Tensor) -> tuple[Tensor, ...]:
    """Return the states of an LSTM after one step."""
    gate, forget, cell, out = into(h).add_(gates).unsafe_chunk(4, 1)
    gate, forget, cell, out = gate.sigmoid_(), forget.sigmoid_(), cell.tanh_(), out.sigmoid_()
    c = (forget * c).add_(gate * cell)
    return out * c.tanh(), c


def gru_step(gates: Tensor, into: Any, h: Tensor) -> tuple[Tensor, ...]:
    """Return the state of a GRU after one step."""
    reset_in, update_in, new_in = gates.unsafe_chunk(3, 1)
    reset, update, new = into(h).unsafe_chunk(3, 1)
    reset, update = reset.add_(reset_in).sigmoid_(), update.add_(update_in).sigmoid_()
    new = new_in.add(new.mul_(reset)).tanh_()
    return ((h - new).mul_(update).add_(new),)


class OneDNN(torch.autograd.Function):
    """The memory of oneDNN's LSTM: it keeps its gates and states in a workspace of its own."""

    @staticmethod
    @override
    def forward(ctx: Any, x: Tensor, h: Tensor, c: Tensor, *layer: Tensor) -> Any:
        """Return the outputs and last states."""
        output = x.new_empty((*x.shape[:-1], h.shape[-1]))
        last = h.new_empty(h.shape), c.new_empty(c.shape)
        kept, passing = workspaces(x, h.shape[-1])
        ctx.passing = passing
        ctx.save_for_backward(x, h, c, *layer, output, *last, taken(x, kept))
        taken(x, passing)
        return output, *last

    @staticmethod
    @override
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        """Return as many gradients as there were inputs."""
        inputs = ctx.saved_tensors[:-4]
        made = tuple(tensor.new_empty(tensor.shape) for tensor in inputs)
        whole = [gradient.contiguous() for gradient in gradients]
        taken(inputs[0], ctx.passing)
        del whole  # until here
        return made


def taken(x: Tensor, size: int) -> Tensor:
    """Return so many bytes where a tensor is."""
    return x.new_empty(size, dtype=torch.uint8)


def workspaces(x: Tensor, units: int) -> tuple[int, int]:
    """Return the bytes that oneDNN keeps of a layer, and those it takes in each pass.

    It keeps gates and states, and has room for the gradients of those; in each pass it takes
    the gates once more and another order of the weights. Worked out from what it allocates for
    many sizes: rows are padded to 64 bytes, areas to pages.
    """
    steps, batch, columns = x.shape
    width = x.element_size()

    def row(length: int) -> int:
        line = 64 // width
        padded = -(-length // line) * line
        return (padded + line * (padded % 256 == 0)) * width

    gates, own, widest = row(4 * units), row(units), row(max(columns, units))
    once, again = steps * batch, (steps + 1) * batch
    areas = [once * gates, once * own, *[2 * again * widest] * 3, *[2 * again * own] * 2]
    kept = sum(-(-area // PAGE) * PAGE for area in areas)
    return kept, (once + columns + units) * gates


RUNS = {"lstm": lstm, "gru": gru, "rnn_tanh": rnn_tanh, "rnn_relu": rnn_relu}
