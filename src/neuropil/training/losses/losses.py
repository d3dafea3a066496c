"""Registry of losses, and conversion of a user's argument to a loss."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from torch import nn

from neuropil.core.name_lookup import look_up
from neuropil.training.losses import class_losses, value_losses
from neuropil.training.losses.base import Loss
from neuropil.training.losses.torch_losses import TorchLoss, as_module, is_from_torch
from neuropil.training.losses.value_losses import absolute_error, huber, squared_error

if TYPE_CHECKING:
    from collections.abc import Callable

LOSSES = Loss.defined_in(class_losses, value_losses)


def by_name(name: str) -> Loss:
    """Return the loss of a name.

    Args:
        name: A name such as "cross_entropy"; case and underscores do not matter.

    Raises:
        ValueError: If the name is unknown; the message suggests the nearest one.

    Example:
        >>> by_name("cross_entropy")
        cross_entropy
    """
    return look_up(name, LOSSES, "loss")


def resolve(wanted: str | Callable[..., Any]) -> Loss:
    """Return the `Loss` for a user's argument.

    Args:
        wanted: A name, a loss, a partial of one that sets options, a torch loss, or any
            function of outputs and targets that returns one value per example, or one for all.
            A function takes the values that `predict` returns, unless it has an attribute
            ``takes = "scores"``.

    Raises:
        ValueError: If the name is unknown, the partial sets an unknown option, or the loss
            takes more than outputs and targets.
        TypeError: If it is neither a name nor a function.

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
    module = as_module(wanted)
    return of_torch(module, wanted) if is_from_torch(module) else Loss.of(wanted)


# Our equivalents of torch's losses, with fused kernels and residuals.
ALIKE: dict[type, Callable[[Any], Any]] = {
    nn.MSELoss: lambda _: squared_error,
    nn.L1Loss: lambda _: absolute_error,
    nn.HuberLoss: lambda m: functools.partial(huber, delta=m.delta),
}


def of_torch(module: Any, given: Any) -> Loss:
    """Return our equivalent of a torch loss, or else the torch loss."""
    if type(module) in ALIKE and module.reduction != "sum":
        return Loss.of(ALIKE[type(module)](module))
    return TorchLoss(given)
