"""Pictures that take the place of one that cannot be decoded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

SUBSTITUTES = 8
"""Number of pictures to try in place of one that cannot be decoded."""


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
        values = targets.reshape(count, -1).double().numpy()
        keys.append(np.abs(values - values[place]).sum(axis=1))
    return np.lexsort(keys)[1 : SUBSTITUTES + 1].tolist()
