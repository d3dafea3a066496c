"""What is known of each architecture: year, paper, accuracy, the names in published weights."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ParamSpec, TypedDict

from neuropil.architectures.published.weights import load_weights

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from os import PathLike

    from neuropil.core import Network, Shape
    from neuropil.layers.blocks.block_style import Choice

P = ParamSpec("P")


class Options(TypedDict, total=False):
    """What every architecture takes, beside the number of classes.

    Attributes:
        input_shape: ``(C, H, W)``.
        activation: As for `ResidualBlock`.
        normalization: As for `ResidualBlock`.
        weights: Where weights come from, as for `load_weights`; None draws them.
    """

    input_shape: Shape
    activation: Choice
    normalization: Choice
    weights: str | PathLike[str] | None


@dataclass(frozen=True)
class Published:
    """Where weights are published, and what pictures they expect.

    Attributes:
        repository: The hub's repository.
        mean: Of each channel, for pictures from 0 to 1.
        std: Standard deviation of each channel, likewise.
    """

    repository: str
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    std: tuple[float, ...] = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Architecture:
    """One row of the zoo's table.

    Attributes:
        name: The function's name.
        build: The function.
        year: Of the paper.
        paper: Authors and title.
        accuracy: Published accuracy and on what, such as ``"76.1 % ImageNet"``: of ImageNet the
            share of pictures whose first guess is right, from one crop. Where weights are
            published it is theirs.
        source: Whose figure that is: ``"paper"``, or the library that publishes weights, such
            as ``"torchvision"``.
        keys: By whose weights: the names of that implementation's modules with parameters, in
            the order of our layers with parameters.
        published: Where ``weights="imagenet"`` come from, or None.
    """

    name: str
    build: Callable[..., Network]
    year: int
    paper: str
    accuracy: str
    source: str
    keys: Mapping[str, Callable[[], Iterator[str]]] = field(default_factory=dict)
    published: Published | None = None


ZOO: dict[str, Architecture] = {}


def architecture(
    **facts: Any,
) -> Callable[[Callable[P, Network]], Callable[P, Network]]:
    """Return a decorator: enter a function into the zoo, and load weights where asked to.

    Args:
        **facts: As for `Architecture`, without name and function.
    """

    def decorate(function: Callable[P, Network]) -> Callable[P, Network]:
        @functools.wraps(function)
        def wrapped(*args: P.args, **kwargs: P.kwargs) -> Network:
            weights: Any = kwargs.pop("weights", None)
            network = function(*args, **kwargs)
            if weights is not None:
                load_weights(network, weights, ZOO[function.__name__])
            return network

        ZOO[function.__name__] = Architecture(function.__name__, wrapped, **facts)
        return wrapped

    return decorate
