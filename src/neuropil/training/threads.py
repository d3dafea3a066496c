"""How many CPU threads a training runs fastest on."""

from __future__ import annotations

import copy
import math
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# A network with more parameters than this has enough to do for all threads.
LARGE = 3_000_000
# All threads must be that much faster than one: they also take the machine from others.
WORTH = 0.85


@contextmanager
def threads_kept() -> Iterator[None]:
    """Give torch the number of threads back that it had."""
    threads = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def choose_threads(
    network: nn.Module,
    mean_loss: Callable[[Any, Any], Tensor],
    inputs: tuple[Any, ...],
    targets: Any,
) -> int:
    """Return 1 or all of torch's threads, whichever trains this network faster.

    A copy of the network takes some steps with either; the network itself and all random states
    stay as they are.

    Args:
        network: The network on the CPU.
        mean_loss: Gives a scalar for scores and targets.
        inputs: One batch.
        targets: Its targets.
    """
    most = torch.get_num_threads()
    if most == 1 or sum(p.numel() for p in network.parameters()) > LARGE:
        return most
    trial = copy.deepcopy(network).train()

    def step() -> None:
        trial.zero_grad()
        mean_loss(trial(*inputs), targets).backward()

    with torch.random.fork_rng(devices=[]):
        return faster(step, most)


def faster(step: Callable[[], None], most: int, budget: float = 0.25) -> int:
    """Return 1 or `most` threads after timing a step with both in turn."""
    best = {1: math.inf, most: math.inf}
    end = time.perf_counter() + budget
    with threads_kept():
        for repetition in range(16):
            for threads in best:
                torch.set_num_threads(threads)
                seconds = timed(step)
                # The first runs with a number of threads start those threads.
                if repetition:
                    best[threads] = min(best[threads], seconds)
            if time.perf_counter() > end:
                break
    return most if best[most] < WORTH * best[1] else 1


def timed(step: Callable[[], None]) -> float:
    """Return the seconds that a step takes."""
    start = time.perf_counter()
    step()
    return time.perf_counter() - start
