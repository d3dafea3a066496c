"""Decoder for mask files: one value for each pixel, which is a class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np
import torch

from neuropil.core.free_memory import require_memory
from neuropil.datasets.data_errors import DataError
from neuropil.datasets.pictures.picture_batch import in_threads
from neuropil.datasets.pictures.picture_file import content_of, turn_upright
from neuropil.datasets.pictures.picture_header import open_picture

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from torch import Tensor

SMOOTH_VALUES, SMOOTH_SHARE = 16, 0.9
"""A grey mask with more values than this, nearly all of whose pixels are black or white, has
the soft edges of a resize or of compression."""


@final
@dataclass(frozen=True)
class MaskFile:
    """A mask file that can be used.

    Args:
        path: The file.
        size: Height and width.
        values: The values that occur in it.
    """

    path: Path
    size: tuple[int, int]
    values: tuple[int, ...]


def scan_mask(path: Path) -> MaskFile:
    """Return the size and the values of a mask.

    Args:
        path: The file.

    Raises:
        DataError: If it is not a mask; the message is a reason.
    """
    pixels = read_mask(path)
    counts = np.bincount(pixels.ravel(), minlength=256)
    values = np.flatnonzero(counts)
    soft = counts[1:255].sum() < (1 - SMOOTH_SHARE) * pixels.size
    if len(values) > SMOOTH_VALUES and soft and counts[255]:
        raise DataError(
            f"it has {len(values)} values, most at the edges of black and white: save it "
            "without smoothing or compression"
        )
    height, width = pixels.shape
    return MaskFile(path, (height, width), tuple(values.tolist()))


def read_mask(path: Path) -> np.ndarray[Any, Any]:
    """Return the values of a mask, ``(H, W)`` in bytes: of a palette, its indices.

    Args:
        path: The file.

    Raises:
        DataError: If it is broken, in colour, or has a value that is not a whole number from 0
            to 255; the message is a reason.
    """
    with open_picture(path, content_of) as image:
        lossy = image.format == "JPEG"
        values = np.asarray(turn_upright(image))
    if lossy:
        raise DataError("it is a JPEG, which changes values: save masks as PNG")
    if values.ndim == 3:
        grey = values[..., :1]
        colours = 1 if values.shape[2] == 2 else 3  # without transparency
        if (values[..., :colours] != grey).any():
            raise DataError("it is in colour: save it with a palette, or with class numbers")
        values = grey[..., 0]
    if values.dtype in (bool, np.uint8):
        return values.astype(np.uint8, copy=False)
    wrong = values[(values < 0) | (values > 255) | (values % 1 != 0)]
    if wrong.size:
        raise DataError(
            f"it has the value {wrong[0]:g}: classes are whole numbers from 0 to 255"
        )
    return values.astype(np.uint8)


def read_resized(
    masks: Sequence[MaskFile],
    values: Sequence[int],
    ignored: int,
    sizes: Any,
    where: str,
) -> list[Tensor]:
    """Return the class numbers of masks, each resized to a size.

    Each new pixel takes the class of the old pixel at its centre.

    Args:
        masks: The files.
        values: The value of each class.
        ignored: The class number of pixels of other values.
        sizes: Height and width of each, ``(N, 2)``, or one size for all.
        where: Their source, for the error.

    Raises:
        DataError: If a file has changed since it was scanned.
    """
    sizes = np.broadcast_to(np.asarray(sizes), (len(masks), 2))
    require_memory(int(sizes.astype(np.int64).prod(axis=1).sum()), f"{len(masks):,} masks")
    numbers = np.full(256, ignored, np.uint8)
    numbers[list(values)] = np.arange(len(values))

    def read(place: int) -> Tensor:
        found = numbers[read_mask(masks[place].path)]
        return torch.from_numpy(resize_mask(found, sizes[place]))

    found, broken = in_threads(read, [mask.path for mask in masks])
    if broken:
        path, reason = next(iter(broken.items()))
        raise DataError(f"{where}: {path.name} cannot be used: {reason}.")
    return list(found.values())


def resize_mask(
    mask: np.ndarray[Any, Any], size: Sequence[int] | np.ndarray[Any, Any]
) -> np.ndarray[Any, Any]:
    """Return a mask at another size: each new pixel takes the value of the old one it shows.

    Args:
        mask: ``(H, W)``.
        size: Height and width.

    Example:
        >>> resize_mask(np.array([[1, 2], [3, 4]]), (2, 4))
        array([[1, 1, 2, 2],
               [3, 3, 4, 4]])
    """
    rows, columns = (
        ((np.arange(new) + 0.5) * (old / new)).astype(np.int64)
        for new, old in zip(size, mask.shape, strict=True)
    )
    return np.ascontiguousarray(mask[rows[:, None], columns])
