"""Places in the pixels of files and of networks."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

if TYPE_CHECKING:
    from neuropil.core import Network
    from neuropil.datasets import PredictionInputs


class FilePlaces(NamedTuple):
    """How places in resized pictures become places in their files, x before y.

    Attributes:
        factors: ``(N, 2)``, by which they are multiplied.
        ends: ``(N, 2)``, width and height of each file.
    """

    factors: Tensor
    ends: Tensor


def file_places(given: PredictionInputs, count: int) -> FilePlaces | None:
    """Return how places become those of the files; None if these are unknown.

    Args:
        given: The pictures.
        count: Their number.
    """
    if given.sizes is None:
        return None
    inputs = given.inputs
    if isinstance(inputs, Tensor):
        taken = [tuple(inputs.shape[-2:])] * count
    else:
        taken = [inputs.size_of(place) for place in range(count)]
    old, new = (torch.tensor(sizes).reshape(-1, 2).double() for sizes in (taken, given.sizes))
    return FilePlaces((new / old).flip(1), new.flip(1))


def fixed_size(network: Network, who: str) -> tuple[int, int]:
    """Return the height and width of the pictures that a network takes.

    Args:
        network: The network.
        who: What needs them, for the error.

    Raises:
        ValueError: If they are free.
    """
    _, height, width = network.input_shapes[0]
    if height is None or width is None:
        raise ValueError(
            f"{who} needs pictures of one size, since the network has no other way to know it: "
            "choose one with --image-size, or a network with a fixed Input."
        )
    return height, width
