"""Pictures of more than 8 bits: their values, and the value of white."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neuropil.datasets.data_errors import DataError

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

DEEP_GREY = ("I", "F")
"""Prefixes of the modes of more than 8 bits."""
DEEP_COLOUR = ("RGB;16L", "RGB;16B", "RGB;16N")
"""Raw modes of 16 bits per channel, of which Pillow keeps only the upper 8."""
LOWER_BYTES = {"RGB;16L": "RGB;16B", "RGB;16B": "RGB;16L", "RGB;16N": "RGB;16B"}
"""The raw mode with the other byte order, whose upper 8 bits are the lower ones of the file."""
WHITES = tuple(float(2**bits - 1) for bits in (8, 10, 12, 14, 16))


def is_deep(image: ImageFile) -> bool:
    """Return whether the values of a picture have more than 8 bits, from its header."""
    return image.mode.startswith(DEEP_GREY) or raw_mode(image) in DEEP_COLOUR


def raw_mode(image: ImageFile) -> str:
    """Return Pillow's raw mode of a file; empty if unknown."""
    for tile in image.tile:
        mode = tile.args[0] if isinstance(tile.args, tuple) and tile.args else tile.args
        return mode if isinstance(mode, str) else ""
    return ""


def swap_bytes(image: ImageFile) -> None:
    """Make Pillow decode the lower 8 of 16 bits of a colour picture."""
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
        values: The values in the file.
        channels: 1 for grey, 3 for colour.

    Raises:
        DataError: If the values are negative or have more than 16 bits.
    """
    low, high = float(values.min()), float(values.max())
    if not 0 <= low <= high <= WHITES[-1]:
        raise DataError(
            f"its values range from {low:g} to {high:g}, which is not a range of grey levels"
        )
    planes = np.atleast_3d(values).transpose(2, 0, 1).astype(np.float32)
    if channels == 1 and len(planes) == 3:
        # ITU-R 601 luma weights, as in Pillow.
        planes = np.tensordot(np.array([0.299, 0.587, 0.114], np.float32), planes, axes=1)[None]
    return np.repeat(planes, channels, axis=0) if len(planes) < channels else planes


def white_of(high: float, *, fractions: bool) -> float:
    """Return the value of white for values up to `high`: the maximum of the smallest bit depth.

    Cameras and scanners store 10, 12 or 14 bits in files of 16.

    Args:
        high: The largest value.
        fractions: Whether files hold floating-point numbers, which may range from 0 to 1.
    """
    if fractions and high <= 1:
        return 1.0
    return next(white for white in WHITES if high <= white)
