"""Activations inside other layers, as functions: by name, or from a layer."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from neuropil.checks import shown
from neuropil.core.layer import descendants
from neuropil.layers import activations
from neuropil.layers.activations.base import Activation
from neuropil.text import nearest

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    Function: TypeAlias = Callable[[Tensor], Tensor]
    # By a layer's name in lower case, a layer without units and parameters, or any function.
    Choice: TypeAlias = str | Activation | Function


def activation_layers() -> dict[str, type[Activation]]:
    """Return all activation layers, users' own among them, by their names in lower case."""
    load_modules()
    found = {cls.__name__.lower(): cls for cls in reversed(descendants(Activation))}
    return dict(sorted(found.items()))


@functools.cache
def load_modules() -> None:
    """Import every module of this folder: that defines the activations."""
    for module in pkgutil.iter_modules(activations.__path__, f"{activations.__name__}."):
        importlib.import_module(module.name)


def function(value: Choice, what: str) -> Function:
    """Return the function chosen.

    Args:
        value: The name of a layer in lower case, a layer, or a function of a tensor.
        what: Whose option it is, such as ``"SqueezeExcitation: gate"``.

    Raises:
        ValueError: When it is none of these, or the layer is more than a function.

    Example:
        >>> import torch
        >>> function("relu", "SeparableConvolution: activation")(torch.tensor([-1.0, 2.0]))
        tensor([0., 2.])
    """
    if callable(value) and not isinstance(value, type | Activation):
        return value
    layer = value if isinstance(value, Activation) else layer_named(value, what)
    if layer.units is not None or layer.parameter_shapes((1,)):
        raise ValueError(f"{what} must have neither units nor parameters, got {shown(layer)}.")
    return partial(type(layer).forward, layer)  # without the checks of an unbuilt layer


def layer_named(name: object, what: str) -> Activation:
    """Return the activation layer of a name, with its default options.

    Raises:
        ValueError: When there is none; the nearest name is suggested.
    """
    known = activation_layers()
    if not isinstance(name, str) or name not in known:
        raise ValueError(
            f"{what} must be one of {', '.join(map(repr, known))}, or a layer such as "
            f"LeakyRelu(epsilon=0.3), got {shown(name)}.{nearest(str(name), known)}"
        )
    return known[name]()
