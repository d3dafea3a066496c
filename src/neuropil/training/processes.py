"""Data-parallel training by several processes, started by ``torchrun``."""

from __future__ import annotations

import atexit
import json
import math
import os
import platform
import time
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar, final

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from neuropil.training.parallel.joint_batch_norm import join_batch_norms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")

# Seconds to wait at exit, so that background threads can finish the last exchange.
SETTLING = 0.3
# Seconds that processes wait for each other in a step before the training ends with an error.
TIMEOUT, TIMEOUT_VARIABLE = 600.0, "NEUROPIL_TIMEOUT"
# Longest pause, in seconds, between two looks for the result of the first process.
LONGEST_PAUSE = 0.1
FAILURE = "failure"
# Words in the errors of Gloo and NCCL, which are plain RuntimeErrors.
LOST = ("gloo", "Connection closed by peer", "Connection reset by peer", "NCCL")


class ProcessLostError(ConnectionError):
    """Another process of the training has ended or does not answer."""


@final
class Processes:
    """The group of processes that train together; with one process, nothing is exchanged.

    Args:
        rank: Rank of this process, from 0.
        count: Number of processes.
        store: Key–value store of the group, for waiting without a limit and for reports of
            failures; None without one.
    """

    def __init__(
        self, rank: int = 0, count: int = 1, store: distributed.Store | None = None
    ) -> None:
        self.rank = rank
        self.count = count
        self.store = store
        # Whether this process's part of the current batch is empty: it then holds one example
        # that must not count.
        self.idle = False
        # Whether this process runs the network by itself for the moment.
        self.apart = False
        # Number of calls of `call_in_first` so far, alike in all processes.
        self.calls = 0

    @property
    def first(self) -> bool:
        """Whether this process writes files and shows progress."""
        return self.rank == 0

    @property
    def first_here(self) -> bool:
        """Whether this is the first process on its machine."""
        return int(os.environ.get("LOCAL_RANK", self.rank)) == 0

    def gather(self, value: Any) -> list[Any]:
        """Return the values of all processes, in the order of ranks, in every process."""
        if self.count == 1:
            return [value]
        values = [None] * self.count
        with self.naming_lost():
            distributed.all_gather_object(values, value)
        return values

    def share(self, value: Any) -> Any:
        """Return the value of the first process in every process."""
        if self.count == 1:
            return value
        values = [value if self.first else None]
        with self.naming_lost():
            distributed.broadcast_object_list(values)
        return values[0]

    def call_in_first(self, function: Callable[[], T]) -> T:
        """Call a function in the first process; return its result, or raise its error, in all.

        The others wait as long as it takes.

        Args:
            function: The function. Its result can be pickled.

        Raises:
            Exception: The error of the function.
        """
        if self.count == 1:
            return function()
        outcome: tuple[T | None, Exception | None] = None, None
        if self.first:
            try:
                outcome = function(), None
            except Exception as error:
                outcome = None, error
        self.wait_for_first()
        value, error = self.share(outcome)
        if error is not None:
            raise error
        return value

    def wait_for_first(self, limit: float = math.inf) -> None:
        """Wait until the first process has called this method as often as this one.

        Args:
            limit: Number of seconds after which not to wait any longer.

        Raises:
            ProcessLostError: If a process has failed.
        """
        self.calls += 1
        if self.store is None:
            return
        with self.naming_lost():
            if self.first:
                self.store.set(f"call {self.calls}", "done")
                return
            # `Store.wait` could not be interrupted by a signal.
            pause, begun = 0.001, time.monotonic()
            while not self.store.check([f"call {self.calls}"]):
                if self.has_failed():
                    raise ProcessLostError("another process of this training has failed")
                if time.monotonic() - begun > limit:
                    return
                time.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)

    def has_failed(self) -> bool:
        """Return whether a process has reported a failure, or the store has ended."""
        try:
            return self.store is not None and self.store.check([FAILURE])
        except RuntimeError:
            return True

    def claim_failure(self, code: int, line: str) -> dict[str, Any] | None:
        """Report that this process has failed, unless another one has done so before.

        Args:
            code: The exit code.
            line: The message.

        Returns:
            None if this process is the first to report, else the report of the first one:
            ``code``, ``line``, and the name of its machine as ``host``.
        """
        if self.store is None:
            return None
        own = {"rank": self.rank, "host": platform.node(), "code": code, "line": line}
        text = json.dumps(own)
        try:
            claimed = self.store.compare_set(FAILURE, "", text).decode()
        except RuntimeError:  # the store ended together with the process that failed
            return None if self.first else own
        return None if claimed == text else json.loads(claimed)

    @contextmanager
    def naming_lost(self) -> Iterator[None]:
        """Report in one line that another process has ended or does not answer.

        Raises:
            ProcessLostError: If an exchange with it failed.
            RuntimeError: Any other error inside the context.
        """
        try:
            yield
        except RuntimeError as error:
            if self.count == 1 or not is_lost(error):
                raise
            raise ProcessLostError(
                f"another process of this training has ended or did not answer within "
                f"{timeout():g} s"
            ) from None

    def sum(self, value: Tensor) -> Tensor:
        """Return the sum of a tensor over the processes."""
        if self.count > 1:
            value = value.clone()
            distributed.all_reduce(value)
        return value

    def average_gradients(self, parameters: list[Tensor]) -> None:
        """Replace gradients by their mean over the processes."""
        if self.count == 1:
            return
        for parameter in parameters:
            # A process without a gradient for a parameter must still take part.
            grad = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
            distributed.all_reduce(grad)
            parameter.grad = grad.div_(self.count)

    def wrap(self, network: nn.Module) -> nn.Module:
        """Return a network whose backward pass averages gradients over the processes."""
        if self.count == 1 or not any(p.requires_grad for p in network.parameters()):
            return network
        return DistributedDataParallel(network)

    @contextmanager
    def training_together(self, network: nn.Module) -> Iterator[None]:
        """Make batch normalisation use the joint batch, and report lost processes.

        Raises:
            ProcessLostError: If another process has ended or does not answer.
        """
        if self.count == 1:
            yield
            return
        with self.naming_lost(), join_batch_norms(network, self):
            yield

    @contextmanager
    def running_apart(self) -> Iterator[None]:
        """Run the network without the other processes inside the context."""
        self.apart = True
        try:
            yield
        finally:
            self.apart = False


