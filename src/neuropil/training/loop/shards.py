"""Streams of which each process reads its own shard."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch.utils.data import IterableDataset
from torch.utils.data._utils import worker

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from neuropil.training.processes import Processes


def own_shard(data: Any, processes: Processes) -> Iterable[Any] | None:
    """Return the items that this process reads, or None if the data have no shards.

    Data with ``shard(num_shards, index)`` and ``num_shards``, as Hugging Face's have, are asked
    for a shard. A torch ``IterableDataset`` is told the number of this process among all, so
    that `get_worker_info` gives the shard, as in a worker of a ``DataLoader``.

    Args:
        data: The data.
        processes: The processes that train together.
    """
    if processes.count == 1:
        return None
    if hasattr(data, "shard") and getattr(data, "num_shards", 0) >= processes.count:
        return data.shard(num_shards=processes.count, index=processes.rank)
    if isinstance(data, IterableDataset):
        return read_as_worker(data, processes.rank, processes.count)
    return None


def read_as_worker(data: IterableDataset[Any], rank: int, count: int) -> Iterator[Any]:
    """Yield the items that a data set gives to one of several workers.

    They are read in this process. A worker of its own would be a fork of a process that trains
    together with others, whose threads make a fork hang now and then.

    Args:
        data: The data set.
        rank: Number of the worker.
        count: Number of workers.
    """
    seed = torch.initial_seed()
    info = worker.WorkerInfo(id=rank, num_workers=count, seed=seed, dataset=data)
    with told(info):
        items = iter(data)
    while True:
        with told(info):
            try:
                item = next(items)
            except StopIteration:
                return
        yield item


@contextmanager
def told(info: worker.WorkerInfo) -> Iterator[None]:
    """Let `get_worker_info` return this, as torch's own workers do."""
    before = worker._worker_info  # pyright: ignore[reportPrivateUsage]  # torch has no public way
    worker._worker_info = info  # pyright: ignore[reportPrivateUsage]
    try:
        yield
    finally:
        worker._worker_info = before  # pyright: ignore[reportPrivateUsage]
