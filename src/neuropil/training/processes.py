"""Several processes that train one network together, started by ``torchrun``."""

from __future__ import annotations

import atexit
import os
import time
from typing import Any, final

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

# Seconds at the end of a process for threads to finish the last exchange.
SETTLING = 0.3


@final
class Processes:
    """This process among all that train together; alone, every method is a formality.

    Args:
        rank: Which one this is, from 0.
        count: How many there are.
    """

    def __init__(self, rank: int = 0, count: int = 1) -> None:
        self.rank = rank
        self.count = count

    @property
    def first(self) -> bool:
        """Whether this one writes files and shows progress."""
        return self.rank == 0

    def gather(self, value: Any) -> list[Any]:
        """Return what every process holds, in the order of ranks, to all of them."""
        if self.count == 1:
            return [value]
        values = [None] * self.count
        distributed.all_gather_object(values, value)
        return values

    def share(self, value: Any) -> Any:
        """Return the first process's value to all."""
        return self.gather(value)[0] if self.count > 1 else value

    def average_gradients(self, parameters: list[Tensor]) -> None:
        """Replace gradients by their mean over the processes."""
        if self.count == 1:
            return
        for parameter in parameters:
            # A process without examples for a parameter still has to answer.
            grad = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
            distributed.all_reduce(grad)
            parameter.grad = grad.div_(self.count)

    def wrap(self, network: nn.Module) -> nn.Module:
        """Return a network whose backward pass averages gradients over the processes."""
        if self.count == 1 or not any(p.requires_grad for p in network.parameters()):
            return network
        return DistributedDataParallel(network)


def join_processes(device: torch.device | None) -> Processes:
    """Return this process's place; under ``torchrun`` the group is formed if need be.

    Args:
        device: Where the training is to run, None when that is still open.
    """
    if not distributed.is_available():
        return Processes()
    if not distributed.is_initialized():
        if "RANK" not in os.environ or int(os.environ.get("WORLD_SIZE", "1")) < 2:
            return Processes()
        on_cpu = device is not None and device.type == "cpu"
        cuda = torch.cuda.is_available() and not on_cpu
        distributed.init_process_group("nccl" if cuda else "gloo")
        atexit.register(leave)
    return Processes(distributed.get_rank(), distributed.get_world_size())


def leave() -> None:
    """Leave the group, if nobody else has ended it."""
    if distributed.is_initialized():
        # A thread of Gloo's may still hold tensors of the last exchange. If it gives them back
        # when Python has begun to end, the process is aborted.
        time.sleep(SETTLING)
        distributed.destroy_process_group()


def choose_device(wanted: str | torch.device | None, network: nn.Module) -> torch.device:
    """Return where to train: where the network is, or where the user wants it.

    Args:
        wanted: A device, ``"auto"`` for the accelerator if there is one, or None for the
            network's own place.
        network: The network.

    Raises:
        ValueError: When the device is unknown or not there.
    """
    if wanted is None:
        state = [*network.parameters(), *network.buffers()]
        return state[0].device if state else torch.device("cpu")
    if wanted == "auto":
        wanted = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(wanted)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        if reason.startswith(
            "Expected one of"
        ):  # followed by all that torch was ever built for
            reason = "there is no such kind; usual are auto, cpu, cuda, cuda:1 and mps."
        raise ValueError(f"device {str(wanted)!r} cannot be used: {reason}") from None
    if device.type == "cuda" and device.index is None:
        # Under torchrun each process of a machine has its own accelerator.
        local = int(os.environ.get("LOCAL_RANK", torch.cuda.current_device()))
        device = torch.device("cuda", local)
        torch.cuda.set_device(device)
    return device
