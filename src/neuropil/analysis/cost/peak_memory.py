"""Peak memory of a network in inference and in training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from neuropil.analysis.calls import built_network, calls_of
from neuropil.analysis.cost.activation_memory import float_dtype, integers_of
from neuropil.analysis.cost.costs import sample_shape
from neuropil.analysis.traced.runs.allocator import parts_of
from neuropil.analysis.traced.runs.example_inputs import Inputs, inputs_of, tensors_in
from neuropil.analysis.traced.runs.meta_copy import is_foreign, unwrap
from neuropil.analysis.traced.runs.module_run import (
    failure_message,
    first_line,
    peak_of,
    trace_inputs,
)
from neuropil.analysis.traced.runs.training_memory import peak_of_training_step
from neuropil.checks import whole
from neuropil.core import Network, ShapeError

if TYPE_CHECKING:
    from torch import nn

    from neuropil.analysis.traced.runs.example_inputs import Example
    from neuropil.core.layer import Composable


@dataclass(frozen=True, slots=True)
class PeakMemory:
    """Peak memory of a network in bytes.

    Args:
        parameters: Memory of parameters and buffers, which the other figures include.
        inference: Peak of a forward pass without gradients.
        training: Peak of a forward and a backward pass: parameters, their gradients, tensors
            kept for the backward pass, and the gradients of those. The optimiser's state is
            not included: none for gradient descent, the size of the parameters for momentum,
            twice that for Adam.
    """

    parameters: int
    inference: int
    training: int


def peak_memory(
    network: Composable | nn.Module, input_shape: Example | None = None, *, batch_size: int = 1
) -> PeakMemory:
    """Return the peak memory of a network, in inference and in training.

    A copy on the meta device is run forward and backward, and every tensor is counted from
    when it is allocated to when it is freed. Working memory of single operations, such as the
    workspaces of fast convolutions, is not seen; that of recurrent layers is counted as PyTorch
    allocates it on a CPU.

    Args:
        network: A network, a layer, or any PyTorch module. Nothing in it is run or changed.
        input_shape: As in `cost`.
        batch_size: Number of samples in the batch. Example tensors keep their own batch size.

    Raises:
        ShapeError: When a length is not known, or the network fails on the given input, in
            evaluation or in training mode.

    Example:
        >>> from torch import nn
        >>> peak = peak_memory(nn.Linear(1000, 10, bias=False), (1000,), batch_size=3)
        >>> peak.parameters, peak.inference  # 4·1000·10, and 4·3·(1000 + 10) on top
        (40000, 52120)
        >>> peak.training - 2 * peak.parameters  # the input, a sum and its gradient
        12008
    """
    whole(batch_size, "peak_memory: batch_size")
    module: nn.Module = unwrap(network) if is_foreign(network) else built_network(network)
    # Example tensors have their own batch size.
    if isinstance(module, Network) and not tensors_in(input_shape):
        inputs = inputs_of_network(module, input_shape)
    else:
        inputs = inputs_of(module, input_shape)
    if inputs.made:
        inputs = inputs.batch_of(batch_size)
    run = trace_inputs(module, inputs)
    tensors = [*module.parameters(), *module.buffers()]
    parameters = sum(part.nbytes for tensor in tensors for part in parts_of(tensor))
    try:
        most = peak_of_training_step(module, run.inputs)
    except Exception as error:
        reason = f"in training mode, {first_line(error)}"
        raise ShapeError(failure_message(module, inputs, reason)) from error
    return PeakMemory(parameters, parameters + peak_of(run), parameters + most)


def inputs_of_network(network: Network, input_shape: Example | None) -> Inputs:
    """Return one sample on the meta device for each input of a network.

    Raises:
        ShapeError: When a length is not known.
    """
    calls = calls_of(network, input_shape)
    floats = float_dtype(calls)
    tensors = []
    for call in calls:
        if call.inputs:
            continue
        dtype = integers_of(call) if call.kind == "int" else floats
        tensors.append(torch.empty(sample_shape(call, calls), dtype=dtype, device="meta"))
    return Inputs(tuple(tensors), {}, made=True)
