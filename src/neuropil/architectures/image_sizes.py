"""Sizes of images: small ones need another first layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from neuropil.core import Shape

# Images below this side would be shrunk to nothing by stems made for 224 pixels.
SMALL_SIDE = 64


def shortest_side(input_shape: Shape, free: int) -> int:
    """Return the shortest side of an image.

    Args:
        input_shape: ``(C, H, W)``.
        free: Length to assume for a free one.
    """
    return min(free if length is None else length for length in input_shape[1:])


def is_small(input_shape: Shape, side: int = SMALL_SIDE) -> bool:
    """Tell whether an image is smaller than a stem needs; free lengths are not."""
    return shortest_side(input_shape, side) < side
