"""Streams of which each process reads its own shard."""

from __future__ import annotations

import signal
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Generator
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

if TYPE_CHECKING:
    from collections.abc import Iterable

    from neuropil.training.processes import Processes


def own_shard(data: Any, processes: Processes) -> Iterable[Any] | None:
    """Return the items that this process reads, or None if the data have no shards.

    Data with ``shard(num_shards, index)`` and ``num_shards``, as Hugging Face's have, are asked
    for a shard. A torch ``IterableDataset`` is read by a worker that is told its number among
    those of all processes, so that `get_worker_info` gives the shard, as in a ``DataLoader``.

    Args:
        data: The data.
        processes: The processes that train together.
    """
    if processes.count == 1:
        return None
    if hasattr(data, "shard") and getattr(data, "num_shards", 0) >= processes.count:
        return data.shard(num_shards=processes.count, index=processes.rank)
    if isinstance(data, IterableDataset):
        return DataLoader(
            data,
            batch_size=None,
            num_workers=1,
            collate_fn=unchanged,
            worker_init_fn=partial(join_workers, processes.rank, processes.count),
            generator=Generator(),
        )
    return None


def unchanged(item: Any) -> Any:
    """Return an item as it is: torch would look into it."""
    return item


def join_workers(rank: int, count: int, _number: int) -> None:
    """Tell a worker its number among those of all processes.

    Args:
        rank: The rank of its process.
        count: Number of processes.
    """
    # Ctrl+C is left to the main process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)
    info = get_worker_info()
    # It is frozen, so that a data set does not change it by mistake.
    object.__setattr__(info, "id", rank)
    object.__setattr__(info, "num_workers", count)
