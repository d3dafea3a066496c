"""Decode one picture file into bytes of a wanted form, whatever it holds."""

from __future__ import annotations

import logging
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np

from neuropil.datasets.errors import DataError
from neuropil.datasets.paths import shortened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from PIL.Image import Image

SUFFIXES = frozenset(
    [
        ".png",
        ".jpg",
        ".jpeg",
        ".jpe",
        ".jfif",
        ".pgm",
        ".ppm",
        ".pbm",
        ".pnm",
        ".bmp",
        ".webp",
        ".gif",
        ".tif",
        ".tiff",
    ]
)
GREY_MODES = frozenset(["1", "L", "LA", "La", "I", "F", "I;16", "I;16B", "I;16L", "I;16N"])
ANIMATED = frozenset(["GIF", "PNG", "TIFF", "WEBP"])
ORIENTATION = 0x0112
TURNED = range(5, 9)
"""Values of the EXIF tag `ORIENTATION` under which height and width are exchanged."""


@final
@dataclass(frozen=True)
class Header:
    """What a picture file says of itself before it is decoded."""

    size: tuple[int, int]
    grey: bool


@final
@dataclass(frozen=True)
class Treatment:
    """A picture's own size, and what had to be done to it."""

    size: tuple[int, int]
    made_grey: bool
    transparent: bool
    animated: bool


def read_header(path: Path) -> Header:
    """Return a picture's size and whether it is grey, from its header alone.

    Raises:
        DataError: If the file is no picture.
    """
    with opened(path) as image:
        return Header(upright_size(image), image.mode in GREY_MODES or has_grey_palette(image))


def read_picture(
    path: Path, channels: int, size: tuple[int, int]
) -> tuple[np.ndarray[Any, Any], Treatment]:
    """Decode a picture into ``(C, H, W)`` bytes: upright, first frame, 16 bits made 8.

    Args:
        path: The file.
        channels: 1 for grey, 3 for colour.
        size: Height and width to resize to.

    Raises:
        DataError: If the file is broken or no picture.
    """
    from PIL import Image, ImageOps

    with opened(path) as image:
        own_size = upright_size(image)
        # A JPEG can be decoded at an eighth of its size, much faster; the 2 keeps the quality.
        image.draft(None, (2 * max(size), 2 * max(size)))
        animated = image.format in ANIMATED and getattr(image, "is_animated", False)
        transparent = image.has_transparency_data
        image.load()
        if image.getexif().get(ORIENTATION, 1) != 1:
            image = ImageOps.exif_transpose(image)
        plain = to_plain(image, transparent=transparent)
        width_height = size[1], size[0]
        if plain.size != width_height:
            plain = plain.resize(width_height, Image.Resampling.BILINEAR, reducing_gap=3.0)
        made_grey = channels == 1 and has_colour(plain)
        pixels = np.asarray(in_mode(plain, "L" if channels == 1 else "RGB"))
    pixels = pixels[None] if channels == 1 else pixels.transpose(2, 0, 1)
    return pixels, Treatment(own_size, made_grey, transparent, animated)


@contextmanager
def opened(path: Path) -> Iterator[Image]:
    """Open a picture, and turn whatever goes wrong inside into one clear line.

    Raises:
        DataError: If anything goes wrong.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            yield image
    except DataError:
        raise
    except UnidentifiedImageError:
        raise DataError("it is no picture" if path.stat().st_size else "it is empty") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise DataError(f"it claims more than {Image.MAX_IMAGE_PIXELS:,} pixels") from None
    except Exception as error:  # Pillow's decoders raise anything at all on a broken file.
        why = shortened(str(error) or type(error).__name__)
        raise DataError(f"it cannot be decoded ({why})") from None


@contextmanager
def careful_pillow() -> Iterator[None]:
    """Make Pillow refuse bombs and keep quiet about blemishes, in all threads."""
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

    if image.mode[:1] in {"I", "F"}:
        return deep_grey(image)
    if transparent:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return in_mode(image, "L" if image.mode in {"1", "L"} else "RGB")


def in_mode(image: Image, mode: str) -> Image:
    """Return a picture in another mode; `convert` would copy it even if it has that mode."""
    return image if image.mode == mode else image.convert(mode)


def deep_grey(image: Image) -> Image:
    """Return a grey picture of more than 8 bits as one of 8.

    Raises:
        DataError: If the range of values is no common one.
    """
    from PIL import Image

    values = np.asarray(image)
    low, high = float(values.min()), float(values.max())
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format == "PNG"):
        full = 65535
    elif image.mode == "F" and high <= 1:
        full = 1
    else:
        full = 255 if high <= 255 else 65535
    if not 0 <= low <= high <= full:
        raise DataError(
            f"its values run from {low:g} to {high:g}, which is no common range of greys"
        )
    return Image.fromarray(np.round(values * (255 / full)).astype(np.uint8))


def has_colour(image: Image) -> bool:
    """Tell whether a plain picture holds anything but greys."""
    if image.mode == "L":
        return False
    pixels = np.asarray(image)
    return bool((pixels[..., 1:] != pixels[..., :1]).any())


def has_grey_palette(image: Image) -> bool:
    """Tell whether a picture has a palette, and only greys in it."""
    if image.mode != "P" or image.has_transparency_data:
        return False
    colors = np.asarray(image.getpalette() or [0, 1, 2]).reshape(-1, 3)
    return bool((colors == colors[:, :1]).all())


def upright_size(image: Image) -> tuple[int, int]:
    """Return height and width as a viewer shows them."""
    width, height = image.size
    # Only these keep the orientation in the header; asking a PNG would decode it.
    turns = image.format in {"JPEG", "MPO", "WEBP", "TIFF"}
    return (
        (width, height)
        if turns and image.getexif().get(ORIENTATION) in TURNED
        else (height, width)
    )
