"""The losses by their names, and a loss from whatever a user gives.

A loss gives one value per example for scores, or values, and targets. It also gives the
``mean`` over a batch by a fused kernel, which is what training takes.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from torch import nn

from neuropil.core.name_lookup import look_up
from neuropil.training.losses import class_losses, value_losses
from neuropil.training.losses.base import Loss
from neuropil.training.losses.class_losses import binary_cross_entropy, cross_entropy
from neuropil.training.losses.value_losses import absolute_error, huber, squared_error

if TYPE_CHECKING:
    from collections.abc import Callable

# Every loss that these modules define, under its name.
LOSSES: dict[str, Loss] = {
    name: each
    for module in (class_losses, value_losses)
    for name, each in vars(module).items()
    if isinstance(each, Loss)
}


def by_name(name: str) -> Loss:
    """Return the loss of that name.

    Args:
        name: Such as "cross_entropy"; case and underscores do not matter.

    Raises:
        ValueError: If there is none; the nearest name is suggested.

    Example:
        >>> by_name("cross_entropy")
        cross_entropy
    """
    return look_up(name, LOSSES, "loss")


def resolve(wanted: str | Callable[..., Any]) -> Loss:
    """Return a `Loss` for whatever a user gives.

    Args:
        wanted: A name, a loss, a partial of one that sets options, one of torch's, or any
            function of outputs and targets that gives one value per example: it sees what
            `predict` gives, unless it has an attribute ``takes = "scores"``.

    Raises:
        ValueError: If there is no loss of that name, or the partial sets no option of it.
        TypeError: If it is nothing of the kind.

    Example:
        >>> import torch
        >>> from functools import partial
        >>> from neuropil.training import cross_entropy
        >>> smooth = resolve(partial(cross_entropy, label_smoothing=0.5))
        >>> smooth.mean(torch.zeros(1, 4), torch.tensor([3])).exp()
        tensor(4.)
    """
    if isinstance(wanted, str):
        return by_name(wanted)
    if not callable(wanted):
        raise TypeError(
            f"a loss is a name or a function of outputs and targets, got {wanted!r}."
        )
    return Loss.of(own_loss(wanted) if isinstance(wanted, nn.Module) else wanted)


# Torch's losses that are the same as ours, for which fused kernels and residuals are known.
ALIKE: dict[type, Callable[[Any], Any]] = {
    nn.MSELoss: lambda _: squared_error,
    nn.L1Loss: lambda _: absolute_error,
    nn.HuberLoss: lambda m: functools.partial(huber, delta=m.delta),
    nn.BCEWithLogitsLoss: lambda m: binary_cross_entropy if m.pos_weight is None else m,
    nn.CrossEntropyLoss: lambda m: (
        functools.partial(cross_entropy, label_smoothing=m.label_smoothing)
        if m.ignore_index < 0
        else m
    ),
}


def own_loss(module: Any) -> Any:
    """Return the loss of ours that is the same as one of torch's, or that one."""
    summed = getattr(module, "reduction", "sum") == "sum"
    if summed or getattr(module, "weight", None) is not None or type(module) not in ALIKE:
        return module
    return ALIKE[type(module)](module)
