"""How large pictures are: small ones get another first layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from neuropil.core import Shape

# Pictures below this side would be shrunk to nothing by stems made for 224 pixels.
SMALL_SIDE = 64


def shortest(input_shape: Shape, free: int) -> int:
    """Return the shortest side of a picture.

    Args:
        input_shape: ``(C, H, W)``.
        free: What a free length counts as.
    """
    return min(free if length is None else length for length in input_shape[1:])


def is_small(input_shape: Shape, side: int = SMALL_SIDE) -> bool:
    """Tell whether a picture is smaller than what a stem is made for; free ones are not."""
    return shortest(input_shape, side) < side
