"""A counting allocator: which storages are alive, and the most that ever were."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import Tensor


class Allocator:
    """Counts the bytes of storages from when they are first seen until they are freed.

    Storages have numbers in the order in which they were seen; views share one.

    Args:
        known: Tensors that are there anyway, such as parameters: not counted.

    Attributes:
        now: The bytes that are alive.
        most: The most that were alive at once.
        count: How many storages were seen.
        sizes: The bytes of each storage that was counted, by its number.
    """

    def __init__(self, known: Iterable[Tensor] = ()) -> None:
        self.now = self.most = 0
        self.sizes: dict[int, int] = {}
        self.alive: dict[int, tuple[int, weakref.ref[object]]] = {}
        self.count = 0
        # Storages that outlive the run: their identities stay theirs.
        self.known = [tensor.untyped_storage() for tensor in known]
        self.ids = {id(storage): -1 - i for i, storage in enumerate(self.known)}

    def number(self, tensor: Tensor) -> int:
        """Return the number of a tensor's storage; negative where it is one of those known."""
        storage = tensor.untyped_storage()
        number = self.ids.get(id(storage))
        if number is None:
            number = self.count
            self.count = number + 1
            self.sizes[number] = size = storage.nbytes()
            self.now += size
            self.most = max(self.most, self.now)
            place = id(storage)
            self.ids[place] = number
            self.alive[number] = place, weakref.ref(storage, lambda _: self.free(number))
        return number

    def free(self, number: int) -> None:
        """Take a storage off the count."""
        place, _ = self.alive.pop(number)
        del self.ids[place]
        self.now -= self.sizes[number]
