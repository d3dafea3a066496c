"""Choice of the device to train on."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import nn


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
        own = state[0].device if state else torch.device("cpu")
        if own.type != "meta":
            return own
        wanted = "auto"  # a network without weights has no device yet
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
        if local >= torch.cuda.device_count():
            raise ValueError(
                f"process {local + 1} of this machine has no accelerator of its own: there are "
                f"{torch.cuda.device_count()}; start fewer processes, or use device 'cpu'."
            )
        device = torch.device("cuda", local)
        torch.cuda.set_device(device)
    return device
