"""The number of CPU threads of a training: a fixed rule, so that a seed gives one result."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from neuropil.core.prediction import in_test_mode
from neuropil.training.loop.batches import ArrayBatches, Batches
from neuropil.training.loop.source_batches import SourceBatches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neuropil.training.loop.learner import Learner

# Minimum number of multiply–adds per thread and layer of a step, about half a millisecond of
# work. With less, two threads were up to 3.2 times slower than one on an idle machine, and 4 to
# 150 times slower on a busy one, where they wait for each other. The rounding of sums depends
# on the number of threads, so it must not depend on the load of the machine.
WORK = 10_000_000


@contextmanager
def use_threads(threads: int | None = None) -> Iterator[None]:
    """Set torch's number of threads inside the context and restore it on exit.

    Args:
        threads: Number of threads; None only restores.
    """
    before = torch.get_num_threads()
    try:
        if threads is not None:
            torch.set_num_threads(threads)
        yield
    finally:
        torch.set_num_threads(before)


def set_threads(learner: Learner, wanted: int | str | None, training: Batches) -> None:
    """Set torch's number of threads.

    Args:
        learner: The learner, which stores the number chosen by ``"auto"``.
        wanted: Number of threads, ``"auto"``, or None to leave torch's setting.
        training: The training batches.
    """
    if wanted == "auto":
        if learner.threads is None:
            learner.threads = learner.processes.share(suitable_threads(learner, training))
        wanted = learner.threads
    if isinstance(wanted, int):
        torch.set_num_threads(wanted)


def suitable_threads(learner: Learner, training: Batches) -> int | None:
    """Return the number of threads for a training, None if it cannot be determined."""
    if learner.custom or learner.device.type != "cpu":
        return None
    match training:
        case ArrayBatches():
            examples, inputs = len(training.arrays), training.arrays.inputs
        case SourceBatches():
            examples, inputs = len(training.examples), training.examples.head()[0]
        case _:
            return None
    batch_size = min(training.batch_size, examples)
    return choose_threads(learner.scores, learner.sample(inputs), batch_size)


def choose_threads(network: nn.Module, inputs: tuple[Any, ...], batch_size: int) -> int:
    """Return the number of threads for a training step.

    One thread per 10 million multiply–adds in the forward pass of the average layer; at least 1
    and at most torch's setting. The network and all random states do not change.

    Args:
        network: The network on the CPU.
        inputs: A few examples; one is enough.
        batch_size: Number of examples in a batch.
    """
    most = torch.get_num_threads()
    layers = sum(parameter.dim() > 1 for parameter in network.parameters())
    if most == 1 or not layers:
        return 1
    counter = FlopCounterMode(display=False)
    with in_test_mode(network), torch.no_grad(), torch.random.fork_rng(devices=[]), counter:
        network(*inputs)
    per_example = counter.get_total_flops() / 2 / len(inputs[0])
    return max(1, min(most, int(per_example * batch_size / layers / WORK)))
