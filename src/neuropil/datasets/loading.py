"""Batches of a source, fetched in worker processes."""

from __future__ import annotations

import multiprocessing
import os
from itertools import pairwise
from typing import TYPE_CHECKING, final

import torch

from neuropil.core.shape import format_shape
from neuropil.datasets.batch_places import places_of, rows_at_once
from neuropil.datasets.data_errors import DataError
from neuropil.datasets.dataset import Dataset
from neuropil.datasets.source import Batch
from neuropil.datasets.workers.worker import Workers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from torch import Tensor

    from neuropil.datasets.source import Source

# More workers than this rarely help, and each takes memory.
MOST_WORKERS = 8


def load_batches(
    source: Source, batches: Iterable[Sequence[int]], *, workers: int = 0
) -> Iterator[Batch]:
    """Yield batches of a source, in order.

    Args:
        source: The examples.
        batches: The places of the examples of each batch.
        workers: Number of processes that fetch whole batches ahead; 0 fetches them in this
            process, when they are asked for.

    Raises:
        DataError: If an example cannot be read; the same error as without workers.

    Example:
        >>> from neuropil.datasets import Dataset
        >>> data = Dataset([[0.0], [1.0], [2.0]], [0, 1, 0])
        >>> [batch.targets.tolist() for batch in load_batches(data, [[2, 1], [0]])]
        [[0, 1], [0]]
    """
    return BatchLoader([source], workers).load(batches)


def fetch_all(source: Source) -> Iterator[tuple[Sequence[int], Batch]]:
    """Yield all examples of a source in batches small enough for memory, with their places.

    Args:
        source: The examples. If they have one size, their order is kept.
    """
    places = places_of(source, rows_at_once(source))
    batches = [places.between(a, b) for a, b in pairwise(places.bounds)]
    workers = 0 if isinstance(source, Dataset) else min(default_workers(), len(batches) // 2)
    yield from zip(batches, load_batches(source, batches, workers=workers), strict=True)


def in_memory(source: Source) -> Dataset:
    """Return all examples of a source in memory, for methods that need them at once.

    Args:
        source: The examples; a `Dataset` is returned as it is.

    Raises:
        DataError: If the sizes of the examples differ, or one cannot be read.
    """
    if isinstance(source, Dataset):
        return source
    if None in source.input_shape:
        raise DataError(
            f"all examples are needed in memory, with one size; these have shape "
            f"{format_shape(source.input_shape)}: choose one size for them."
        )
    parts = [batch.inputs for _, batch in fetch_all(source)]
    return Dataset(torch.cat(parts), source.targets, names=source.names)


@final
class BatchLoader:
    """Fetches batches; its worker processes stay alive between passes.

    Args:
        sources: The examples, of which one is read at a time, such as training and validation.
        workers: Number of processes; 0 fetches in this process.
        pin: Whether to put batches in page-locked memory, from which an accelerator copies
            faster.
    """

    def __init__(
        self, sources: Sequence[Source], workers: int = 0, *, pin: bool = False
    ) -> None:
        self.sources = sources
        self.count = workers
        self.pin = pin
        self.workers: Workers | None = None

    def load(self, batches: Iterable[Sequence[int]], part: int = 0) -> Iterator[Batch]:
        """Yield batches in order.

        A new pass ends the previous one.

        Args:
            batches: The places of the examples of each batch.
            part: Which of the sources they are from.

        Raises:
            DataError: If an example cannot be read, or a worker was killed.
        """
        if not self.count:
            for indices in batches:
                batch = self.sources[part].fetch(indices)
                yield pin_batch(batch) if self.pin else batch
            return
        if self.workers is None:
            self.workers = Workers(self.sources, self.count, pin=self.pin)
        for found in self.workers.fetch((part, indices) for indices in batches):
            if isinstance(found, Exception):
                raise found from None
            yield found

    def close(self) -> None:
        """End the workers now; otherwise they end when nothing refers to this object."""
        if self.workers is not None:
            self.workers.close()
            self.workers = None


def default_workers() -> int:
    """Return the number of workers that suits the processors which this process may use.

    It is 0 in a process of a pool, which may not start others.
    """
    if multiprocessing.current_process().daemon:
        return 0
    affinity = getattr(os, "sched_getaffinity", None)
    processors = len(affinity(0)) if affinity else os.cpu_count() or 1
    beside = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    return max(1, min(MOST_WORKERS, processors // beside))


def pin_batch(batch: Batch) -> Batch:
    """Return a batch in page-locked memory."""
    inputs, targets, mask = batch
    return Batch(inputs.pin_memory(), pinned(targets), pinned(mask))


def pinned(part: Tensor | None) -> Tensor | None:
    """Return a tensor in page-locked memory; None stays None."""
    return None if part is None else part.pin_memory()
