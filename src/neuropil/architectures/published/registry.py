"""Declaration of an architecture: the options that all share, and its published facts."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, ParamSpec, TypedDict

from neuropil.architectures.published.architecture_facts import Architecture
from neuropil.architectures.published.weights import load_weights

if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike

    from neuropil.core import Network, Shape
    from neuropil.layers.blocks.block_style import Choice

P = ParamSpec("P")


class Options(TypedDict, total=False):
    """Options that every architecture takes, besides the number of classes.

    Attributes:
        input_shape: ``(C, H, W)``.
        activation: As for `ResidualBlock`.
        normalization: As for `ResidualBlock`.
        weights: Source of the weights, as for `load_weights`; None for random ones.
    """

    input_shape: Shape
    activation: Choice
    normalization: Choice
    weights: str | PathLike[str] | None


def architecture(
    **facts: Any,
) -> Callable[[Callable[P, Network]], Callable[P, Network]]:
    """Return a decorator that attaches published facts to an architecture and loads weights.

    Args:
        **facts: As for `Architecture`, without name and function.
    """

    def decorate(function: Callable[P, Network]) -> Callable[P, Network]:
        @functools.wraps(function)
        def wrapped(*args: P.args, **kwargs: P.kwargs) -> Network:
            weights: Any = kwargs.pop("weights", None)
            network = function(*args, **kwargs)
            if weights is not None:
                load_weights(network, weights, wrapped)
            return network

        vars(wrapped).update(facts=Architecture(function.__name__, wrapped, **facts))
        return wrapped

    return decorate
