"""Prediction on raw inputs, in batches, in test mode and without gradients."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from neuropil.checks import shown, whole
from neuropil.core.shape import Shape, format_shape

# Alignment of torch's memory in bytes.
ALIGNMENT = 64


def in_order(inputs: Any, names: Sequence[str]) -> Any:
    """Return the inputs of a network in order: one value, or a tuple of them.

    Args:
        inputs: One value, several in order, or a dict by the inputs' names.
        names: The inputs' names, in order.

    Raises:
        ValueError: When a name is missing or unknown.
    """
    if isinstance(inputs, Mapping):
        if {*names} != {*inputs}:
            raise ValueError(
                f"the network's inputs are named {', '.join(names)}, got "
                f"{', '.join(map(shown, inputs)) or 'none'}."
            )
        inputs = [inputs[name] for name in names]
        return inputs[0] if len(names) == 1 else tuple(inputs)
    return tuple(inputs) if isinstance(inputs, list) and len(names) > 1 else inputs


def predict(network: nn.Module, inputs: Any, shapes: tuple[Shape, ...], batch_size: int) -> Any:
    """Return a network's outputs for arrays or tensors, in the type of the inputs.

    Args:
        network: The network to run.
        inputs: One value, or a tuple with one for each input.
        shapes: The shape of one sample of each input.
        batch_size: How many samples run at once.
    """
    whole(batch_size, "batch_size")
    several = isinstance(inputs, tuple) and len(shapes) > 1
    given: Sequence[Any] = inputs if several else (inputs,)
    tensors = [as_tensor(value) for value in given]
    check(tensors, shapes)
    device = next((p.device for p in network.parameters()), torch.device("cpu"))
    with in_test_mode(network), torch.inference_mode():
        parts = [
            network(
                *(align(tensor[start : start + batch_size].to(device)) for tensor in tensors)
            )
            for start in range(0, max(len(tensors[0]), 1), batch_size)
        ]
        if isinstance(parts[0], tuple):
            joined = tuple(torch.cat(part) for part in zip(*parts, strict=True))
        else:
            joined = torch.cat(parts)
    if isinstance(given[0], Tensor):
        return joined
    if isinstance(joined, tuple):
        return tuple(part.cpu().numpy() for part in joined)
    return joined.cpu().numpy()


def as_tensor(value: Any) -> Tensor:
    """Return an array, tensor or nested sequence as a tensor, copied only if necessary.

    Raises:
        TypeError: When it does not hold numbers.
    """
    if isinstance(value, Tensor):
        return value
    array = np.ascontiguousarray(value)
    if array.dtype.kind not in "biufc":
        raise TypeError(f"a network takes numbers in an array or a tensor, got {shown(value)}.")
    return torch.from_numpy(array if array.flags.writeable else array.copy())


def align(tensor: Tensor) -> Tensor:
    """Return a tensor aligned like torch's own memory: itself, or else a copy.

    Args:
        tensor: Any tensor. Empty tensors and those on accelerators are returned unchanged.
    """
    if tensor.device.type != "cpu" or tensor.layout != torch.strided:
        return tensor
    return tensor.clone() if tensor.data_ptr() % ALIGNMENT else tensor


def check(tensors: Sequence[Tensor], shapes: tuple[Shape, ...]) -> None:
    """Raise a clear error for inputs that do not fit, before PyTorch does.

    Raises:
        ValueError: When the number, the shapes or the lengths of the inputs do not match.
    """
    if shapes and len(tensors) != len(shapes):
        raise ValueError(f"the network takes {len(shapes)} inputs, got {len(tensors)}.")
    for tensor, shape in zip(tensors, shapes, strict=False):
        if not fits(tuple(tensor.shape[1:]), shape):
            hint = " (the first axis is the batch)" if fits(tuple(tensor.shape), shape) else ""
            raise ValueError(
                f"the network takes inputs of shape (N, {format_shape(shape)[1:-1]}), got "
                f"{format_shape(tuple(tensor.shape))}{hint}."
            )
    if len({len(tensor) for tensor in tensors}) > 1:
        raise ValueError(
            f"the inputs hold {' and '.join(str(len(t)) for t in tensors)} samples: they must "
            f"hold the same number."
        )


def fits(shape: Shape, declared: Shape) -> bool:
    """Return whether a shape matches a declared one, where ``None`` allows any length."""
    return len(shape) == len(declared) and all(
        want is None or have == want for have, want in zip(shape, declared, strict=True)
    )


@contextlib.contextmanager
def in_mode(module: nn.Module, *, training: bool) -> Iterator[None]:
    """Run in one mode, then restore the mode of each module, since some may be frozen."""
    modes = [(part, part.training) for part in module.modules()]
    module.train(training)
    try:
        yield
    finally:
        for part, before in modes:
            part.training = before


def in_test_mode(module: nn.Module) -> contextlib.AbstractContextManager[None]:
    """Run in test mode, then restore the mode of each module."""
    return in_mode(module, training=False)
