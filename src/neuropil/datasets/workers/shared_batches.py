"""Batches in shared memory, which is used again for the next batch."""

from __future__ import annotations

import errno
import io
import math
import os
import pickle
from typing import Any, NamedTuple, final

import torch
from torch import Tensor
from typing_extensions import override

from neuropil.datasets.data_errors import DataError

ALIGNED = 64
"""Tensors begin at multiples of this number of bytes."""


class Place(NamedTuple):
    """Where a tensor is in the shared memory."""

    start: int
    shape: tuple[int, ...]
    kind: torch.dtype


class Packed(NamedTuple):
    """A batch of which the tensors are in shared memory.

    Attributes:
        content: The pickled batch, with a `Place` for each tensor.
        memory: The shared memory, if it is new; None if it is that of the batch before.
    """

    content: bytes
    memory: Tensor | None


@final
class BatchWriter:
    """Puts batches into shared memory, one after the other in the same.

    New shared memory costs a page fault for each page, and a file descriptor that must be sent.

    Example:
        >>> writer, reader = BatchWriter(), BatchReader()
        >>> reader.read(writer.write([torch.ones(2), "text"]))
        [tensor([1., 1.]), 'text']
    """

    def __init__(self) -> None:
        self.memory = torch.empty(0, dtype=torch.uint8)

    def write(self, batch: Any) -> Packed:
        """Return a batch packed; that of the last call must have been read.

        Args:
            batch: Anything that can be pickled, with tensors anywhere in it.
        """
        file = io.BytesIO()
        packer = Packer(file, protocol=pickle.HIGHEST_PROTOCOL)
        packer.dump(batch)
        new = packer.end > len(self.memory)
        if new:
            self.memory = share(packer.end)
        for place, tensor in packer.tensors:
            view(self.memory, place).copy_(tensor.detach())
        return Packed(file.getvalue(), self.memory if new else None)


@final
class BatchReader:
    """Reads the batches of a `BatchWriter`.

    Args:
        pin: Whether to copy the tensors into page-locked memory.
    """

    def __init__(self, *, pin: bool = False) -> None:
        self.pin = pin
        self.memory = torch.empty(0, dtype=torch.uint8)

    def read(self, packed: Packed) -> Any:
        """Return a batch, copied out of the shared memory.

        Args:
            packed: The batch.
        """
        if packed.memory is not None:
            self.memory = packed.memory
        return Unpacker(io.BytesIO(packed.content), self.memory, pin=self.pin).load()


class Packer(pickle.Pickler):
    """Pickles a batch without its tensors.

    Attributes:
        tensors: Each tensor, with its place.
        end: Number of bytes that they take.
    """

    def __init__(self, file: io.BytesIO, protocol: int) -> None:
        super().__init__(file, protocol)
        self.tensors: list[tuple[Place, Tensor]] = []
        self.end = 0

    @override
    def persistent_id(self, obj: Any) -> Place | None:
        if type(obj) is not Tensor or obj.layout != torch.strided or obj.is_quantized:
            return None
        start = -(-self.end // ALIGNED) * ALIGNED
        place = Place(start, tuple(obj.shape), obj.dtype)
        self.tensors.append((place, obj))
        self.end = start + obj.numel() * obj.element_size()
        return place


class Unpacker(pickle.Unpickler):
    """Makes a batch of what a `Packer` wrote.

    Args:
        file: The pickled batch.
        memory: The shared memory.
        pin: Whether to copy the tensors into page-locked memory.
    """

    def __init__(self, file: io.BytesIO, memory: Tensor, *, pin: bool) -> None:
        super().__init__(file)
        self.memory = memory
        self.pin = pin

    @override
    def persistent_load(self, pid: Place) -> Tensor:
        copy = torch.empty(pid.shape, dtype=pid.kind, pin_memory=self.pin)
        return copy.copy_(view(self.memory, pid))


def share(size: int) -> Tensor:
    """Return new shared memory of some bytes.

    Raises:
        DataError: If there is not enough.
        RuntimeError: If it cannot be made for another reason.
    """
    try:
        return torch.empty(size, dtype=torch.uint8).share_memory_()
    except RuntimeError as error:
        if os.strerror(errno.ENOSPC) not in str(error):
            raise
        raise DataError(
            f"the shared memory of this machine (/dev/shm) has no room for a batch of "
            f"{size / 2**20:.1f} MiB: make it larger (docker run --shm-size), or use fewer "
            f"workers or smaller batches."
        ) from None


def view(memory: Tensor, place: Place) -> Tensor:
    """Return a tensor in the shared memory."""
    size = math.prod(place.shape) * place.kind.itemsize
    return memory[place.start : place.start + size].view(place.kind).view(place.shape)
