"""Outlines of objects: the box around one is its label."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

FEWEST = 6
"""Number of coordinates of the smallest outline, a triangle."""


def around(points: Sequence[float]) -> list[float] | None:
    """Return the corners of the box around an outline; None if it is not one.

    Args:
        points: The points, as x, y, x, y and so on.

    Example:
        >>> around([1, 2, 5, 2, 3, 7])
        [1, 2, 5, 7]
    """
    if len(points) < FEWEST or len(points) % 2:
        return None
    if any(map(math.isnan, points)):
        return [math.nan] * 4
    across, along = points[::2], points[1::2]
    return [min(across), min(along), max(across), max(along)]
