"""Declaration of an architecture: the options that all share, and its published facts."""

from __future__ import annotations

import functools
import inspect
import re
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from neuropil.architectures.published.architecture_facts import Architecture
from neuropil.architectures.published.weights import load_weights
from neuropil.layers.blocks.block_style import Choice, Style

if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike

    from neuropil.core import Network, Shape

# An entry of the section Attributes, with the lines that continue it.
ATTRIBUTE = re.compile(r"^    (\w+): .*\n(?: {8}.*\n)*", re.MULTILINE)
# Sections that most architectures share.
SHAPE = "    ``input_shape`` to ``(classes)``, probabilities.\n"
RAISES = (
    "    ShapeError: When an image is too small.\n"
    "    ValueError: When an option is out of its range, or the weights do not fit.\n"
)

P = ParamSpec("P")
Chosen = TypeVar("Chosen", bound="Options")


@dataclass(frozen=True)
class Options:
    """Options that every architecture takes; a subclass has other defaults, or more options.

    What is written here and in subclasses appears in the docstring of each architecture.

    Attributes:
        classes: Number of classes.
        input_shape: ``(C, H, W)``; lengths may be None.
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
    """Options of the architectures that came before normalisation.

    Attributes:
        normalization: As for `ResidualBlock`, for the convolutions; None as in the paper.
    """

    normalization: Choice = None


def architecture(
    options: Callable[P, Chosen], **facts: Any
) -> Callable[[Callable[[Chosen], Network]], Callable[P, Network]]:
    """Return a decorator that makes an architecture of a function of an options object.

    It takes the options themselves, whose names, types and defaults `inspect.signature`, type
    checkers and editors show; it loads weights, and has the published facts. Its docstring
    gets the sections that are the same for all, and the options.

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
        if function.__doc__:  # Python may run without
            build.__doc__ = documented(function.__doc__, options)
        return build

    return decorate


def documented(doc: str, options: Any) -> str:
    """Return the docstring of an architecture with those sections that it leaves out."""
    described: dict[str, str] = {}
    for cls in reversed(options.__mro__):
        found = ATTRIBUTE.finditer(inspect.cleandoc(cls.__doc__) + "\n")
        described |= {attribute[1]: attribute[0] for attribute in found}
    arguments = "".join(described[name] for name in inspect.signature(options).parameters)
    doc = inspect.cleandoc(doc)
    for title, text, following in (
        ("Raises", RAISES, "Reference"),
        ("Args", arguments, "Raises"),
        ("Shape", SHAPE, "Args"),
    ):
        if f"\n{title}:\n" not in doc:
            doc = doc.replace(f"\n{following}:\n", f"\n{title}:\n{text}\n{following}:\n", 1)
    return doc
