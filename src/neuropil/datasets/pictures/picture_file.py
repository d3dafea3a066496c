"""Decoder for a single picture file."""

from __future__ import annotations

import logging
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, final

import numpy as np

from neuropil.datasets.data_errors import DataError
from neuropil.datasets.pictures.picture_depth import (
    DEEP_COLOUR,
    as_planes,
    is_deep,
    raw_mode,
    swap_bytes,
)
from neuropil.text import cut

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from PIL.Image import Image
    from PIL.ImageFile import ImageFile

GREY_MODES = frozenset(["1", "L", "LA", "La", "I", "F", "I;16", "I;16B", "I;16L", "I;16N"])
FORMATS = ("PNG", "JPEG", "PPM", "BMP", "WEBP", "GIF", "TIFF")
ANIMATED = frozenset(["GIF", "PNG", "TIFF", "WEBP"])
ORIENTATION = 0x0112
TURNED = range(5, 9)
"""Values of the EXIF tag `ORIENTATION` that exchange height and width."""


@final
@dataclass(frozen=True)
class Header:
    """Header of a picture file: its size, and whether it is grey and has more than 8 bits."""

    size: tuple[int, int]
    grey: bool
    deep: bool


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


def read_header(path: Path) -> Header:
    """Return the header of a picture, without decoding it.

    Raises:
        DataError: If the file is not a picture.
    """
    with open_picture(path) as image:
        grey = image.mode in GREY_MODES or has_grey_palette(image)
        return Header(upright_size(image), grey, is_deep(image))


def read_picture(
    path: Path, channels: int, size: tuple[int, int]
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
    with open_picture(path) as image:
        animated = image.format in ANIMATED and getattr(image, "is_animated", False)
        read = read_deep if is_deep(image) else read_bytes
        pixels, treatment = read(image, path, channels, size)
    return pixels, replace(treatment, animated=animated)


def read_bytes(
    image: ImageFile, _path: Path, channels: int, size: tuple[int, int]
) -> tuple[np.ndarray[Any, Any], Treatment]:
    """Decode a picture of 8 bits."""
    from PIL import Image

    own_size, cut = upright_size(image), ";16" in raw_mode(image)
    # A JPEG decodes much faster at an eighth of its size; the factor 2 keeps the quality.
    image.draft(None, (2 * max(size), 2 * max(size)))
    transparent = image.has_transparency_data
    plain = to_plain(turn_upright(image), transparent=transparent)
    if plain.size != (size[1], size[0]):
        plain = plain.resize((size[1], size[0]), Image.Resampling.BILINEAR, reducing_gap=3.0)
    made_grey = channels == 1 and has_colour(plain)
    pixels = np.asarray(in_mode(plain, "L" if channels == 1 else "RGB"))
    pixels = pixels[None] if channels == 1 else pixels.transpose(2, 0, 1)
    return pixels, Treatment(own_size, made_grey, transparent, cut=cut)


def read_deep(
    image: ImageFile, path: Path, channels: int, size: tuple[int, int]
) -> tuple[np.ndarray[Any, Any], Treatment]:
    """Decode a picture of more than 8 bits without loss.

    Raises:
        DataError: If the values are not grey levels.
    """
    from PIL import Image

    own_size, fractions = upright_size(image), image.mode == "F"
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
    return planes, Treatment(own_size, made_grey, deep=deep, fractions=fractions)


def turn_upright(image: Image) -> Image:
    """Decode a picture and rotate it according to its EXIF data."""
    from PIL import ImageOps

    image.load()
    return image if image.getexif().get(ORIENTATION, 1) == 1 else ImageOps.exif_transpose(image)


@contextmanager
def open_picture(path: Path) -> Iterator[ImageFile]:
    """Open a picture; every error inside becomes a `DataError` of one line.

    Raises:
        DataError: If any error occurs.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        # Only these formats: others run programs (EPS) or are not used for training.
        with Image.open(path, formats=FORMATS) as image:
            yield image
    except DataError:
        raise
    except UnidentifiedImageError:
        why = "it is not a picture" if path.stat().st_size else "it is empty"
        raise DataError(why) from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise DataError(f"it claims more than {Image.MAX_IMAGE_PIXELS:,} pixels") from None
    except Exception as error:  # Pillow's decoders raise anything at all on a broken file.
        why = cut(str(error) or type(error).__name__)
        raise DataError(f"it cannot be decoded ({why})") from None


@contextmanager
def careful_pillow() -> Iterator[None]:
    """Make Pillow refuse decompression bombs and suppress other warnings, in all threads."""
    from PIL import Image

    logger = logging.getLogger("PIL")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="PIL")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    finally:
        logger.setLevel(level)


def to_plain(image: Image, *, transparent: bool) -> Image:
    """Return a picture in mode L or RGB."""
    from PIL import Image

    if transparent:
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


def has_grey_palette(image: Image) -> bool:
    """Return whether a picture has a palette of only greys."""
    if image.mode != "P" or image.has_transparency_data:
        return False
    colors = np.asarray(image.getpalette() or [0, 1, 2]).reshape(-1, 3)
    return bool((colors == colors[:, :1]).all())


def upright_size(image: Image) -> tuple[int, int]:
    """Return height and width as a viewer shows them."""
    # Only these formats have the orientation in the header; reading it from a PNG decodes it.
    turns = image.format in {"JPEG", "MPO", "WEBP", "TIFF"}
    turned = turns and image.getexif().get(ORIENTATION) in TURNED
    width, height = image.size
    return (width, height) if turned else (height, width)
