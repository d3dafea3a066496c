"""Declaration of an architecture: the options that all share, and its published facts."""

from __future__ import annotations

import functools
import inspect
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from neuropil.architectures.published.architecture_facts import Architecture
from neuropil.architectures.published.weights import load_weights
from neuropil.layers.blocks.block_style import Choice, Style

if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike

    from neuropil.core import Network, Shape

P = ParamSpec("P")
Chosen = TypeVar("Chosen", bound="Options")


@dataclass(frozen=True)
class Options:
    """Options that every architecture takes; a subclass has other defaults, or more options.

    Attributes:
        classes: Number of classes.
        input_shape: ``(C, H, W)``.
        activation: As for `ResidualBlock`.
        normalization: As for `ResidualBlock`.
        weights: Source of the weights, as for `load_weights`; None for random ones.
    """

    classes: int = 1000
    _: KW_ONLY
    input_shape: Shape = (3, 224, 224)
    activation: Choice = "relu"
    normalization: Choice = "batch"
    weights: str | PathLike[str] | None = None

    @property
    def of_blocks(self) -> dict[str, Any]:
        """Activation and normalisation, as options of blocks."""
        return {"activation": self.activation, "normalization": self.normalization}

    @property
    def style(self) -> Style:
        """Style of the convolutions that stand outside blocks."""
        return Style(**self.of_blocks)


@dataclass(frozen=True, kw_only=True)
class PlainOptions(Options):
    """Options of the architectures that came before normalisation."""

    normalization: Choice = None


def architecture(
    options: Callable[P, Chosen], **facts: Any
) -> Callable[[Callable[[Chosen], Network]], Callable[P, Network]]:
    """Return a decorator that makes an architecture of a function of an options object.

    It takes the options themselves, whose names, types and defaults `inspect.signature`, type
    checkers and editors show; it loads weights, and has the published facts.

    Args:
        options: The class of the options.
        **facts: As for `Architecture`, without name and function.
    """
    signature = inspect.signature(options).replace(return_annotation="Network")

    def decorate(function: Callable[[Chosen], Network]) -> Callable[P, Network]:
        @functools.wraps(function)
        def build(*args: P.args, **kwargs: P.kwargs) -> Network:
            try:
                signature.bind(*args, **kwargs)
            except TypeError as error:
                raise TypeError(f"{function.__name__}() {error}") from None
            chosen = options(*args, **kwargs)
            network = function(chosen)
            if chosen.weights is not None:
                load_weights(network, chosen.weights, build)
            return network

        vars(build).update(
            facts=Architecture(function.__name__, build, **facts), __signature__=signature
        )
        return build

    return decorate
