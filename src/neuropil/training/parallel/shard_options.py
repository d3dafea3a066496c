"""What works with sharded networks, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer

    from neuropil.training.processes import Processes
    from neuropil.training.trainer_options import Options


def check_sharding(options: Options, processes: Processes) -> None:
    """Refuse options of a trainer that do not work with sharded weights.

    Raises:
        ValueError: If there is one, or only one process.
    """
    if processes.count == 1:
        raise ValueError(
            "shard needs several processes: start them with torchrun --nproc-per-node 2."
        )
    refused = {
        "a custom step": options.step is not None,
        "compile": options.compile,
        "mixed_precision='fp16'": options.mixed_precision == "fp16",
        "regularizer; use the weight_decay of the optimiser": options.regularizer is not None,
        "GradientWatch": any(type(c).__name__ == "GradientWatch" for c in options.callbacks),
    }
    for option, asked in refused.items():
        if asked:
            raise ValueError(f"shard cannot be combined with {option}.")


def check_optimizer(optimizer: Optimizer) -> None:
    """Refuse an optimiser that needs whole weights.

    Raises:
        ValueError: If it does.
    """
    whole = isinstance(optimizer, torch.optim.Rprop | torch.optim.LBFGS)
    if whole or getattr(optimizer, "needs", "gradient") != "gradient":
        raise ValueError(
            f"{type(optimizer).__name__} needs whole weights and cannot be combined with "
            f"shard: use gradient descent, Adam or another optimiser like these."
        )


def rebind(optimizer: Any, before: dict[int, str], network: nn.Module) -> None:
    """Replace the parameters of an optimiser by the sharded ones with the same names.

    Args:
        optimizer: The optimiser, bound to the parameters of the whole network.
        before: Names of these parameters by their ids.
        network: The sharded network.

    Raises:
        ValueError: If the optimiser has taken steps already.
    """
    if optimizer.state:
        raise ValueError(
            f"{type(optimizer).__name__} has taken steps with whole weights: give a new "
            f"one, or its name, together with shard."
        )
    sharded = dict(network.named_parameters())
    for group in optimizer.param_groups:
        group["params"] = [
            sharded[before[id(p)]] if id(p) in before else p for p in group["params"]
        ]
