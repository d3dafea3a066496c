"""Activations inside other layers, as functions: by name, or from a layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor

from neuropil.checks import shown
from neuropil.layers.activations.base import Activation
from neuropil.layers.activations.sigmoid import HardSigmoid
from neuropil.text import nearest

if TYPE_CHECKING:
    from collections.abc import Callable

    Function: TypeAlias = Callable[[Tensor], Tensor]
    # By a layer's name in lower case, a layer without units and parameters, or any function.
    Choice: TypeAlias = str | Activation | Function

FUNCTIONS: dict[str, Function] = {
    "elu": F.elu,
    "gelu": F.gelu,
    "hardsigmoid": HardSigmoid.activate,
    "leakyrelu": F.leaky_relu,
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "softplus": F.softplus,
    "swish": F.silu,
    "tanh": torch.tanh,
}


def function(value: Choice, what: str) -> Function:
    """Return the function chosen.

    Args:
        value: The name of a layer in lower case, a layer, or a function of a tensor.
        what: Whose option it is, such as ``"SqueezeExcitation: gate"``.

    Raises:
        ValueError: When it is none of these, or the layer is more than a function.

    Example:
        >>> function("relu", "SeparableConvolution: activation")(torch.tensor([-1.0, 2.0]))
        tensor([0., 2.])
    """
    if isinstance(value, Activation):
        if value.units is not None or value.parameter_shapes((1,)):
            raise ValueError(
                f"{what} must have neither units nor parameters, got {shown(value)}."
            )
        return value.forward
    if callable(value) and not isinstance(value, type):
        return value
    known = FUNCTIONS.get(str(value))
    if known is None:
        raise ValueError(
            f"{what} must be one of {', '.join(map(repr, FUNCTIONS))}, or a layer such as "
            f"LeakyRelu(epsilon=0.3), got {shown(value)}.{nearest(str(value), FUNCTIONS)}"
        )
    return known
