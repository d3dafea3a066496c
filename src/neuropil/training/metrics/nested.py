"""Tensors in nested lists, tuples and dicts."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def each(value: Any, function: Any) -> Any:
    """Apply a function to all tensors in nested lists, tuples and dicts."""
    if isinstance(value, Tensor):
        return function(value)
    if isinstance(value, dict):
        return {key: each(item, function) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(each(item, function) for item in value)
    return value


def size(value: Any) -> int:
    """Return the number of elements of a tensor or of nested tuples of tensors."""
    return value.numel() if isinstance(value, Tensor) else sum(map(size, value))


def shapes(value: Any) -> Any:
    """Return the shapes of tensors without their batch axes, and their types."""
    if isinstance(value, Tensor):
        return value.shape[1:], value.dtype
    return tuple(map(shapes, value)) if isinstance(value, list | tuple) else None


def concatenate(values: list[Any]) -> Any:
    """Concatenate tensors, or tuples of tensors, along the batch axis."""
    if isinstance(values[0], Tensor):
        return torch.cat(values)
    if isinstance(values[0], tuple):
        return tuple(concatenate(list(part)) for part in zip(*values, strict=True))
    return None
