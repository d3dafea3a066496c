"""Published facts of an architecture: year, paper, accuracy, weights and their names."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from neuropil.core import Network


@dataclass(frozen=True)
class Published:
    """Source of published weights, and the normalisation of images that they expect.

    Attributes:
        repository: Repository on the hub.
        mean: Mean of each channel, for images with values from 0 to 1.
        std: Standard deviation of each channel, for images with values from 0 to 1.
    """

    repository: str
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    std: tuple[float, ...] = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class PictureForm:
    """The form of the images that weights expect.

    Attributes:
        mean: Mean of red, green and blue, for images with values from 0 to 1.
        std: What the difference to the mean is divided by, for red, green and blue.
        blue_first: Whether the channels are blue, green, red.
    """

    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    std: tuple[float, ...] = (0.229, 0.224, 0.225)
    blue_first: bool = False


@dataclass(frozen=True)
class Architecture:
    """One row of the table of architectures.

    Attributes:
        name: Name of the function.
        build: The function.
        year: Year of the paper.
        paper: Authors and title of the paper.
        accuracy: Published accuracy and data set, such as ``"76.1 % ImageNet"``. For ImageNet
            it is the top-1 accuracy from one crop. Where weights are published it is theirs.
        source: Where the accuracy is from: ``"paper"``, or the library that publishes weights,
            such as ``"torchvision"``.
        keys: For each implementation, the names of its modules with parameters, in the order
            of our layers with parameters.
        forms: For some of these implementations, the form of images that its weights expect.
        published: Source of ``weights="imagenet"``, or None.
    """

    name: str
    build: Callable[..., Network]
    year: int
    paper: str
    accuracy: str
    source: str
    keys: Mapping[str, Callable[[], Iterator[str]]] = field(default_factory=dict)
    forms: Mapping[str, PictureForm] = field(default_factory=dict)
    published: Published | None = None


def facts_of(function: Callable[..., object]) -> Architecture | None:
    """Return the published facts of an architecture's function; None for any other function."""
    return getattr(function, "facts", None)
