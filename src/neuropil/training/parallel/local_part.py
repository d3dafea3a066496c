"""This process's part of sharded tensors; FSDP is imported only by those who shard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor


def is_sharded(value: Any) -> bool:
    """Return whether a value is a ``DTensor``, a tensor sharded over processes."""
    return hasattr(value, "full_tensor")


def local_part(value: Tensor) -> Tensor:
    """Return this process's part of a tensor; it shares the memory."""
    sharded: Any = value
    return sharded.to_local() if is_sharded(value) else value


def part_of(value: Tensor, like: Tensor) -> Tensor:
    """Return the part of a tensor, whole or sharded, that this process has of another."""
    if is_sharded(like) and not is_sharded(value):
        from neuropil.training.parallel.sharded_network import distribute

        sharded: Any = like
        value = distribute(value.to(like.device), sharded.device_mesh)
    return local_part(value)
