"""Batches, and how they are cut from arrays in memory."""

from __future__ import annotations

from itertools import islice, pairwise
from typing import TYPE_CHECKING, Any, Protocol, final

import numpy as np
import torch
from torch import Generator, Tensor
from typing_extensions import override

from neuropil.core.prediction import align

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neuropil.training.loop.memory_examples import Arrays

# A batch, how many of its examples are this process's, and how many all processes hold.
Portion = tuple[Any, int, int]

# Examples are gathered for many batches at once, which are then views: far cheaper than
# gathering each batch. No more than a cache holds, or they have left it when their turn comes.
CHUNK_BATCHES, CHUNK_BYTES = 64, 2**20
# A whole data set moves to an accelerator that has this part of its memory free for it.
PART_OF_MEMORY = 0.25


class Batches(Protocol):
    """Where a training takes its batches from."""

    @property
    def count(self) -> int | None:
        """Batches in an epoch, None where the data does not say."""
        ...

    def epoch(self, skip: int = 0) -> Iterator[Portion]:
        """Return the batches of one pass, without the first `skip`.

        What is random about the pass as a whole is drawn at once, not at the first batch.
        """
        ...

    def facts(self) -> dict[str, int | None]:
        """Return what must be the same again when a training is resumed."""
        ...


@final
class Placement:
    """Brings batches to where the network is, and bytes to the type that it computes in.

    Args:
        device: Where the network is.
        dtype: What its inputs of bytes become; None leaves them.
        rank: Which of the processes this is.
        processes: How many there are; each takes its part of every batch.
    """

    def __init__(
        self,
        device: torch.device,
        dtype: torch.dtype | None,
        rank: int = 0,
        processes: int = 1,
    ) -> None:
        self.device = device
        self.dtype = dtype
        self.rank, self.processes = rank, processes

    def part(self, start: int, stop: int) -> tuple[int, int, int, int]:
        """Return this process's part of a batch: its bounds, its rows, the rows of all.

        A process for which nothing is left takes one example that counts nothing, so that it
        still takes part in the exchange of gradients.
        """
        joint = stop - start
        first = start + joint * self.rank // self.processes
        last = start + joint * (self.rank + 1) // self.processes
        return (
            (first, last, last - first, joint) if first < last else (start, start + 1, 0, joint)
        )

    def move(self, value: Any) -> Any:
        """Return a tensor, an array, or lists and dicts of them, on the device."""
        if isinstance(value, np.ndarray):
            value = torch.from_numpy(value)
        if isinstance(value, Tensor):
            return align(value.to(self.device, non_blocking=True))
        if isinstance(value, dict):
            return {key: self.move(item) for key, item in value.items()}
        if isinstance(value, tuple | list):
            return tuple(self.move(item) for item in value)
        return value

    def cast(self, inputs: Any) -> Any:
        """Return inputs in the type that the network computes in."""
        if isinstance(inputs, tuple):
            return tuple(self.cast(value) for value in inputs)
        return inputs.to(self.dtype) if self.casts(inputs) else inputs

    def casts(self, value: Any) -> bool:
        """Tell whether `cast` would change something."""
        if self.dtype is None or not isinstance(value, Tensor) or value.dtype == self.dtype:
            return False
        return value.dtype in {torch.uint8, torch.bool} or value.is_floating_point()


@final
class ArrayBatches(Batches):
    """Batches of arrays, in a new order every epoch or always in theirs.

    A single example that is left over joins the batch before it: batch normalisation can
    do nothing with one example.

    Args:
        arrays: The examples.
        batch_size: Examples in a batch, those of all processes together.
        placement: Where they go.
        order: Shuffles; None keeps the order.
    """

    def __init__(
        self,
        arrays: Arrays,
        batch_size: int,
        placement: Placement,
        order: Generator | None = None,
    ) -> None:
        self.arrays = arrays
        self.batch_size = batch_size
        self.placement = placement
        self.order = order
        self.columns = tuple(
            place_column(column, placement.device) for column in arrays.columns
        )
        self.bounds = bounds(len(arrays), batch_size)
        row_bytes = sum(c[:1].numel() * c.element_size() for c in self.columns)
        fitting = CHUNK_BYTES // max(1, row_bytes * batch_size)
        self.chunk = min(CHUNK_BATCHES, max(1, fitting))

    @property
    @override
    def count(self) -> int:
        return len(self.bounds) - 1

    @override
    def facts(self) -> dict[str, int | None]:
        return {"examples": len(self.arrays), "batch_size": self.batch_size}

    @override
    def epoch(self, skip: int = 0) -> Iterator[Portion]:
        order = None
        if self.order is not None:
            order = torch.randperm(len(self.arrays), generator=self.order)
        return self.cut(order, skip)

    def cut(self, order: Tensor | None, skip: int) -> Iterator[Portion]:
        """Yield batches in an order."""
        batch = self.arrays.batch
        plain = len(self.columns) == 2 and self.arrays.targets is not None
        # Always the same chunks: sums over a batch that starts elsewhere are rounded otherwise.
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
        """Yield the examples of some batches, column by column, on the device."""
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


def bounds(examples: int, batch_size: int) -> list[int]:
    """Return where batches begin, and the end; one left-over example goes with the last."""
    starts = [*range(0, examples, batch_size), examples]
    if batch_size > 1 and len(starts) > 2 and starts[-1] - starts[-2] == 1:
        del starts[-2]
    return starts


def place_column(column: Tensor, device: torch.device) -> Tensor:
    """Return a column on the device if it fits there easily, else as it is."""
    if device.type != "cuda" or column.device == device:
        return column
    free, _ = torch.cuda.mem_get_info(device)
    fits = column.numel() * column.element_size() <= PART_OF_MEMORY * free
    return column.to(device) if fits else column
