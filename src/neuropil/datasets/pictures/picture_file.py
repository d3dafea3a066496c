"""Decoder for a single picture file."""

from __future__ import annotations

import os
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any, final

import numpy as np

from neuropil.datasets.pictures.picture_depth import (
    DEEP_COLOUR,
    as_planes,
    is_deep,
    raw_mode,
    swap_bytes,
)
from neuropil.datasets.pictures.picture_header import (
    ORIENTATION,
    is_animated,
    open_picture,
    upright_size,
)

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFile import ImageFile

SMALL = 2**24
"""Files up to this number of bytes are read at once: Pillow reads a file in small steps."""


@final
@dataclass(frozen=True)
class Treatment:
    """Original size of a picture, and the changes made to it.

    `deep` are the lowest and the highest value of a picture of more than 8 bits, `fractions` is
    whether they are floating-point numbers, and `cut` whether 16 bits were cut to 8.
    """

    size: tuple[int, int]
    made_grey: bool = False
    transparent: bool = False
    animated: bool = False
    deep: tuple[float, float] | None = None
    fractions: bool = False
    cut: bool = False


def read_picture(
    path: str | os.PathLike[str], channels: int, size: tuple[int, int]
) -> tuple[np.ndarray[Any, Any], Treatment]:
    """Decode a picture into ``(C, H, W)``: upright, the first frame only.

    Args:
        path: The file.
        channels: 1 for grey, 3 for colour.
        size: Height and width to resize to.

    Returns:
        Bytes, or the original values in single precision if the file has more than 8 bits.

    Raises:
        DataError: If the file is broken or not a picture.
    """
    with open_picture(path, content_of) as image:
        read = read_deep if is_deep(image) else read_bytes
        return read(image, path, channels, size)


def content_of(path: str | os.PathLike[str]) -> BytesIO | str | os.PathLike[str]:
    """Return the content of a small file, or the path of a large one."""
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - a path is text here, for speed
        small = os.fstat(file.fileno()).st_size <= SMALL
        return BytesIO(file.read()) if small else path


def read_bytes(
    image: ImageFile, _path: str | os.PathLike[str], channels: int, size: tuple[int, int]
) -> tuple[np.ndarray[Any, Any], Treatment]:
    """Decode a picture of 8 bits."""
    own_size, cut = upright_size(image), ";16" in raw_mode(image)
    animated = is_animated(image)
    image.draft(None, draft_size(image.size, own_size, size))
    transparent = image.has_transparency_data
    plain = to_plain(turn_upright(image), transparent=transparent)
    if plain.size != (size[1], size[0]):
        from PIL import Image

        plain = plain.resize((size[1], size[0]), Image.Resampling.BILINEAR, reducing_gap=3.0)
    made_grey = channels == 1 and has_colour(plain)
    pixels = np.asarray(in_mode(plain, "L" if channels == 1 else "RGB"))
    pixels = pixels[None] if channels == 1 else pixels.transpose(2, 0, 1)
    return pixels, Treatment(own_size, made_grey, transparent, animated, cut=cut)


def draft_size(
    stored: tuple[int, int], own_size: tuple[int, int], size: tuple[int, int]
) -> tuple[int, int]:
    """Return the smallest width and height that a JPEG may be decoded to.

    Its decoder reduces a picture to a half, a quarter or an eighth in a fraction of the time. A
    picture of exactly such a size needs nothing more; otherwise twice the size keeps the
    quality.

    Args:
        stored: Width and height in the file.
        own_size: Height and width as a viewer shows them.
        size: Height and width to resize to.
    """
    exact = any(own_size == (size[0] * part, size[1] * part) for part in (2, 4, 8))
    height, width = size if exact else (2 * size[0], 2 * size[1])
    turned = own_size != stored[::-1]
    return (height, width) if turned else (width, height)


def read_deep(
    image: ImageFile, path: str | os.PathLike[str], channels: int, size: tuple[int, int]
) -> tuple[np.ndarray[Any, Any], Treatment]:
    """Decode a picture of more than 8 bits without loss.

    Raises:
        DataError: If the values are not grey levels.
    """
    from PIL import Image

    own_size, fractions = upright_size(image), image.mode == "F"
    animated = is_animated(image)
    colour = raw_mode(image) in DEEP_COLOUR
    values = np.asarray(turn_upright(image))
    if colour:
        with open_picture(path) as again:
            swap_bytes(again)
            values = values.astype(np.uint16) * 256 + np.asarray(turn_upright(again))
    made_grey = colour and channels == 1 and bool((values != values[..., :1]).any())
    planes = as_planes(values, channels)
    deep = float(planes.min()), float(planes.max())
    if planes.shape[1:] != size:
        small = [
            Image.fromarray(plane).resize((size[1], size[0]), Image.Resampling.BILINEAR)
            for plane in planes
        ]
        planes = np.stack([np.asarray(plane) for plane in small])
    return planes, Treatment(
        own_size, made_grey, animated=animated, deep=deep, fractions=fractions
    )


def turn_upright(image: Image) -> Image:
    """Decode a picture and rotate it according to its EXIF data."""
    image.load()
    if image.getexif().get(ORIENTATION, 1) == 1:
        return image
    from PIL import ImageOps

    return ImageOps.exif_transpose(image)


def to_plain(image: Image, *, transparent: bool) -> Image:
    """Return a picture in mode L or RGB."""
    if transparent:
        from PIL import Image

        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return in_mode(image, "L" if image.mode in {"1", "L"} else "RGB")


def in_mode(image: Image, mode: str) -> Image:
    """Return a picture in another mode, without a copy if it has that mode."""
    return image if image.mode == mode else image.convert(mode)


def has_colour(image: Image) -> bool:
    """Return whether a plain picture has a pixel that is not grey."""
    if image.mode == "L":
        return False
    pixels = np.asarray(image)
    return bool((pixels[..., 1:] != pixels[..., :1]).any())
