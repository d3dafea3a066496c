"""Points with their names on a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neuropil.plots.detection.drawn_boxes import (
    DARK,
    LEAST_SIDE,
    Mark,
    as_array,
    as_image,
    enlarged,
    font_of,
    place_text,
)
from neuropil.plots.theme import SERIES, label

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL.Image import Image as Picture
    from PIL.ImageDraw import ImageDraw

Array = np.ndarray[Any, Any]
Corners = tuple[float, float, float, float]

FOUND, TRUE = SERIES[5], SERIES[4]
# Shares of the longer side.
RADIUS_SHARE, TEXT_SHARE = 1 / 130, 1 / 32
SMALLEST_TEXT = 12
# More names would hide the picture.
MOST_NAMES = 10
VISIBLE = 0.5


def points(
    picture: Any, found: Any, names: Sequence[str] = (), *, truth: Any = None
) -> Picture:
    """Draw points on a picture, with their names if there are at most ten.

    Points that are probably hidden are rings. A line leads from each predicted point, in
    orange, to the true one, a ring in blue.

    Shape:
        `picture`: ``(H, W)``, ``(H, W, 3)`` or ``(C, H, W)`` in bytes, with 1 or 3 channels, or
        a picture of Pillow. `found`:
        ``(P, 2)`` or ``(P, 3)``: x, y, and the probability of being visible. `truth`: ``(P,
        3)``: x, y, visibility, where 0 is a missing point.

    Args:
        picture: The picture. The result has its size; only pictures below 400 pixels are
            enlarged by a whole factor.
        found: The points in pixels of the picture, x to the right and y down.
        names: Name of each point.
        truth: True points, or None.

    Raises:
        ValueError: If the picture or the points have another shape, or are not finite.

    Example:
        >>> import numpy as np
        >>> from neuropil.plots import points
        >>> wall = np.full((300, 500, 3), 200, np.uint8)
        >>> points(wall, [[250, 150, 0.9]], ["nail"]).size
        (500, 300)
    """
    return draw_points(picture, found, names, truth, least=LEAST_SIDE)


def draw_points(
    picture: Any, found: Any, names: Sequence[str], truth: Any, *, least: int
) -> Picture:
    """Draw points as `points` does.

    Args:
        picture: The picture.
        found: The points, or None.
        names: Name of each point.
        truth: True points, or None.
        least: A picture whose longer side is shorter is enlarged by a whole factor.

    Raises:
        ValueError: If the picture or the points have another shape, or are not finite.
    """
    from PIL import ImageDraw

    guesses, true = rows_of(found, "found"), rows_of(truth, "truth")
    image, factor = enlarged(as_image(picture), least)
    longest = max(image.size)
    radius = max(2.0, longest * RADIUS_SHARE)
    draw = ImageDraw.Draw(image)
    for place, row in enumerate(true):
        if row[2] > 0:
            if len(guesses):
                ends = [tuple(factor * each[:2]) for each in (row, guesses[place])]
                draw.line(ends, fill=TRUE, width=max(1, round(radius / 2)))
            ring(draw, factor * row[:2], radius, TRUE)
    for row in guesses:
        dot = disc if row[2] >= VISIBLE else ring
        dot(draw, factor * row[:2], radius, FOUND)
    shown = guesses if len(guesses) else true[true[:, 2] > 0]
    if 0 < len(names) <= MOST_NAMES and len(shown) == len(names):
        font = font_of(max(SMALLEST_TEXT, round(longest * TEXT_SHARE)))
        tags: list[Corners] = []
        for name, row in zip(names, shown, strict=True):
            corners = around(factor * row[:2], 1.5 * radius)
            mark = Mark(corners, FOUND if len(guesses) else TRUE, (label(name),))
            place_text(draw, mark, font, image.size, tags)
    return image


def rows_of(given: Any, name: str) -> Array:
    """Return points as rows of three numbers.

    Raises:
        ValueError: If they are not points.
    """
    rows = np.zeros((0, 3)) if given is None else np.asarray(as_array(given), np.float64)
    if rows.ndim != 2 or rows.shape[1] not in (2, 3) or not np.isfinite(rows).all():
        raise ValueError(
            f"points: {name} must have finite rows x, y and possibly the visibility; got the "
            f"shape {rows.shape}."
        )
    if rows.shape[1] == 2:
        rows = np.column_stack([rows, np.ones(len(rows))])
    return rows


def around(place: Array, radius: float) -> Corners:
    """Return the box around a circle."""
    x, y = place.tolist()
    return x - radius, y - radius, x + radius, y + radius


def disc(draw: ImageDraw, place: Array, radius: float, color: str) -> None:
    """Draw a filled circle, with a dark edge that shows it on any background."""
    draw.ellipse(around(place, radius), fill=color, outline=DARK)


def ring(draw: ImageDraw, place: Array, radius: float, color: str) -> None:
    """Draw a circle, with a dark edge that shows it on any background."""
    width = max(1, round(radius / 2))
    draw.ellipse(around(place, radius + 1), outline=DARK, width=width + 2)
    draw.ellipse(around(place, radius), outline=color, width=width)
