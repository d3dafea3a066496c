"""Batches of a source, fetched in worker processes."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import traceback
from itertools import pairwise
from typing import TYPE_CHECKING, Any, final

import torch
from torch import Generator, Tensor
from torch.utils import data as torch_data
from typing_extensions import override

from neuropil.core.shape import format_shape
from neuropil.datasets.batch_places import places_of, rows_at_once
from neuropil.datasets.data_errors import DataError
from neuropil.datasets.dataset import Dataset
from neuropil.datasets.source import Batch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

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
        self.pin = pin
        self.indices = Indices()
        self.loader: torch_data.DataLoader[Any] | None = None
        if workers:
            self.loader = torch_data.DataLoader(
                Fetching(sources),
                batch_size=None,
                sampler=self.indices,
                num_workers=workers,
                collate_fn=unchanged,  # torch would look into the batch
                worker_init_fn=begin_worker,
                persistent_workers=True,
                pin_memory=pin,
                # Without one, each pass would draw a number from the global generator.
                generator=Generator(),
            )

    def load(self, batches: Iterable[Sequence[int]], part: int = 0) -> Iterator[Batch]:
        """Yield batches in order.

        A new pass ends the previous one.

        Args:
            batches: The places of the examples of each batch.
            part: Which of the sources they are from.

        Raises:
            DataError: If an example cannot be read, or a worker was killed.
        """
        if self.loader is None:
            for indices in batches:
                batch = self.sources[part].fetch(indices)
                yield pin_batch(batch) if self.pin else batch
            return
        self.indices.batches = ((part, indices) for indices in batches)
        running = iter(self.loader)
        while (found := next_of(running)) is not None:
            if isinstance(found, Exception):
                raise found from None
            yield found

    def close(self) -> None:
        """End the workers now; otherwise they end when nothing refers to this object."""
        running: Any = getattr(self.loader, "_iterator", None)
        if running is not None:
            # Torch reports a worker that was killed wherever this process is.
            with contextlib.suppress(RuntimeError):
                running._shutdown_workers()
        self.loader = None


def default_workers() -> int:
    """Return the number of workers that suits the processors which this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    processors = len(affinity(0)) if affinity else os.cpu_count() or 1
    beside = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    return max(1, min(MOST_WORKERS, processors // beside))


def next_of(running: Iterator[Any]) -> Any:
    """Return the next batch of the workers, or None at the end.

    Raises:
        DataError: If a worker was killed.
        KeyboardInterrupt: If it was terminated, as all processes of a group are together.
    """
    try:
        return next(running, None)
    except (RuntimeError, OSError, EOFError) as error:
        # Torch notices the death of a worker while it waits, or while a batch is handed over.
        # An error of `fetch` is not raised there: it comes in place of the batch.
        ended = end_of_worker(error)
        raise ended from None


def is_end_of_worker(error: RuntimeError) -> bool:
    """Return whether torch reports that a worker was killed, which it does at any line."""
    return str(error).startswith("DataLoader worker")


def end_of_worker(error: BaseException) -> BaseException:
    """Return the error for a worker that was killed, or the interruption if it was terminated.

    Args:
        error: What torch raised.
    """
    if any("Terminated" in str(each) for each in (error, error.__cause__)):
        return KeyboardInterrupt()
    return DataError(
        "a process that was reading the data was ended from outside, perhaps because memory "
        "ran out: use fewer workers, or smaller batches."
    )


# Which source, and the places of the examples of a batch in it.
Wanted = tuple[int, "Sequence[int]"]


class Indices(torch_data.Sampler[Wanted]):
    """The batches that the workers fetch in a pass.

    Attributes:
        batches: The source and the places of the examples of each batch.
    """

    def __init__(self) -> None:
        self.batches: Iterable[Wanted] = ()

    @override
    def __iter__(self) -> Iterator[Wanted]:
        return iter(self.batches)


class Fetching(torch_data.Dataset["Batch | Exception"]):
    """A data set for torch's workers, whose items are whole batches.

    Args:
        sources: The examples.
    """

    def __init__(self, sources: Sequence[Source]) -> None:
        self.sources = sources

    @override
    def __getitem__(self, wanted: Wanted) -> Batch | Exception:
        part, indices = wanted
        try:
            return self.sources[part].fetch(indices)
        except Exception as error:
            return transferable(error)


def transferable(error: Exception) -> Exception:
    """Return an error as it can be sent to the main process.

    One that is not about the data keeps the traceback of the worker as a note.
    """
    if not isinstance(error, DataError):
        error.add_note("".join(traceback.format_exception(error)).rstrip())
    error.__traceback__ = error.__cause__ = error.__context__ = None
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


def begin_worker(_: int) -> None:
    """Prepare a worker: one thread, and Ctrl+C is left to the main process."""
    torch.set_num_threads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def pin_batch(batch: Batch) -> Batch:
    """Return a batch in page-locked memory."""
    inputs, targets, mask = batch
    return Batch(inputs.pin_memory(), pinned(targets), pinned(mask))


def pinned(part: Tensor | None) -> Tensor | None:
    """Return a tensor in page-locked memory; None stays None."""
    return None if part is None else part.pin_memory()


def unchanged(batch: Any) -> Any:
    """Return a batch as it was fetched."""
    return batch
