"""Build the network module, optimisers and schedules from the options of a trainer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from neuropil import optim
from neuropil.core import Network
from neuropil.optim import LevenbergMarquardt, schedules
from neuropil.optim.torch_schedulers import interval_of

# The name of the only network, optimiser or schedule.
ONLY = "network"

OptimizerLike = Optimizer | str | Callable[[Iterable[nn.Parameter]], Optimizer] | None
Schedule = LRScheduler | str | Callable[[Any], LRScheduler] | None


def as_module(network: Any, *, custom: bool) -> nn.Module:
    """Return one module that contains every network to train.

    Args:
        network: A network, or a dict of networks.
        custom: Whether the user supplied a step.

    Raises:
        TypeError: If it is neither a network nor a dict of networks.
        ValueError: If there are several networks and no custom step.
        ShapeError: If the input shape of a network is not known yet.
    """
    several = isinstance(network, Mapping)
    for each in network.values() if several else (network,):
        if not isinstance(each, nn.Module):
            raise TypeError(
                f"a Trainer takes a network or a dict of networks, got a {type(each).__name__}."
            )
        if isinstance(each, Network):
            each.require_built()
    if several and not custom:
        raise ValueError("a dict of networks needs a custom step: Trainer(…, step=…).")
    return nn.ModuleDict(dict(network)) if several else network


def as_optimizers(
    optimizer: OptimizerLike | Mapping[str, Optimizer], module: nn.Module
) -> dict[str, Optimizer]:
    """Return the optimisers by name, bound to parameters of the module.

    Raises:
        TypeError: If one of them is not an optimiser.
        ValueError: If one is bound to other parameters, or its name is unknown.
    """
    if isinstance(optimizer, Mapping):
        optimizers = dict(optimizer)
    else:
        optimizers = {ONLY: as_optimizer(optimizer, module)}
    own = set(map(id, module.parameters()))
    for each in optimizers.values():
        if not isinstance(each, Optimizer):
            raise TypeError(
                f"optimizer must be an optimiser bound to parameters, such as "
                f"Adam(network.parameters()), got {each!r}."
            )
        if not any(id(p) in own for group in each.param_groups for p in group["params"]):
            raise ValueError(
                f"{type(each).__name__} is bound to parameters of another network: create it "
                f"with network.parameters() of the network that you train."
            )
    return optimizers


def as_optimizer(optimizer: OptimizerLike, module: nn.Module) -> Any:
    """Return an optimiser bound to the module's parameters."""
    if optimizer is None:
        optimizer = optim.Adam
    elif isinstance(optimizer, str):
        optimizer = optim.by_name(optimizer)
    if not isinstance(optimizer, Optimizer) and callable(optimizer):
        optimizer = optimizer(module.parameters())
    if isinstance(optimizer, LevenbergMarquardt) and isinstance(module, Network):
        optimizer.draw = optimizer.draw or module.reset_parameters
    return optimizer


def as_schedules(
    schedule: Schedule | Mapping[str, Any],
    bound: dict[str, Optimizer],
    steps: int | None,
    epochs: int,
) -> dict[str, tuple[LRScheduler, str]]:
    """Return the schedules by name, each with its interval, ``"step"`` or ``"epoch"``.

    Args:
        schedule: A schedule, a function from an optimiser to a schedule, a name, or a dict.
        bound: The optimisers by name.
        steps: Number of steps of the whole training, or None if unknown.
        epochs: Number of epochs of the whole training.

    Raises:
        TypeError: If a function does not return a schedule.
        ValueError: If an optimiser has no learning rate.
    """
    if schedule is None:
        return {}
    wanted = schedule if isinstance(schedule, Mapping) else dict.fromkeys(bound, schedule)
    schedules_by_name: dict[str, tuple[LRScheduler, str]] = {}
    length = {"epochs": epochs} if steps is None else {"steps": steps}
    for name, each in wanted.items():
        if each is not None and any("lr" not in group for group in bound[name].param_groups):
            raise ValueError(
                f"{type(bound[name]).__name__} determines its own step size and has no "
                f"learning rate for a schedule to set: leave the schedule out."
            )
        if isinstance(each, str):
            each = schedules.for_training(each, bound[name], **length)
        elif not isinstance(each, LRScheduler) and callable(each):
            each = each(bound[name])
        if not isinstance(each, LRScheduler):
            raise TypeError(f"schedule must be or return a torch LRScheduler, got {each!r}.")
        schedules_by_name[name] = each, interval_of(each)
    return schedules_by_name
