"""Data-parallel training by several processes, started by ``torchrun``."""

from __future__ import annotations

import atexit
import os
import time
from typing import Any, final

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

# Seconds to wait at exit, so that background threads can finish the last exchange.
SETTLING = 0.3


@final
class Processes:
    """The group of processes that train together; with one process, nothing is exchanged.

    Args:
        rank: Rank of this process, from 0.
        count: Number of processes.
    """

    def __init__(self, rank: int = 0, count: int = 1) -> None:
        self.rank = rank
        self.count = count

    @property
    def first(self) -> bool:
        """Whether this process writes files and shows progress."""
        return self.rank == 0

    def gather(self, value: Any) -> list[Any]:
        """Return the values of all processes, in the order of ranks, in every process."""
        if self.count == 1:
            return [value]
        values = [None] * self.count
        distributed.all_gather_object(values, value)
        return values

    def share(self, value: Any) -> Any:
        """Return the value of the first process in every process."""
        return self.gather(value)[0] if self.count > 1 else value

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


def join_processes(device: torch.device | None) -> Processes:
    """Return the group of processes; under ``torchrun`` it is initialised if necessary.

    Args:
        device: Device to train on; None if it is not decided yet.
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
    """Destroy the process group, unless it has been destroyed already."""
    if distributed.is_initialized():
        # A Gloo thread may still hold tensors of the last exchange. If it releases them while
        # Python shuts down, the process is aborted.
        time.sleep(SETTLING)
        distributed.destroy_process_group()


def choose_device(wanted: str | torch.device | None, network: nn.Module) -> torch.device:
    """Return the device to train on.

    Args:
        wanted: A device, ``"auto"`` for the accelerator if there is one, or None for the
            device of the network.
        network: The network.

    Raises:
        ValueError: If the device is unknown or not available.
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
        # Torch would list every device type it was ever built for.
        if reason.startswith("Expected one of"):
            reason = "unknown device type; common ones are auto, cpu, cuda, cuda:1 and mps."
        raise ValueError(f"device {str(wanted)!r} cannot be used: {reason}") from None
    if device.type == "cuda" and device.index is None:
        # Under torchrun each process on a machine has its own accelerator.
        local = int(os.environ.get("LOCAL_RANK", torch.cuda.current_device()))
        device = torch.device("cuda", local)
        torch.cuda.set_device(device)
    return device
