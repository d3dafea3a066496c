"""A counting allocator: which storages are alive, and the peak of their bytes."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Iterable


class Allocator:
    """Counts the bytes of storages from when they are first seen until they are freed.

    Storages are numbered in the order in which they are first seen; views share a storage.

    Args:
        known: Tensors that exist before the run, such as parameters. They are not counted.

    Attributes:
        now: Bytes currently alive.
        most: Peak of `now`.
        count: Number of storages seen.
        sizes: Bytes of each counted storage, by its number.
    """

    def __init__(self, known: Iterable[Tensor] = ()) -> None:
        self.now = self.most = 0
        self.sizes: dict[int, int] = {}
        self.alive: dict[int, tuple[int, weakref.ref[object]]] = {}
        self.count = 0
        # Keep these storages alive so that their ids cannot be reused during the run.
        self.known = [holder(tensor) for tensor in known]
        self.ids = {id(storage): -1 - i for i, storage in enumerate(self.known)}

    def number(self, tensor: Tensor) -> int:
        """Return the number of a tensor's storage, negative for the known tensors."""
        storage = holder(tensor)
        number = self.ids.get(id(storage))
        if number is None:
            number = self.count
            self.count = number + 1
            self.sizes[number] = size = bytes_of(storage)
            self.now += size
            self.most = max(self.most, self.now)
            place = id(storage)
            self.ids[place] = number
            self.alive[number] = place, weakref.ref(storage, lambda _: self.free(number))
        return number

    def free(self, number: int) -> None:
        """Remove a freed storage from the count."""
        place, _ = self.alive.pop(number)
        del self.ids[place]
        self.now -= self.sizes[number]


def holder(tensor: Tensor) -> Any:
    """Return the tensor's storage, or the tensor itself when it is sparse."""
    try:
        return tensor.untyped_storage()
    except (NotImplementedError, RuntimeError):
        return tensor


def bytes_of(held: Any) -> int:
    """Return the bytes of a storage, or of the dense parts of a sparse tensor."""
    if isinstance(held, Tensor):
        return sum(part.nbytes for part in parts_of(held))
    return held.nbytes()


def parts_of(tensor: Tensor) -> list[Tensor]:
    """Return the dense tensors that make up a tensor."""
    names = PARTS.get(tensor.layout)
    return [tensor] if names is None else [getattr(tensor, name)() for name in names]


def shape_of(tensor: Tensor) -> tuple[int, ...]:
    """Return a tensor's shape; for a nested tensor, the largest length on each axis."""
    try:
        return tuple(tensor.shape)
    except RuntimeError:
        parts = [tuple(part.shape) for part in tensor.unbind()]
        return (len(parts), *map(max, zip(*parts, strict=True)))


COMPRESSED_ROWS = ("crow_indices", "col_indices", "values")
COMPRESSED_COLUMNS = ("ccol_indices", "row_indices", "values")
PARTS = {
    torch.sparse_coo: ("_indices", "_values"),
    torch.sparse_csr: COMPRESSED_ROWS,
    torch.sparse_bsr: COMPRESSED_ROWS,
    torch.sparse_csc: COMPRESSED_COLUMNS,
    torch.sparse_bsc: COMPRESSED_COLUMNS,
}
