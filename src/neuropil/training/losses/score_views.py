"""Conversion of a network's scores to the inputs of losses and metrics."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, TypeAlias, final

import torch.nn.functional as F
from torch import Tensor, nn

from neuropil.core import Network
from neuropil.layers import Softmax
from neuropil.training.losses.class_axis import axis_of, class_axis

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuropil.core.graph import Node
    from neuropil.core.loss_kinds import Takes

# A function from scores to values or log-probabilities; None is the identity.
View: TypeAlias = "Callable[[Any], Any] | None"


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
