"""Many names in little memory."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any, final, overload

import numpy as np
from typing_extensions import override


@final
class PackedNames(Sequence[str]):
    """A sequence of file names in two arrays.

    A list of strings would be copied into each worker process, since reading a string changes
    its reference count.

    Args:
        names: The names.

    Example:
        >>> names = PackedNames(["a.png", "b.png"])
        >>> names[1], len(names), list(names[:1])
        ('b.png', 2, ['a.png'])
    """

    def __init__(self, names: Iterable[str]) -> None:
        encoded = [os.fsencode(name) for name in names]
        self.text = np.frombuffer(b"".join(encoded), np.uint8)
        self.ends = np.cumsum([len(name) for name in encoded], dtype=np.int64)

    @override
    def __len__(self) -> int:
        return len(self.ends)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...
    @override
    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return self.take(np.arange(len(self))[index])
        place = range(len(self))[index]
        start = int(self.ends[place - 1]) if place else 0
        return os.fsdecode(self.text[start : self.ends[place]].tobytes())

    def take(self, places: np.ndarray[Any, Any]) -> PackedNames:
        """Return some of the names.

        Args:
            places: Their indices.
        """
        return PackedNames([self[int(place)] for place in places])
