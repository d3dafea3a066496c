"""What is published of an architecture: year, paper, accuracy, weights and their names."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from neuropil.core import Network


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


def facts_of(function: Callable[..., object]) -> Architecture | None:
    """Return what is published of an architecture's function; None of any other."""
    return getattr(function, "facts", None)
