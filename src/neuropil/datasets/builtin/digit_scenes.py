"""Scenes of handwritten digits with a box around each: small data for detectors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from neuropil.checks import number, whole
from neuropil.datasets.annotations.boxes_target import Boxes
from neuropil.datasets.builtin.digits import bundled_rows
from neuropil.datasets.dataset import Dataset
from neuropil.datasets.pictures.picture_preparation import PicturePreparation, rim_brightness
from neuropil.datasets.splits import Splits
from neuropil.datasets.splitting import split_indices

if TYPE_CHECKING:
    Array = np.ndarray[Any, Any]

SIDE = 8
"""Height and width of the bundled digits."""
INK = 16
"""The value of ink in the bundled digits."""
HELD_OUT = 0.2
"""The parts of the digits from which the scenes of validation and of the test are made."""
TRIES = 20
"""Number of places that are tried for a digit; the one with the least overlap is taken."""


def make_digit_scenes(
    count: int = 1000,
    *,
    size: int | tuple[int, int] = 96,
    digits: int | tuple[int, int] = (1, 5),
    scale: tuple[float, float] = (2.0, 5.0),
    seed: int = 0,
    validation: float = 0.1,
    test: float = 0.2,
) -> Splits:
    """Return scenes of handwritten digits with a box around each, split.

    The digits are those of `load_handwritten_digits`, cut to their ink, enlarged, and put at
    random places where they overlap little. A digit that is in scenes of one part is in none of
    another.

    Shape:
        Inputs ``(N, 1, H, W)``, bytes from 0 (paper) to 255 (ink); targets ``(N, M, 5)`` as
        `Boxes` gives them: x₁, y₁, x₂, y₂ in pixels and the digit, padded with −1.

    Args:
        count: Number of scenes.
        size: Side of the canvas, or height and width.
        digits: Smallest and largest number of digits in a scene, drawn uniformly; or one
            number. With 1, scenes suit classification with localisation.
        scale: Smallest and largest enlargement of the digits, which are 8 pixels high.
        seed: The same seed gives the same scenes.
        validation: Fraction (below 1) or number of scenes for validation; 0 for none.
        test: Fraction (below 1) or number of scenes for the test; 0 for none.

    Raises:
        ValueError: If an argument is out of its range, or a digit may not fit on the canvas.

    Example:
        >>> from neuropil.datasets import make_digit_scenes
        >>> scenes = make_digit_scenes(30, size=64, digits=(2, 3), scale=(2, 3))
        >>> scenes
        Splits(digit scenes: 21 training, 3 validation, 6 test examples of shape (1, 64, 64))
        >>> scenes.train.targets[0].long()
        tensor([[20, 42, 32, 58,  7],
                [ 6, 36, 20, 58,  6],
                [30,  6, 42, 25,  6]])
    """
    height, width = (size, size) if isinstance(size, int) else size
    fewest, most = (digits, digits) if isinstance(digits, int) else digits
    whole(count, "make_digit_scenes: count")
    for side in (height, width):
        whole(side, "make_digit_scenes: size", minimum=SIDE, maximum=4096)
    whole(most, "make_digit_scenes: digits", minimum=whole(fewest, "make_digit_scenes: digits"))
    low = number(scale[0], "make_digit_scenes: scale", "[1, inf)")
    largest = min(height, width) / SIDE
    high = number(scale[1], "make_digit_scenes: scale", f"[{low:g}, {largest:g}]")
    random = np.random.default_rng(seed)
    scenes = split_indices(torch.zeros(count), validation=validation, test=test, seed=seed)
    rows = bundled_rows()
    own = split_indices(rows[:, -1], validation=HELD_OUT, test=HELD_OUT, seed=seed)
    target = Boxes([str(digit) for digit in range(10)])

    def draw(places: torch.Tensor, glyphs: torch.Tensor) -> Dataset:
        counts = random.integers(fewest, most + 1, len(places)).tolist()
        mine, canvas = rows[glyphs.numpy()], (height, width)
        drawn = [draw_scene(each, canvas, (low, high), mine, random) for each in counts]
        targets = target.collate([boxes for _, boxes in drawn], "make_digit_scenes")
        return Dataset(np.stack([scene for scene, _ in drawn])[:, None], targets)

    train = draw(scenes[0], own[0])
    middle, held_out = (
        draw(*part) if len(part[0]) else None for part in zip(scenes[1:], own[1:], strict=True)
    )
    background = rim_brightness(train.inputs, 0, 255)
    preparation = PicturePreparation((1, height, width), target, background=background)
    return Splits(train, middle, held_out, preparation=preparation, source="digit scenes")


def draw_scene(
    count: int,
    size: tuple[int, int],
    scale: tuple[float, float],
    rows: Array,
    random: np.random.Generator,
) -> tuple[Array, Array]:
    """Return a canvas ``(H, W)`` with digits, and their boxes ``(count, 5)``.

    Args:
        count: Number of digits.
        size: Height and width of the canvas.
        scale: Smallest and largest enlargement.
        rows: The digits to choose from, 64 pixels and the digit in each row.
        random: The generator.
    """
    canvas = np.zeros(size, np.uint8)
    boxes = np.zeros((count, 5))
    for place in range(count):
        row = rows[random.integers(len(rows))]
        glyph = enlarge(row[:-1].reshape(SIDE, SIDE), random.uniform(*scale))
        high, wide = glyph.shape
        free = np.array([size[1] - wide, size[0] - high])
        corners = random.integers(0, free + 1, (TRIES, 2))
        tried = np.hstack([corners, corners + np.array([wide, high])])
        x, y = corners[overlap(tried, boxes[:place]).argmin()]
        boxes[place] = x, y, x + wide, y + high, row[-1]
        under = canvas[y : y + high, x : x + wide]
        np.maximum(under, glyph, out=under)
    return canvas, boxes


def enlarge(glyph: Array, factor: float) -> Array:
    """Return a digit cut to its ink and enlarged, as bytes from 0 to 255.

    Args:
        glyph: ``(8, 8)``, from 0 to 16.
        factor: The enlargement.
    """
    from PIL import Image

    down, right = (np.flatnonzero(glyph.any(axis=axis)) for axis in (1, 0))
    ink = glyph[down[0] : down[-1] + 1, right[0] : right[-1] + 1]
    high, wide = (max(1, round(side * factor)) for side in ink.shape)
    picture = Image.fromarray((ink.astype(np.float32) * (255 / INK)).round().astype(np.uint8))
    return np.asarray(picture.resize((wide, high), Image.Resampling.BILINEAR))


def overlap(tried: Array, boxes: Array) -> Array:
    """Return the area that each of some boxes has in common with others, ``(N)``.

    Args:
        tried: ``(N, 4)``.
        boxes: The others, ``(M, 5)``.
    """
    first = np.maximum(tried[:, None, :2], boxes[:, :2])
    last = np.minimum(tried[:, None, 2:], boxes[:, 2:4])
    return (last - first).clip(min=0).prod(axis=2).sum(axis=1)
