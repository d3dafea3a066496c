"""Pictures that take the place of one that cannot be decoded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    from torch import Tensor

SUBSTITUTES = 8
"""Number of pictures to try in place of one that cannot be decoded."""
MOST_NUMBERS = 2**22
"""Number of target values that are compared at once: masks have one for each pixel."""


class BrokenPictureWarning(UserWarning):
    """A picture cannot be decoded, and another takes its place."""


def nearest_targets(targets: Tensor | None, count: int, place: int) -> list[int]:
    """Return the places of the other pictures with the nearest targets, nearest first.

    Among equal targets, the nearest in the order of the pictures come first.

    Args:
        targets: The targets of all pictures, or None.
        count: Number of pictures.
        place: The place of the picture to be replaced.
    """
    keys = [np.abs(np.arange(count) - place)]
    if targets is not None:
        values = targets.reshape(count, -1)
        parts = values.split(max(1, MOST_NUMBERS // max(1, values.shape[1])))
        distances = [(part.double() - values[place].double()).abs().sum(1) for part in parts]
        keys.append(torch.cat(distances).numpy())
    return np.lexsort(keys)[1 : SUBSTITUTES + 1].tolist()
