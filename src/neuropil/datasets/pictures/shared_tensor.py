"""Tensors for batches, in shared memory in a worker process."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.utils.data import get_worker_info

from neuropil.core.free_memory import require_memory


def new_tensor(shape: tuple[int, ...], kind: torch.dtype, *, zeros: bool) -> Tensor:
    """Return a new tensor for a batch.

    In a worker of torch's ``DataLoader`` it is in shared memory, so that it need not be copied
    there to be sent to the main process.

    Args:
        shape: Its shape.
        kind: Type of its elements.
        zeros: Whether it must hold zeros; otherwise it may hold anything.

    Raises:
        MemoryError: If it does not fit in the free memory.
    """
    size = math.prod(shape) * kind.itemsize
    require_memory(size, "a batch of pictures")
    if get_worker_info() is None or not size:
        return torch.zeros(shape, dtype=kind) if zeros else torch.empty(shape, dtype=kind)
    # As torch's own collate function does; new shared memory holds zeros.
    storage = torch.UntypedStorage._new_shared(size)  # pyright: ignore[reportPrivateUsage]
    return torch.empty(0, dtype=kind).set_(storage).view(shape)
