"""Layers with other options, and where the layers of a network stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from neuropil.analysis.block_parts import parts_of
from neuropil.analysis.calls import Call, calls_of
from neuropil.core import Layer, Network
from neuropil.core.arguments import is_default, signature
from neuropil.layers import (
    BatchNorm,
    Convolution,
    Dropout,
    Elu,
    Gelu,
    GroupNorm,
    InstanceNorm,
    LayerNorm,
    LeakyRelu,
    PRelu,
    Relu,
    Softplus,
    Swish,
    Tanh,
)
from neuropil.layers.activations.base import Activation

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

L = TypeVar("L", bound=Layer)

# Activations between layers; the others end a network, or are gates.
HIDDEN = (Relu, LeakyRelu, PRelu, Elu, Softplus, Swish, Gelu, Tanh)
NORMS = (BatchNorm, GroupNorm, InstanceNorm, LayerNorm)
# What an affine map and its start are described by, in layers with units.
AFFINE = ("units", "bias", "weight")


def varied(layer: L, **options: Any) -> L:
    """Return a new layer with the same arguments, but for some.

    Example:
        >>> varied(Convolution(8, 3, stride=2), stride=1, name="first")
        Convolution(8, 3, name='first')
    """
    args, kwargs = layer.__dict__["_call"]
    bound = signature(type(layer)).bind(*args, **kwargs)
    bound.arguments.update(options)
    return type(layer)(*bound.args, **bound.kwargs)


def given_options(layer: Layer, names: Sequence[str] | None = None) -> dict[str, Any]:
    """Return arguments of a layer that are not the defaults, without its name.

    Args:
        layer: The layer.
        names: Names of the arguments; None for all.
    """
    known = signature(type(layer)).parameters
    return {
        name: value
        for name, value in layer.arguments.items()
        if name != "name" and not is_default(value, known[name].default)
        if names is None or name in names
    }


def in_place_of(layer: Activation, make: Callable[..., Layer], **options: Any) -> Layer:
    """Return another activation with the same affine map before it, if there is one.

    Args:
        layer: The activation.
        make: Class of the new one.
        **options: Its options.

    Example:
        >>> in_place_of(Relu(8, bias=False), Elu, alpha=0.5)
        Elu(8, alpha=0.5, bias=False)
    """
    return make(**given_options(layer, AFFINE), **options)


def without_units(layer: Activation) -> Layer:
    """Return an activation alone, without the affine map before it."""
    rest = {name: v for name, v in given_options(layer).items() if name not in AFFINE}
    return type(layer)(**rest)


def is_dense(layer: Layer) -> bool:
    """Return whether a layer has an affine map of a vector, with or without an activation."""
    return isinstance(layer, Activation) and layer.units is not None


def calls_in(network: Network) -> tuple[Call, ...]:
    """Return the calls of all layers, of those in blocks too, by the names of the layers."""
    calls = parts_of(calls_of(network)).calls
    return tuple(call._replace(name=call.name.replace("@", " ").split()[0]) for call in calls)


def users_of(calls: Sequence[Call]) -> list[list[int]]:
    """Return the positions of the calls that take the output of each."""
    users: list[list[int]] = [[] for _ in calls]
    for place, call in enumerate(calls):
        for source in call.inputs:
            users[source].append(place)
    return users


def first_convolution(network: Network) -> str | None:
    """Return the name of the first convolution, or None."""
    found = (call.name for call in calls_in(network) if type(call.layer) is Convolution)
    return next(found, None)


def keeps_positions(layer: Layer) -> bool:
    """Return whether a layer works on each position alone and has no filters."""
    return isinstance(layer, (*NORMS, *HIDDEN, Dropout)) and not is_dense(layer)


def output_names(network: Network) -> set[str]:
    """Return the names of the layers that give the outputs."""
    return {network.layer_names[place] for place in network.graph.outputs}
