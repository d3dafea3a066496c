"""Pictures of more than 8 bits: their values, and what counts as white among them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neuropil.datasets.data_errors import DataError

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

DEEP_GREY = ("I", "F")
"""How the names of modes of more than 8 bits begin."""
DEEP_COLOUR = ("RGB;16L", "RGB;16B", "RGB;16N")
"""How Pillow calls 16 bits a channel in a file; it would keep the upper 8 of them."""
LOWER_BYTES = {"RGB;16L": "RGB;16B", "RGB;16B": "RGB;16L", "RGB;16N": "RGB;16B"}
"""Read in the other order of bytes, the upper 8 bits are the lower ones."""
WHITES = tuple(float(2**bits - 1) for bits in (8, 10, 12, 14, 16))


def is_deep(image: ImageFile) -> bool:
    """Tell whether the values of a picture need more than 8 bits, before it is decoded."""
    return image.mode.startswith(DEEP_GREY) or raw_mode(image) in DEEP_COLOUR


def raw_mode(image: ImageFile) -> str:
    """Return how the file stores a pixel, as Pillow calls it; empty if it says nothing."""
    for tile in image.tile:
        mode = tile.args[0] if isinstance(tile.args, tuple) and tile.args else tile.args
        return mode if isinstance(mode, str) else ""
    return ""


def swap_bytes(image: ImageFile) -> None:
    """Make Pillow decode the lower 8 of 16 bits of a colour picture that is not decoded yet."""
    swapped = LOWER_BYTES[raw_mode(image)]
    image.tile = [
        tile._replace(
            args=(swapped, *tile.args[1:]) if isinstance(tile.args, tuple) else swapped
        )
        for tile in image.tile
    ]


def as_planes(values: np.ndarray[Any, Any], channels: int) -> np.ndarray[Any, Any]:
    """Return ``(H, W)`` or ``(H, W, 3)`` values as ``(C, H, W)`` in single precision.

    Args:
        values: What the file holds.
        channels: 1 for grey, 3 for colour.

    Raises:
        DataError: If the range of values is no common one.
    """
    low, high = float(values.min()), float(values.max())
    if not 0 <= low <= high <= WHITES[-1]:
        raise DataError(
            f"its values run from {low:g} to {high:g}, which is no common range of greys"
        )
    planes = np.atleast_3d(values).transpose(2, 0, 1).astype(np.float32)
    if channels == 1 and len(planes) == 3:
        # The weights that Pillow uses as well.
        planes = np.tensordot(np.array([0.299, 0.587, 0.114], np.float32), planes, axes=1)[None]
    return np.repeat(planes, channels, axis=0) if len(planes) < channels else planes


def white_of(high: float, *, fractions: bool) -> float:
    """Return the value of white among values up to `high`: the largest number of some bits.

    Cameras and scanners store 10, 12 or 14 bits in files of 16.

    Args:
        high: The largest value.
        fractions: Whether files hold floating-point numbers, which may run from 0 to 1.
    """
    if fractions and high <= 1:
        return 1.0
    return next(white for white in WHITES if high <= white)
