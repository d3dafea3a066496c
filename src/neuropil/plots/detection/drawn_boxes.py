"""Boxes with names and scores on a picture."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from neuropil.plots.palette import class_palette
from neuropil.plots.theme import label

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from PIL.Image import Image as Picture
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

Array = np.ndarray[Any, Any]
Corners = tuple[float, float, float, float]

# Smaller pictures are enlarged by a whole factor until their longer side has this length:
# names could not be read on them.
LEAST_SIDE = 400
# Below this side the pixels are enlarged as squares, not blurred.
PIXELATED_TO = 96
SMALLEST_TEXT = 12
TEXT_SHARE, LINE_SHARE = 1 / 40, 1 / 240
FAINT = 0.6  # of the width of a line
DARK, LIGHT = "#10161d", "#ffffff"
# A name may cover this share of another one before a shorter text is tried.
MOST_COVERED = 0.12


class Mark(NamedTuple):
    """A box to be drawn.

    Attributes:
        corners: x₁, y₁, x₂, y₂ in pixels of the picture.
        color: Its colour, as ``#rrggbb``.
        texts: What to write beside it: the first that finds room, none if none does.
        dashed: Whether its line is dashed.
        faint: Whether its line is thin.
    """

    corners: Corners
    color: str
    texts: tuple[str, ...] = ()
    dashed: bool = False
    faint: bool = False


def boxes(
    picture: Any, found: Any, classes: Sequence[str] = (), *, truth: Any = None
) -> Picture:
    """Draw boxes with the name of their class and their score on a picture.

    Each class has its own colour. Names do not cover each other where there is room; where
    there is none, the score alone is written, or nothing. True boxes are dashed.

    Shape:
        `picture`: ``(H, W)``, ``(H, W, 3)`` or ``(C, H, W)`` in bytes, with 1 or 3 channels, or
        a picture of Pillow. `found`:
        ``(M, 5)`` or ``(M, 6)``: x₁, y₁, x₂, y₂, the score if any, the class number; rows of
        class −1 are skipped. `truth`: ``(M, 5)``.

    Args:
        picture: The picture. The result has its size; only pictures below 400 pixels are
            enlarged by a whole factor.
        found: The boxes in pixels of the picture, x to the right and y down.
        classes: Name of each class; by default its number.
        truth: True boxes, or None.

    Raises:
        ValueError: If the picture or the boxes have another shape, or a class has no name.

    Example:
        >>> import numpy as np
        >>> from neuropil.plots import boxes
        >>> sky = np.full((300, 500, 3), 200, np.uint8)
        >>> boxes(sky, [[20, 60, 200, 160, 0.91, 1]], ["bird", "plane"]).size
        (500, 300)
    """
    guesses, true = rows_of(found, "found", classes), rows_of(truth, "truth", classes)
    count = len(classes) or 1 + max((row.number for row in (*guesses, *true)), default=0)
    colors = class_palette(count)
    marks = [Mark(row.corners, colors[row.number], (), dashed=True) for row in true]
    for row in guesses:
        name = label(classes[row.number] if classes else row.number)
        score = () if row.score is None else (f"{row.score:.2f}",)
        marks.append(Mark(row.corners, colors[row.number], (" ".join((name, *score)), *score)))
    return draw_marks(picture, marks)


class Row(NamedTuple):
    """A box as it was given."""

    corners: Corners
    score: float | None
    number: int


def rows_of(given: Any, name: str, classes: Sequence[str]) -> list[Row]:
    """Return the boxes that are not padding; those that count for nothing have their class.

    Raises:
        ValueError: If they are not boxes, or a class has no name.
    """
    if given is None:
        return []
    rows = np.asarray(as_array(given), np.float64)
    if rows.size == 0:
        return []
    if rows.ndim != 2 or rows.shape[1] not in (5, 6):
        raise ValueError(
            f"boxes: {name} must have rows x₁, y₁, x₂, y₂, class, with the score before the "
            f"class if there is one; got the shape {rows.shape}."
        )
    result = []
    for row in rows[rows[:, -1] != -1]:
        number = int(row[-1]) if row[-1] >= 0 else int(-2 - row[-1])
        if not np.isfinite(row).all() or (classes and number >= len(classes)):
            raise ValueError(
                f"boxes: {name} has the row {row.tolist()}, with {len(classes)} classes."
            )
        score = float(row[4]) if len(row) == 6 else None
        result.append(Row(tuple(row[:4].tolist()), score, number))
    return result


def draw_marks(
    picture: Any,
    marks: Iterable[Mark],
    *,
    least: int = LEAST_SIDE,
    text_share: float = TEXT_SHARE,
) -> Picture:
    """Draw boxes with texts on a picture; the later ones are above the earlier ones.

    Args:
        picture: As `boxes` takes it.
        marks: The boxes.
        least: A picture whose longer side is shorter is enlarged by a whole factor.
        text_share: Height of the text as a share of the longer side.

    Raises:
        ValueError: If the picture has another shape.
    """
    from PIL import ImageDraw

    image, factor = enlarged(as_image(picture), least)
    longest = max(image.size)
    font = font_of(max(SMALLEST_TEXT, round(longest * text_share)))
    width = max(2, round(longest * LINE_SHARE))
    draw = ImageDraw.Draw(image)
    scaled = [mark._replace(corners=within(mark.corners, factor, image.size)) for mark in marks]
    for mark in scaled:
        draw_frame(draw, mark, max(1, round(FAINT * width)) if mark.faint else width)
    tags: list[Corners] = []
    # Small boxes first: the tags of large ones have more places to go.
    for mark in sorted(scaled, key=lambda mark: area(mark.corners)):
        place_text(draw, mark, font, image.size, tags)
    return image


def as_image(picture: Any) -> Picture:
    """Return a picture as one of Pillow in RGB.

    Raises:
        ValueError: If it is not a picture.
    """
    from PIL import Image

    if isinstance(picture, Image.Image):
        return picture.convert("RGB")
    pixels = as_array(picture)
    if pixels.ndim == 3 and pixels.shape[2] != 3 and pixels.shape[0] in (1, 3):
        pixels = np.moveaxis(pixels, 0, 2)
    pixels = pixels[..., 0] if pixels.shape[2:] == (1,) else pixels
    known = pixels.ndim in (2, 3) and pixels.shape[2:] in ((), (3,))
    if pixels.dtype != np.uint8 or not known:
        raise ValueError(
            "the picture must be one of Pillow, or bytes (H, W), (H, W, 3) or (C, H, W), got "
            f"{pixels.dtype} of shape {pixels.shape}."
        )
    return Image.fromarray(np.ascontiguousarray(pixels)).convert("RGB")


def as_array(given: Any) -> Array:
    """Return values as an array; a tensor may need a gradient, and be on any device."""
    return np.asarray(given.detach().cpu() if hasattr(given, "detach") else given)


def enlarged(image: Picture, least: int) -> tuple[Picture, int]:
    """Return a picture that is large enough for names, and the factor of its sides."""
    from PIL.Image import Resampling

    longest = max(image.size)
    factor = -(-least // longest) if longest < least else 1
    if factor == 1:
        return image.copy(), 1
    method = Resampling.NEAREST if longest <= PIXELATED_TO else Resampling.BICUBIC
    return image.resize((image.width * factor, image.height * factor), method), factor


@cache
def font_of(size: int) -> FreeTypeFont:
    """Return the font of matplotlib, which has most letters of most languages."""
    from matplotlib import get_data_path
    from PIL import ImageFont

    return ImageFont.truetype(Path(get_data_path(), "fonts", "ttf", "DejaVuSans.ttf"), size)


def within(corners: Corners, factor: int, size: tuple[int, int]) -> Corners:
    """Return the corners of a box in pixels of the enlarged picture, cut off at its border."""
    x1, y1, x2, y2 = (factor * value for value in corners)
    (left, right), (top, bottom) = (
        sorted(min(max(value, 0.0), length - 1.0) for value in pair)
        for pair, length in (((x1, x2), size[0]), ((y1, y2), size[1]))
    )
    return left, top, right, bottom


def area(corners: Corners) -> float:
    """Return the area of a box."""
    return (corners[2] - corners[0]) * (corners[3] - corners[1])


def draw_frame(draw: ImageDraw, mark: Mark, width: int) -> None:
    """Draw the line of a box, with a dark edge that shows it on any background."""
    box = tuple(map(round, mark.corners))
    if mark.dashed:
        draw_dashes(draw, box, mark.color, width)
        return
    grown = (box[0] - 1, box[1] - 1, box[2] + 1, box[3] + 1)
    if not mark.faint:
        draw.rectangle(grown, outline=DARK, width=width + 2)
    draw.rectangle(box, outline=mark.color, width=width)


def draw_dashes(draw: ImageDraw, box: Any, color: str, width: int) -> None:
    """Draw a box with a dashed line: coloured dashes on a dark line."""
    x1, y1, x2, y2 = box
    draw.rectangle(box, outline=DARK, width=width)
    dash = 4 * width
    for start, stop, at, across in (
        (x1, x2, y1, True), (x1, x2, y2 - width + 1, True),
        (y1, y2, x1, False), (y1, y2, x2 - width + 1, False),
    ):  # fmt: skip
        for first in range(start, stop + 1, 2 * dash):
            last = min(first + dash, stop)
            end = at + width - 1
            piece = (first, at, last, end) if across else (at, first, end, last)
            if last >= first and end >= at:
                draw.rectangle(piece, fill=color)


def place_text(
    draw: ImageDraw, mark: Mark, font: FreeTypeFont, size: tuple[int, int], tags: list[Corners]
) -> None:
    """Write the first text of a box that finds room beside those already written.

    Args:
        draw: The picture.
        mark: The box.
        font: The font.
        size: Width and height of the picture.
        tags: The places of the texts so far; gains that of this one.
    """
    pad = max(1, font.size // 6)
    for text in mark.texts:
        left, _, right, _ = draw.textbbox((0, 0), text, font=font)
        height = sum(font.getmetrics()) + pad // 2
        width = right - left + 2 * pad
        place = best_place(mark.corners, width, height, size, tags)
        if place is not None:
            tags.append(place)
            draw.rectangle(place, fill=mark.color, outline=DARK)
            ink = DARK if lightness(mark.color) > 0.55 else LIGHT
            draw.text((place[0] + pad - left, place[1]), text, font=font, fill=ink)
            return


def best_place(
    corners: Corners, width: float, height: float, size: tuple[int, int], tags: list[Corners]
) -> Corners | None:
    """Return the place for a text beside a box: the first of those that cover others least.

    Returns:
        None if each place covers too much of another text.
    """
    x1, y1, x2, y2 = corners
    corners_of_text = [
        (x1, y1 - height), (x2 - width, y1 - height), (x1, y2), (x2 - width, y2),
        (x1, y1), (x2 - width, y1), (x1, y2 - height), (x2, y1), (x1 - width, y1),
    ]  # fmt: skip
    places = []
    for left, top in corners_of_text:
        left = min(max(left, 0), max(0, size[0] - width - 1))
        top = min(max(top, 0), max(0, size[1] - height - 1))
        places.append((left, top, left + width, top + height))
    # All at once: a crowded picture has a thousand texts.
    areas = common(np.array(places)[:, None], np.array(tags).reshape(1, -1, 4))
    covered = areas.max(axis=1, initial=0) / (width * height)
    best = int(covered.argmin())
    return places[best] if covered[best] < MOST_COVERED else None


def common(one: Array, other: Array) -> Array:
    """Return the areas that boxes have in common, from corners on the last axis."""
    low = np.maximum(one[..., :2], other[..., :2])
    high = np.minimum(one[..., 2:], other[..., 2:])
    return np.maximum(high - low, 0).prod(axis=-1)


def lightness(color: str) -> float:
    """Return how light a colour is, from 0 to 1, as the eye weights its parts."""
    red, green, blue = (int(color[k : k + 2], 16) / 255 for k in (1, 3, 5))
    return 0.299 * red + 0.587 * green + 0.114 * blue
