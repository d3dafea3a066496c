"""The interface of batches, and batches of arrays in memory."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Any, Protocol, final

import numpy as np
import torch
from torch import Generator, Tensor
from typing_extensions import override

from neuropil.core.prediction import align
from neuropil.datasets.batch_places import bounds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from neuropil.training.loop.memory_examples import Arrays

# A batch, its number of examples in this process, and in all processes together.
Portion = tuple[Any, int, int]

# Examples are gathered for many batches at once, which are then views: far cheaper than
# gathering each batch. A chunk must fit in a cache, or its batches have left it before use.
CHUNK_BATCHES, CHUNK_BYTES = 64, 2**20
# A data set is moved to an accelerator as a whole if it fits in this fraction of free memory.
PART_OF_MEMORY = 0.25


class Batches(Protocol):
    """Source of the batches of a training."""

    @property
    def count(self) -> int | None:
        """Number of batches in an epoch, None if unknown."""
        ...

    def epoch(self, skip: int = 0) -> Iterator[Portion]:
        """Return the batches of one pass, without the first `skip`.

        The order of the pass is drawn by this call, not when the first batch is read.
        """
        ...

    def facts(self) -> dict[str, int | str | None]:
        """Return the facts that must not change when a training is resumed."""
        ...


@final
@dataclass(frozen=True)
class Placement:
    """Moves batches to the network's device and converts inputs to its type.

    Args:
        device: Device of the network.
        dtype: Type of the network's inputs; None does not convert them.
        rank: Rank of this process.
        processes: Number of processes; each takes its part of every batch.
    """

    device: torch.device
    dtype: torch.dtype | None
    rank: int = 0
    processes: int = 1

    def part(self, start: int, stop: int) -> tuple[int, int, int, int]:
        """Return the part of a batch for this process: bounds, own rows, rows of all processes.

        If there are too few examples, a process takes one example with weight 0, so that it
        still takes part in the exchange of gradients.
        """
        joint = stop - start
        first = start + joint * self.rank // self.processes
        last = start + joint * (self.rank + 1) // self.processes
        return (
            (first, last, last - first, joint) if first < last else (start, start + 1, 0, joint)
        )

    def move(self, value: Any) -> Any:
        """Move a tensor, an array, or lists and dicts of them to the device."""
        return map_arrays(value, self.move_array)

    def move_array(self, array: Tensor | NDArray[Any]) -> Tensor:
        """Move a tensor or an array to the device."""
        tensor = array if isinstance(array, Tensor) else torch.from_numpy(array)
        return align(tensor.to(self.device, non_blocking=True))

    def cast(self, inputs: Any) -> Any:
        """Convert inputs to the type of the network."""
        if isinstance(inputs, tuple):
            return tuple(self.cast(value) for value in inputs)
        return inputs.to(self.dtype) if self.casts(inputs) else inputs

    def casts(self, value: Any) -> bool:
        """Return whether `cast` converts this value."""
        if self.dtype is None or not isinstance(value, Tensor) or value.dtype == self.dtype:
            return False
        return value.dtype in {torch.uint8, torch.bool} or value.is_floating_point()


@final
@dataclass(eq=False)
class ArrayBatches(Batches):
    """Batches of arrays, in a new random order every epoch or in the order of the arrays.

    A single remaining example is added to the previous batch: batch normalisation cannot
    train on one example.

    Args:
        arrays: The examples.
        batch_size: Number of examples in a batch, over all processes.
        placement: Device and type of the batches.
        order: Generator that shuffles the examples; None keeps their order.
    """

    arrays: Arrays
    batch_size: int
    placement: Placement
    order: Generator | None = None

    def __post_init__(self) -> None:
        arrays, batch_size, device = self.arrays, self.batch_size, self.placement.device
        self.columns = tuple(place_column(column, device) for column in arrays.columns)
        self.bounds = bounds(len(arrays), batch_size)
        row_bytes = sum(c[:1].numel() * c.element_size() for c in self.columns)
        fitting = CHUNK_BYTES // max(1, row_bytes * batch_size)
        self.chunk = min(CHUNK_BATCHES, max(1, fitting))

    @property
    @override
    def count(self) -> int:
        return len(self.bounds) - 1

    @override
    def facts(self) -> dict[str, int | str | None]:
        return {"examples": len(self.arrays), "batch_size": self.batch_size}

    @override
    def epoch(self, skip: int = 0) -> Iterator[Portion]:
        order = None
        if self.order is not None:
            order = torch.randperm(len(self.arrays), generator=self.order)
        return self.cut(order, skip)

    def cut(self, order: Tensor | None, skip: int) -> Iterator[Portion]:
        """Yield the batches for an order of the examples."""
        batch = self.arrays.batch
        plain = len(self.columns) == 2 and self.arrays.targets is not None
        # Always the same chunks: the alignment of a batch affects the rounding of its sums.
        for start in range(skip - skip % self.chunk, self.count, self.chunk):
            ends = self.bounds[start : start + self.chunk + 1]
            spans = [self.placement.part(a, b) for a, b in pairwise(ends)]
            sizes = [b - a for a, b, _, _ in spans]
            parts = zip(*(c.split(sizes) for c in self.gather(order, spans)), strict=True)
            chunk = zip(parts, spans, strict=True)
            for part, (_, _, rows, joint) in islice(chunk, max(0, skip - start), None):
                yield part if plain else batch(part), rows, joint

    def gather(
        self, order: Tensor | None, spans: list[tuple[int, int, int, int]]
    ) -> Iterator[Tensor]:
        """Yield the columns of some batches, on the device."""
        first, last = spans[0][0], spans[-1][1]
        if self.placement.processes > 1:
            places = torch.cat([torch.arange(a, b) for a, b, _, _ in spans])
            index = places if order is None else order[places]
        else:
            index = None if order is None else order[first:last]
        for position, column in enumerate(self.columns):
            if index is None:
                taken = column[first:last]
            else:
                taken = column.index_select(0, index.to(column.device))
            taken = self.placement.move(taken)
            is_input = position < len(self.arrays.inputs)
            yield self.placement.cast(taken) if is_input else taken


def map_arrays(value: Any, function: Callable[[Any], Any]) -> Any:
    """Return a batch with a function applied to its arrays; its lists become tuples."""
    if isinstance(value, Tensor | np.ndarray):
        return function(value)
    if isinstance(value, dict):
        return {key: map_arrays(item, function) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return tuple(map_arrays(item, function) for item in value)
    return value


def place_column(column: Tensor, device: torch.device) -> Tensor:
    """Move a column to the device if it easily fits there."""
    if device.type != "cuda" or column.device == device:
        return column
    free, _ = torch.cuda.mem_get_info(device)
    fits = column.numel() * column.element_size() <= PART_OF_MEMORY * free
    return column.to(device) if fits else column
