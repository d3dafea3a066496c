"""Folders of pictures with masks."""

from pathlib import Path

import numpy as np
from PIL import Image
from tests.datasets.annotations.label_writers import write_picture

PALETTE = [0, 0, 0, 220, 20, 60, 30, 160, 90, 60, 60, 230]


def write_mask(path: Path, values: object, palette: list[int] | None = None) -> Path:
    """Write a mask; with a palette, its values are indices."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(np.asarray(values, np.uint8))
    if palette:
        image.putpalette(palette)
    image.save(path)
    return path


def random_mask(seed: int, size: tuple[int, int], values: tuple[int, ...]) -> np.ndarray:
    """Return a mask of blocks of 2×2 pixels with these values."""
    draw = np.random.default_rng(seed)
    small = draw.choice(values, (-(-size[0] // 2), -(-size[1] // 2)))
    return small.repeat(2, 0).repeat(2, 1)[: size[0], : size[1]].astype(np.uint8)


def write_masks(
    folder: Path,
    count: int = 12,
    size: tuple[int, int] = (12, 16),
    values: tuple[int, ...] = (0, 255),
    palette: list[int] | None = None,
) -> Path:
    """Write random pictures and masks into the folders images and masks."""
    for number in range(count):
        write_picture(folder / "images" / f"{number:02}.png", size, number)
        mask = random_mask(number, size, values)
        write_mask(folder / "masks" / f"{number:02}.png", mask, palette)
    return folder