ALONE = Processes()
# The group of this program, once it has been joined.
joined: list[Processes] = []
# Not empty while this process works alone.
alone: list[None] = []


@contextmanager
def working_alone() -> Iterator[None]:
    """Make trainings inside the context those of this process alone, without its group."""
    alone.append(None)
    try:
        yield
    finally:
        alone.pop()


def join_processes() -> Processes:
    """Return the group of processes; under ``torchrun`` it is initialised if necessary.

    Raises:
        ProcessLostError: If not all processes of the group have started in time.
    """
    if alone:
        return ALONE
    if distributed.is_available() and distributed.is_initialized():
        own = Processes(distributed.get_rank(), distributed.get_world_size())
        return joined[0] if joined else own
    return join_as_told() if distributed.is_available() and expects_several() else ALONE


def join_as_told() -> Processes:
    """Initialise the group of processes that the environment variables describe."""
    group = Processes(int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"]))
    with group.naming_lost():
        patience = timedelta(seconds=timeout())
        store, rank, count = next(iter(distributed.rendezvous("env://", timeout=patience)))
        group.store = distributed.PrefixStore("neuropil", store)
        # Plain objects are exchanged by Gloo also where networks are on accelerators.
        cuda = torch.cuda.is_available() and distributed.is_nccl_available()
        distributed.init_process_group(
            "cpu:gloo,cuda:nccl" if cuda else "gloo",
            store=distributed.PrefixStore("group", store),
            rank=rank,
            world_size=count,
            timeout=patience,
        )
    joined[:] = [group]
    atexit.register(leave)
    limit_threads()
    return group


def expects_several() -> bool:
    """Return whether this process was started as one of several, as by ``torchrun``."""
    return "RANK" in os.environ and int(os.environ.get("WORLD_SIZE", "1")) > 1


def timeout() -> float:
    """Return the number of seconds that processes wait for each other.

    Raises:
        ValueError: If the environment variable is not a number above 0.
    """
    text = os.environ.get(TIMEOUT_VARIABLE, f"{TIMEOUT}")
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise ValueError(f"{TIMEOUT_VARIABLE} must be a number of seconds, got {text!r}.")
    return seconds


def limit_threads() -> None:
    """Give each process at most its share of the processor cores of its machine."""
    local = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    share = max(1, (os.cpu_count() or 1) // local)
    torch.set_num_threads(min(torch.get_num_threads(), share))


def is_lost(error: RuntimeError) -> bool:
    """Return whether an error says that another process could not be reached."""
    return isinstance(error, distributed.DistError) or any(word in str(error) for word in LOST)


def leave() -> None:
    """Destroy the process group, unless it has been destroyed already."""
    if distributed.is_initialized():
        # A Gloo thread may still hold tensors of the last exchange. If it releases them while
        # Python shuts down, the process is aborted.
        time.sleep(SETTLING)
        distributed.destroy_process_group()
