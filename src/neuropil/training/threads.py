"""How many CPU threads a training gets: by a fixed rule, so that a seed gives one result."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from neuropil.core.prediction import in_test_mode
from neuropil.training.loop.batches import ArrayBatches, Batches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neuropil.training.loop.learner import Learner

# Multiply–adds that each thread should have in each layer of a step, about half a millisecond
# of work. With less, two threads were up to 3.2 times slower than one on an idle machine, and
# 4 to 150 times slower on a busy one, where they wait for each other; sums round by their
# number, so it must not depend on what else the machine does.
WORK = 10_000_000


@contextmanager
def threads_kept(threads: int | None = None) -> Iterator[None]:
    """Give torch a number of threads, and afterwards the one back that it had.

    Args:
        threads: How many from now on; None changes nothing.
    """
    before = torch.get_num_threads()
    try:
        if threads is not None:
            torch.set_num_threads(threads)
        yield
    finally:
        torch.set_num_threads(before)


def set_threads(learner: Learner, wanted: int | str | None, training: Batches) -> None:
    """Set torch's threads as asked, or as many as suit the network and the batch.

    Args:
        learner: What is trained, and remembers how many suited it.
        wanted: How many; None leaves torch's number.
        training: What it learns from.
    """
    if wanted == "auto":
        if learner.threads is None:
            learner.threads = learner.processes.share(suitable_threads(learner, training))
        wanted = learner.threads
    if isinstance(wanted, int):
        torch.set_num_threads(wanted)


def suitable_threads(learner: Learner, training: Batches) -> int | None:
    """Return the number of threads that suits a training, None where that is not known."""
    if learner.custom or learner.device.type != "cpu" or not isinstance(training, ArrayBatches):
        return None
    batch_size = min(training.batch_size, len(training.arrays))
    return choose_threads(learner.scores, learner.sample(training.arrays.inputs), batch_size)


def choose_threads(network: nn.Module, inputs: tuple[Any, ...], batch_size: int) -> int:
    """Return how many of torch's threads a step of training should take.

    As many as have 10 million multiply–adds each in the mean layer, forward; at least 1 and at
    most those that torch has. The network and all random states stay as they are.

    Args:
        network: The network on the CPU.
        inputs: Some examples, such as one or two.
        batch_size: Examples in a batch.
    """
    most = torch.get_num_threads()
    layers = sum(parameter.dim() > 1 for parameter in network.parameters())
    if most == 1 or not layers:
        return 1
    counter = FlopCounterMode(display=False)
    with in_test_mode(network), torch.no_grad(), torch.random.fork_rng(devices=[]), counter:
        network(*inputs)
    an_example = counter.get_total_flops() / 2 / len(inputs[0])
    return max(1, min(most, int(an_example * batch_size / layers / WORK)))
