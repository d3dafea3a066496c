"""The most memory that a network takes, in use and in training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

from neuropil.analysis.calls import calls_of, network_of
from neuropil.analysis.cost.activation_memory import float_dtype, integers_of
from neuropil.analysis.cost.costs import what_to_give
from neuropil.analysis.traced.runs.allocator import parts_of
from neuropil.analysis.traced.runs.example_inputs import Inputs, inputs_of
from neuropil.analysis.traced.runs.meta_copy import is_foreign, unwrap
from neuropil.analysis.traced.runs.module_run import (
    failure_message,
    first_line,
    peak_of,
    trace_inputs,
)
from neuropil.analysis.traced.runs.training_memory import step_of_training
from neuropil.checks import whole
from neuropil.core import Network, ShapeError

if TYPE_CHECKING:
    from torch import nn

    from neuropil.analysis.traced.runs.example_inputs import Example
    from neuropil.core.layer import Composable


@dataclass(frozen=True, slots=True)
class PeakMemory:
    """The most bytes that are allocated at once.

    Args:
        parameters: What parameters and buffers take; part of the others.
        inference: In a forward pass without gradients.
        training: In a forward and a backward pass: parameters, their gradients, what is kept
            for the backward pass and the gradients of that. The state of the training optimiser
            comes on top: none for gradient descent, the size of the parameters for momentum,
            twice that for Adam.
    """

    parameters: int
    inference: int
    training: int


def peak_memory(
    network: Composable | nn.Module, input_shape: Example | None = None, *, batch_size: int = 1
) -> PeakMemory:
    """Return the most memory that a network takes at once, so that one knows what fits.

    A twin without numbers is run forward and backward, and every tensor counted from when it is
    made to when it is freed, as an allocator does. Working memory that single operations take
    and give back, such as the workspaces of fast convolutions, is not seen; that of recurrent
    layers is counted as PyTorch takes it on a processor.

    Args:
        network: A network, a layer, or any PyTorch module; nothing in it is run or changed.
        input_shape: As in `cost`.
        batch_size: How many samples are run at once; example tensors have their own number.

    Raises:
        ShapeError: When a length is not known, or the network fails on what it is given, in
            test or in training mode.

    Example:
        >>> from torch import nn
        >>> peak = peak_memory(nn.Linear(1000, 10, bias=False), (1000,), batch_size=3)
        >>> peak.parameters, peak.inference  # 4·1000·10, and 4·3·(1000 + 10) on top
        (40000, 52120)
        >>> peak.training - 2 * peak.parameters  # the input, a sum and its gradient
        12008
    """
    whole(batch_size, "peak_memory: batch_size")
    module: nn.Module = unwrap(network) if is_foreign(network) else built(network)
    if isinstance(module, Network) and not holds_tensors(input_shape):
        inputs = inputs_of_network(module, input_shape)
    else:
        inputs = inputs_of(module, input_shape)
    if inputs.made:
        inputs = inputs.batch_of(batch_size)
    run = trace_inputs(module, inputs)
    tensors = [*module.parameters(), *module.buffers()]
    parameters = sum(part.nbytes for tensor in tensors for part in parts_of(tensor))
    try:
        most = step_of_training(module, run.inputs)
    except Exception as error:
        reason = f"in training mode, {first_line(error)}"
        raise ShapeError(failure_message(module, inputs, reason)) from error
    return PeakMemory(parameters, parameters + peak_of(run), parameters + most)


def built(network: Composable) -> Network:
    """Return what was composed as a network with parameters.

    Raises:
        ShapeError: When it does not know its input's shape yet.
    """
    network = network_of(network)
    network.require_built()
    return network


def holds_tensors(example: Example | None) -> bool:
    """Tell whether an example is made of tensors, which have their own number of samples."""
    return any(isinstance(leaf, Tensor) for leaf in tree_leaves(example))


def inputs_of_network(network: Network, input_shape: Example | None) -> Inputs:
    """Return one sample without numbers for each input of a network.

    Raises:
        ShapeError: When a length is not known.
    """
    calls = calls_of(network, input_shape)
    floats = float_dtype(calls)
    tensors = []
    for call in calls:
        if call.inputs:
            continue
        if None in (call.shape or (None,)):
            raise ShapeError(f"{call.name!r} has a free length: {what_to_give(calls)}.")
        dtype = integers_of(call) if call.kind == "int" else floats
        shape = (1, *(length or 1 for length in call.shape or ()))
        tensors.append(torch.empty(shape, dtype=dtype, device="meta"))
    return Inputs(tuple(tensors), {}, made=True)
