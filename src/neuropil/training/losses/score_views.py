"""Conversion of a network's scores to the inputs of losses and metrics."""

from __future__ import annotations

import functools
import warnings
from typing import TYPE_CHECKING, Any, TypeAlias, final

import torch.nn.functional as F
from torch import Tensor, nn

from neuropil.core import Network
from neuropil.layers import (
    Dropout,
    Flatten,
    GlobalPooling,
    HardSigmoid,
    Identity,
    Module,
    Reshape,
    Sigmoid,
    Softmax,
    Transpose,
)
from neuropil.training.losses.class_axis import axis_of, class_axis

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from neuropil.core.graph import Node
    from neuropil.core.loss_kinds import Takes

# A function from scores to values or log-probabilities; None is the identity.
View: TypeAlias = "Callable[[Any], Any] | None"


# Layers whose outputs are probabilities. `Network.scores` removes a last Softmax or Sigmoid of
# ours, but not those of torch.
PROBABILITIES = (
    *(nn.Sigmoid, nn.Softmax, nn.Softmax2d, nn.Hardsigmoid),
    *(HardSigmoid, Sigmoid, Softmax),
)
# Layers that keep probabilities as they are, so the layer before them is checked.
PASSING = (
    *(nn.Flatten, nn.Unflatten, nn.Identity, nn.Dropout),
    *(Dropout, Flatten, GlobalPooling, Identity, Reshape, Transpose),
)


@final
class Views:
    """Conversions from scores to values and log-probabilities, without another forward pass.

    Args:
        module: The network. Only a `Network` has scores that differ from its values.

    Example:
        >>> import torch
        >>> from neuropil.layers import Input, Sigmoid
        >>> views = Views(Input(1) >> Sigmoid())
        >>> views.see("scores", torch.zeros(1)), views.see("values", torch.zeros(1))
        (tensor([0.]), tensor([0.5000]))
    """

    def __init__(self, module: nn.Module) -> None:
        self.kinds: dict[str, View] = {"scores": None, "values": None}
        self.kinds["log_probabilities"] = None
        if isinstance(module, Network):
            self.kinds["values"] = by_output(value_functions(module))
            self.kinds["log_probabilities"] = by_output(log_functions(module))

    def of(self, takes: Takes) -> View:
        """Return the function from scores to what is taken; None for the identity."""
        return self.kinds[takes]

    def see(self, takes: Takes, scores: Any) -> Any:
        """Convert scores to the input of a loss or metric.

        Args:
            takes: The ``takes`` attribute of the loss or metric.
            scores: Scores of one output, or a tuple of several.
        """
        view = self.kinds[takes]
        return scores if view is None else view(scores)


def by_output(functions: list[View]) -> View:
    """Return one function of the scores of all outputs, or of the first only."""
    if not any(functions):
        return None
    first = functions[0]
    if len(functions) == 1:
        return first

    def view(scores: Any) -> Any:
        if isinstance(scores, Tensor):
            return scores if first is None else first(scores)
        pairs = zip(scores, functions, strict=True)
        return tuple(each if own is None else own(each) for each, own in pairs)

    return view


def value_functions(network: Network) -> list[View]:
    """Return, for each output, the function from its scores to its values."""
    functions = functions_of(network, activation_of)
    axis = class_axis(network)
    return [restore_axis(functions[0], axis)] if axis else functions


def log_functions(network: Network) -> list[View]:
    """Return, for each output, the function from its scores to log-probabilities."""
    single = len(network.graph.outputs) == 1

    def log_of(node: Node) -> View:
        if not isinstance(node.layer, Softmax):
            return F.logsigmoid
        # The class axis of a single output has already been moved to axis 1.
        axis = 0 if single else axis_of(node.layer, len(node.shape or ()))
        return functools.partial(F.log_softmax, dim=1 + axis)

    return functions_of(network, log_of)


def functions_of(network: Network, function_of: Callable[[Node], View]) -> list[View]:
    """Return the function of each output whose scores omit the activation, None for others."""
    pairs = zip(last_nodes(network), without_activation(network), strict=True)
    return [function_of(node) if taken else None for node, taken in pairs]


def last_nodes(network: Network) -> list[Node]:
    """Return the output nodes."""
    return [network.nodes[position] for position in network.graph.outputs]


def without_activation(network: Network) -> list[bool]:
    """Return, for each output, whether its scores omit the last activation."""
    pairs = zip(last_nodes(network), last_nodes(network.scores()), strict=True)
    return [node.layer is not other.layer for node, other in pairs]


def activation_of(node: Node) -> Callable[[Tensor], Tensor]:
    """Return the activation function of a layer, without its affine map."""
    layer: Any = node.layer
    if isinstance(layer, Softmax):
        return Softmax(axis=layer.axis).forward
    return (
        functools.partial(layer.activate, **layer.options) if layer.options else layer.activate
    )


def restore_axis(function: View, axis: int) -> Callable[[Tensor], Tensor]:
    """Return a function that first moves the class axis back from axis 1."""

    def values(scores: Tensor) -> Tensor:
        own = scores.movedim(1, axis + 1)
        return own if function is None else function(own)

    return values


def warn_of_probabilities(module: nn.Module, takers: Sequence[Any]) -> None:
    """Warn if a loss or metric that takes scores gets probabilities.

    Args:
        module: The network, whose last layer may be a sigmoid or softmax of torch.
        takers: Losses and metrics.
    """
    taker = next((each.name for each in takers if each.takes == "scores"), None)
    if taker is None or (isinstance(module, Network) and any(without_activation(module))):
        return
    last = last_module(module)
    if isinstance(last, PROBABILITIES):
        name = type(last).__name__
        warnings.warn(
            f"{taker} takes scores, but the network ends in {name}, whose outputs are "
            f"probabilities: remove {name}, or use neuropil.layers.Softmax or Sigmoid, which "
            f"the trainer removes for the loss.",
            stacklevel=2,
        )


def last_module(module: nn.Module) -> nn.Module:
    """Return the last module that computes the outputs, as far as it can be determined."""
    while True:
        if isinstance(module, Network) and len(module.graph.outputs) == 1:
            module = last_maker(module)
        elif isinstance(module, Module):
            module = module.module
        elif isinstance(module, nn.Sequential) and len(module):
            makers = [part for part in module if not isinstance(part, PASSING)]
            module = makers[-1] if makers else module[-1]
        else:
            return module


def last_maker(network: Network) -> nn.Module:
    """Return the last layer of a network with one output, skipping those of `PASSING`."""
    node = last_nodes(network)[0]
    while isinstance(node.layer, PASSING) and node.inputs and node.inputs[0] >= 0:
        node = network.nodes[node.inputs[0]]
    return node.layer
