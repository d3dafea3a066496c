"""Opening of picture files, and their headers."""

from __future__ import annotations

import logging
import os
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np

from neuropil.datasets.data_errors import DataError
from neuropil.datasets.pictures.picture_depth import is_deep
from neuropil.text import cut

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from PIL.Image import Image
    from PIL.ImageFile import ImageFile

GREY_MODES = frozenset(["1", "L", "LA", "La", "I", "F", "I;16", "I;16B", "I;16L", "I;16N"])
FORMATS = ("PNG", "JPEG", "PPM", "BMP", "WEBP", "GIF", "TIFF")
ANIMATED = frozenset(["GIF", "PNG", "TIFF", "WEBP"])
END_MARKS = {b"\xff\xd8": b"\xff\xd9", b"\x89PNG": b"IEND\xaeB`\x82", b"GIF8": b"\x3b"}
"""The bytes with which files of some formats begin, and the mark at their end."""
TAIL = 64
"""Number of bytes among which the mark must be: a few bytes may follow it."""
ORIENTATION = 0x0112
TURNED = range(5, 9)
"""Values of the EXIF tag `ORIENTATION` that exchange height and width."""


@final
@dataclass(frozen=True)
class Header:
    """Header of a picture file, read without decoding it.

    Args:
        size: Height and width.
        grey: Whether it has only greys.
        deep: Whether it has more than 8 bits.
        transparent: Whether it has transparency.
        animated: Whether it has several frames.
        stamp: Number of bytes of the file, and the time of its last change in nanoseconds.
    """

    size: tuple[int, int]
    grey: bool
    deep: bool
    transparent: bool
    animated: bool
    stamp: tuple[int, int]


def read_header(path: Path) -> Header:
    """Return the header of a picture, without decoding it.

    Raises:
        DataError: If the file is not a picture.
    """
    with open_picture(path) as image:
        grey = image.mode in GREY_MODES or has_grey_palette(image)
        facts = path.stat()
        return Header(
            upright_size(image),
            grey,
            is_deep(image),
            image.has_transparency_data,
            is_animated(image),
            (facts.st_size, facts.st_mtime_ns),
        )


def is_cut_off(path: Path) -> bool:
    """Return whether the end of a picture file is missing.

    Only the last bytes are read, for formats that end in a mark. Other files count as complete.

    Args:
        path: The file.
    """
    with path.open("rb") as file:
        start = file.read(8)
        end = next((END_MARKS[mark] for mark in END_MARKS if start.startswith(mark)), b"")
        file.seek(max(0, file.seek(0, 2) - TAIL))
        return end not in file.read()


@contextmanager
def open_picture(
    path: str | os.PathLike[str], content: Callable[[Any], Any] = os.fspath
) -> Iterator[ImageFile]:
    """Open a picture; every error inside becomes a `DataError` of one line.

    Args:
        path: The file.
        content: Takes the path and returns what Pillow reads: a path, or a file.

    Raises:
        DataError: If any error occurs.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        # Only these formats: others run programs (EPS) or are not used for training.
        with Image.open(content(path), formats=FORMATS) as image:
            yield image
    except DataError:
        raise
    except UnidentifiedImageError:
        why = "it is not a picture" if Path(path).stat().st_size else "it is empty"
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


def is_animated(image: ImageFile) -> bool:
    """Return whether a picture has several frames."""
    return image.format in ANIMATED and getattr(image, "is_animated", False)


def has_grey_palette(image: Image) -> bool:
    """Return whether a picture has a palette of only greys."""
    if image.mode != "P" or image.has_transparency_data:
        return False
    colors = np.asarray(image.getpalette() or [0, 1, 2]).reshape(-1, 3)
    return bool((colors == colors[:, :1]).all())


def upright_size(image: Image) -> tuple[int, int]:
    """Return height and width as a viewer shows them."""
    # A PNG may have it after its pixels, where reading it would decode the picture.
    turns = image.format in {"JPEG", "MPO", "WEBP", "TIFF"} or "exif" in image.info
    turned = turns and image.getexif().get(ORIENTATION) in TURNED
    width, height = image.size
    return (width, height) if turned else (height, width)
