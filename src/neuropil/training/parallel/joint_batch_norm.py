"""Batch normalisation over the joint batch of several processes."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor, distributed, nn
from torch.autograd import Function
from torch.nn.modules.batchnorm import _BatchNorm  # pyright: ignore[reportPrivateUsage]  # the only name of all of them
from typing_extensions import override

from neuropil.layers import BatchNorm

if TYPE_CHECKING:
    from collections.abc import Iterator


class Exchange(Protocol):
    """What batch normalisation asks of the processes: see `Processes`."""

    idle: bool
    apart: bool


@contextmanager
def join_batch_norms(network: nn.Module, processes: Exchange) -> Iterator[None]:
    """Make the batch normalisation layers use the joint batch of all processes.

    Mean and variance are then those of the batch that the processes share, as if one process
    had all of it. Torch's ``SyncBatchNorm`` works on accelerators only.

    Args:
        network: The network, whose layers are changed inside the context.
        processes: The processes.
    """
    layers = [module for module in network.modules() if normalises_batches(module)]
    before = [vars(layer).get("forward") for layer in layers]
    for layer in layers:
        vars(layer)["forward"] = partial(joint_batch_norm, layer, processes)
    try:
        yield
    finally:
        for layer, own in zip(layers, before, strict=True):
            if own is None:
                vars(layer).pop("forward", None)
            else:
                vars(layer)["forward"] = own


def normalises_batches(module: nn.Module) -> bool:
    """Return whether a module is a batch normalisation layer, of torch or our own."""
    if isinstance(module, nn.SyncBatchNorm):
        return False
    return isinstance(module, _BatchNorm | BatchNorm)


def joint_batch_norm(layer: Any, processes: Exchange, x: Tensor) -> Tensor:
    """Return the output of a batch normalisation layer for this process's part of a batch.

    y = γ (x − μ) / √(σ² + ε) + β with μ and σ² of the joint batch while training.

    Args:
        layer: The layer.
        processes: The processes.
        x: This process's part of the batch.
    """
    if processes.apart or not (layer.training or layer.running_mean is None):
        return type(layer).forward(layer, x)
    axes = [axis for axis in range(x.dim()) if axis != 1]
    aligned = (1, -1) + (1,) * (x.dim() - 2)
    weight = 0.0 if processes.idle else 1.0
    own = weight * x.numel() / x.shape[1]
    count = SumOverProcesses.apply(x.new_tensor(own, dtype=torch.float64)).item()
    if count <= 1:
        return type(layer).forward(layer, x)  # which refuses it
    # Mean first, then squares of what is left: no digits are lost where the mean is large.
    mean = SumOverProcesses.apply(weight * x.sum(axes)) / count
    centred = x - mean.reshape(aligned)
    variance = SumOverProcesses.apply(weight * centred.square().sum(axes)) / count
    update_statistics(layer, mean.detach(), variance.detach() * (count / (count - 1)))
    y = centred * torch.rsqrt(variance + layer.eps).reshape(aligned)
    if layer.weight is not None:
        y = y * layer.weight.reshape(aligned) + layer.bias.reshape(aligned)
    return y.to(x.dtype)


@torch.no_grad()
def update_statistics(layer: Any, mean: Tensor, variance: Tensor) -> None:
    """Update the running statistics of a layer with those of a joint batch."""
    if layer.running_mean is None:
        return
    momentum = layer.momentum
    if layer.num_batches_tracked is not None:
        batches = layer.num_batches_tracked.add_(1)
        momentum = 1 / float(batches) if momentum is None else momentum
    layer.running_mean.lerp_(mean.to(layer.running_mean.dtype), momentum)
    layer.running_var.lerp_(variance.to(layer.running_var.dtype), momentum)


class SumOverProcesses(Function):
    """Sum a tensor over all processes; the gradient is the sum of theirs."""

    @staticmethod
    @override
    def forward(ctx: Any, value: Tensor) -> Tensor:
        total = value.detach().clone()
        distributed.all_reduce(total)
        return total

    @staticmethod
    @override
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        total = gradient.contiguous().clone()
        distributed.all_reduce(total)
        return total
