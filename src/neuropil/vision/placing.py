"""Places in the pixels of files, from places in the pixels that a network takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

if TYPE_CHECKING:
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
