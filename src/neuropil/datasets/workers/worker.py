"""Worker processes that fetch batches of sources ahead."""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import pickle
import random
import signal
import traceback
from collections import deque
from itertools import cycle, islice
from multiprocessing.util import Finalize
from typing import TYPE_CHECKING, final

import numpy as np
import torch
import torch.multiprocessing  # noqa: F401 - lets connections send shared memory

from neuropil.datasets.data_errors import DataError
from neuropil.datasets.workers.shared_batches import BatchReader, BatchWriter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from multiprocessing.connection import Connection

    from neuropil.datasets.source import Batch, Source

    # Which source, and the places of the examples of a batch in it.
    Wanted = tuple[int, Sequence[int]]

AHEAD = 2
"""Number of batches that a worker is asked for at a time."""
PATIENCE = 5.0
"""Seconds in which a worker must end when it is told to."""
START = 20.0
"""Seconds in which a fork must be ready."""
STARTS = 3
"""Number of times that a fork is tried."""
FAILED = (
    "a process that was to read the data ended with the error above: put the training under "
    "if __name__ == '__main__', define the data in a file that can be imported, or use "
    "workers=0."
)
STUCK = "a process that is to read the data does not start: use workers=0."
KILLED = (
    "a process that was reading the data was ended from outside, perhaps because memory "
    "ran out: use fewer workers, or smaller batches."
)


@final
class Workers:
    """Processes that fetch batches; they take turns, so that batches come in order.

    They leave SIGINT and SIGTERM to the main process, and end when it tells them to or has
    ended itself.

    Args:
        sources: The examples, of which one is read at a time.
        count: Number of processes.
        pin: Whether to put batches in page-locked memory.
    """

    def __init__(self, sources: Sequence[Source], count: int, *, pin: bool = False) -> None:
        self.workers: list[Worker] = []
        self.passes = 0
        # Before the end of the main process waits for its children.
        self.close = Finalize(self, end_all, [self.workers], exitpriority=1)
        for number in range(count):
            held = [worker.connection for worker in self.workers]
            self.workers.append(Worker(sources, number, held, pin=pin))

    def fetch(self, wanted: Iterable[Wanted]) -> Iterator[Batch | Exception]:
        """Yield batches in order, or an error in the place of a batch.

        A new pass ends the previous one.

        Args:
            wanted: What to fetch for each batch.

        Raises:
            DataError: If a worker was killed.
        """
        self.passes += 1
        this = self.passes
        for worker in self.workers:
            worker.drop_answers()
        remaining, asked = iter(wanted), deque[Worker]()
        ahead = islice(remaining, AHEAD * len(self.workers))
        for worker, each in zip(cycle(self.workers), ahead, strict=False):
            worker.ask(each)
            asked.append(worker)
        while asked and self.passes == this:
            worker = asked.popleft()
            batch = worker.answer()
            following = next(remaining, None)
            if following is not None:
                worker.ask(following)
                asked.append(worker)
            yield batch


@final
class Worker:
    """A process that fetches batches, one after the other.

    Args:
        sources: The examples.
        number: Its number.
        held: Connections of this process that a fork would keep open.
        pin: Whether to put batches in page-locked memory.

    Raises:
        DataError: If the sources cannot be sent to a process that is not forked, or no fork
            becomes ready.
    """

    def __init__(
        self, sources: Sequence[Source], number: int, held: list[Connection], *, pin: bool
    ) -> None:
        for _ in range(STARTS):
            self.start(sources, number, held)
            if self.is_ready():
                break
            self.process.kill()
            self.process.join()
            self.connection.close()
        else:
            raise DataError(STUCK)
        # A worker writes the next batch while the last one is read.
        self.readers = deque(BatchReader(pin=pin) for _ in range(AHEAD))
        self.unanswered = 0

    def start(self, sources: Sequence[Source], number: int, held: list[Connection]) -> None:
        """Start the process; it says when it is ready.

        Args:
            sources: The examples.
            number: Its number.
            held: Connections of this process that a fork would keep open.

        Raises:
            DataError: If the sources cannot be sent to a process that is not forked.
        """
        self.connection, theirs = multiprocessing.Pipe()
        arguments = (theirs, [*held, self.connection], sources, number)
        self.process = multiprocessing.Process(target=work, args=arguments, daemon=True)
        try:
            self.process.start()
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise DataError(
                f"the data cannot be sent to another process ({error}): define it in a file "
                "that can be imported, or use workers=0."
            ) from None
        # Now only the worker holds it, so that its end is noticed here.
        theirs.close()

    def is_ready(self) -> bool:
        """Whether the process runs; a fork of a process with threads can hang at its start."""
        if not is_forked():
            return True
        if not self.connection.poll(START):
            return False
        with contextlib.suppress(OSError, EOFError):  # it has ended: `answer` says so
            self.connection.recv()
        return True

    def ask(self, wanted: Wanted) -> None:
        """Ask for a batch; at most `AHEAD` may be unanswered.

        Args:
            wanted: What to fetch.

        Raises:
            DataError: If the worker was killed.
        """
        try:
            self.connection.send(wanted)
        except OSError:
            raise self.ended() from None
        self.unanswered += 1

    def answer(self) -> Batch | Exception:
        """Return the next batch, or the error in its place.

        Raises:
            DataError: If the worker was killed.
        """
        try:
            answer = self.connection.recv()
        except (OSError, EOFError):
            raise self.ended() from None
        self.unanswered -= 1
        reader = self.readers[0]
        self.readers.rotate(-1)
        return answer if isinstance(answer, Exception) else reader.read(answer)

    def ended(self) -> DataError:
        """Return the error for a worker that has ended by itself."""
        self.process.join(PATIENCE)
        return DataError(FAILED if self.process.exitcode == 1 else KILLED)

    def drop_answers(self) -> None:
        """Wait for the batches of a pass that was not finished."""
        while self.unanswered:
            self.answer()


def end_all(workers: list[Worker]) -> None:
    """End workers, by force if they do not end in time."""
    for worker in workers:
        with contextlib.suppress(OSError):
            worker.connection.send(None)
        worker.connection.close()
    for worker in workers:
        worker.process.join(PATIENCE)
        worker.process.kill()
        worker.process.join()


def work(
    connection: Connection, held: list[Connection], sources: Sequence[Source], number: int
) -> None:
    """Fetch batches until there is nothing more to fetch.

    Args:
        connection: Gives what to fetch, and takes the batches.
        held: Connections of the main process, which would hide that it has ended.
        sources: The examples.
        number: Number of this worker.
    """
    for each in held:
        each.close()
    prepare_process(number)
    writers = cycle([BatchWriter() for _ in range(AHEAD)])
    # The main process may end at any time.
    with contextlib.suppress(OSError, EOFError):
        if is_forked():
            connection.send(None)
        while (wanted := connection.recv()) is not None:
            part, indices = wanted
            writer = next(writers)
            try:
                answer = writer.write(sources[part].fetch(indices))
            except Exception as error:
                answer = transferable(error)
            connection.send(answer)


def is_forked() -> bool:
    """Whether a worker is a copy of the main process, and says when it is ready."""
    return multiprocessing.get_start_method() == "fork"


def prepare_process(number: int) -> None:
    """Prepare this process: one thread, own random numbers, and signals left to the main one.

    Args:
        number: Number of the worker.
    """
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    torch.set_num_threads(1)
    torch.manual_seed(number)
    random.seed(number)
    np.random.seed(number)  # noqa: NPY002 - a source may draw from it
    # Older objects are shared with the main process; looking through them would copy them.
    gc.freeze()


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
