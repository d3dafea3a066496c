"""The working memory of oneDNN's LSTM on a CPU, in addition to its outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Sequence

# Types for which an LSTM is one call of oneDNN; other types run step by step.
ONEDNN = (torch.float32, torch.bfloat16, torch.float16)
PAGE = 4096


class Layer(NamedTuple):
    """The weights of one direction of one recurrent layer."""

    input: Tensor
    state: Tensor
    input_bias: Tensor | None = None
    state_bias: Tensor | None = None
    projection: Tensor | None = None


class OneDNN(torch.autograd.Function):
    """Memory of oneDNN's LSTM in training: gates and states are kept in a workspace."""

    @staticmethod
    @override
    def forward(ctx: Any, x: Tensor, h: Tensor, c: Tensor, *layer: Tensor) -> Any:
        """Return the outputs and last states."""
        output = x.new_empty((*x.shape[:-1], h.shape[-1]))
        last = h.new_empty(h.shape), c.new_empty(c.shape)
        kept, passing = workspaces(x, h.shape[-1])
        ctx.passing = passing
        ctx.save_for_backward(x, h, c, *layer, output, *last, allocate(x, kept))
        allocate(x, passing)
        return output, *last

    @staticmethod
    @override
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        """Return one gradient for each input."""
        inputs = ctx.saved_tensors[:-4]
        made = tuple(tensor.new_empty(tensor.shape) for tensor in inputs)
        whole = [gradient.contiguous() for gradient in gradients]
        allocate(inputs[0], ctx.passing)
        del whole  # The copies live until this point.
        return made


def without_gradients(
    x: Tensor, states: tuple[Tensor, ...], layer: Layer
) -> tuple[Tensor, ...]:
    """Return outputs and last states of oneDNN's LSTM, and allocate its working memory.

    The working memory is a reordered copy of the weights (two copies without biases) and
    buffers for states and gates. The formula was fitted to measurements, as in `workspaces`.
    """
    steps, batch, columns = x.shape
    units, width = states[0].shape[-1], x.element_size()
    output = x.new_empty((steps, batch, units))
    last = tuple(state.new_empty(state.shape) for state in states)
    turned = (columns + units) * -(-units // 32) * 128 * width
    again = 2 * (steps + 1) * batch
    areas = [again * row_bytes(max(columns, units), width), again * units * width]
    # Gates are accumulated in single precision.
    areas += [batch * row_bytes(4 * units, 4), batch * row_bytes(units, width)]
    copies = turned * (1 if layer.input_bias is not None else 2) + 4 * units * width
    allocate(x, copies + PAGE + in_pages(areas))
    return output, *last


def allocate(x: Tensor, size: int) -> Tensor:
    """Return a tensor of a number of bytes, on the device of another tensor."""
    return x.new_empty(size, dtype=torch.uint8)


def workspaces(x: Tensor, units: int) -> tuple[int, int]:
    """Return the bytes that oneDNN keeps for a layer, and those it uses during each pass.

    It keeps gates and states, with room for their gradients. Each pass uses the gates once
    more and a reordered copy of the weights. The formula was fitted to the allocations
    measured for many sizes: rows are padded to 64 bytes, areas to pages.
    """
    steps, batch, columns = x.shape
    width = x.element_size()

    gates, own = row_bytes(4 * units, width), row_bytes(units, width)
    once, again, most = steps * batch, (steps + 1) * batch, max(columns, units)
    # Gradients are accumulated in single precision.
    rows = [row_bytes(most, width), *[row_bytes(most, 4)] * 2, own, row_bytes(units, 4)]
    kept = in_pages([once * gates, once * own, *(2 * again * each for each in rows)])
    return kept, (once + columns + units) * gates


def row_bytes(length: int, width: int) -> int:
    """Return the bytes of a row of `length` numbers of `width` bytes, as oneDNN pads it."""
    line = 64 // width
    padded = -(-length // line) * line
    return (padded + line * (padded % 256 == 0)) * width


def in_pages(areas: Sequence[int]) -> int:
    """Return the total bytes of areas that each start on a new page."""
    return sum(-(-area // PAGE) * PAGE for area in areas)
