"""Activation functions for use inside other layers, by name or from a layer."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from neuropil.checks import shown
from neuropil.core.layer import descendants
from neuropil.foreign_names import suggestion
from neuropil.layers import activations
from neuropil.layers.activations.base import Activation

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

Function: TypeAlias = "Callable[[Tensor], Tensor]"
# The lower-case name of an activation layer, a layer without units or parameters, or a
# function.
Choice: TypeAlias = "str | Activation | Function"


def activation_layers() -> dict[str, type[Activation]]:
    """Return all activation layers by lower-case name, including those defined by users."""
    load_modules()
    found = {cls.__name__.lower(): cls for cls in reversed(descendants(Activation))}
    return dict(sorted(found.items()))


@functools.cache
def load_modules() -> None:
    """Import every module of this folder, so that all activation classes are defined."""
    for module in pkgutil.iter_modules(activations.__path__, f"{activations.__name__}."):
        importlib.import_module(module.name)


def function(value: Choice, what: str) -> Function:
    """Return the activation function for an option.

    Args:
        value: The name of a layer in lower case, a layer, or a function of a tensor.
        what: Name of the option for error messages, such as ``"SqueezeExcitation: gate"``.

    Raises:
        ValueError: When it is none of these, or the layer has units or parameters.

    Example:
        >>> import torch
        >>> function("relu", "SeparableConvolution: activation")(torch.tensor([-1.0, 2.0]))
        tensor([0., 2.])
    """
    if callable(value) and not isinstance(value, type | Activation):
        return value
    layer = value if isinstance(value, Activation) else default_layer(value, what)
    if layer.units is not None or layer.parameter_shapes((1,)):
        raise ValueError(f"{what} must have neither units nor parameters, got {shown(layer)}.")
    return partial(type(layer).forward, layer)  # skips the checks of an unbuilt layer


def default_layer(name: object, what: str) -> Activation:
    """Return the activation layer with this name and its default options.

    Raises:
        ValueError: When no layer has this name; the message suggests the nearest one.
    """
    known = activation_layers()
    if not isinstance(name, str) or name not in known:
        raise ValueError(
            f"{what} must be one of {', '.join(map(repr, known))}, or a layer such as "
            f"LeakyRelu(epsilon=0.3), got {shown(name)}."
            f"{suggestion(str(name), known, 'activation')}"
        )
    return known[name]()
