"""The sizes of pictures for a network: one for all, one for each bucket, or their own."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from neuropil.datasets.data_errors import DataError
from neuropil.datasets.plain_fields import field, is_shape
from neuropil.text import number_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    Size = tuple[int, int]

SIZES = ("buckets", "native")
"""The choices of `image_size` besides one size."""
LONGEST_SIDE = 64
"""Default longest side of pictures of different sizes."""
KEPT_SIDE = 256
"""Pictures of equal size keep it up to this side, however many there are; so do buckets."""
MAX_BYTES = 2**31
"""Larger pictures of equal size are reduced if they take more bytes than this."""
MOST_BUCKETS = 8
SPREAD = 1.25
"""A bucket is not divided if its largest side is at most this multiple of its smallest."""
MULTIPLE = 8
"""The sides of a bucket are multiples of this number, so that pooling divides them evenly."""
PAD_MULTIPLE = 32
"""Padded sizes are multiples of this number: pooling divides them as it divides a picture."""


def common_size(sizes: Sequence[Size], pixel: int, notes: list[str]) -> Size:
    """Return the common size of all pictures, or their median size within bounds.

    Args:
        sizes: Height and width of each.
        pixel: Bytes per pixel in memory.
        notes: Gains a line if the pictures must be resized.
    """
    height, width = (int(median(sides)) for sides in zip(*sizes, strict=True))
    if len(set(sizes)) == 1:
        small = max(height, width) <= KEPT_SIDE
        if small or height * width * pixel * len(sizes) <= MAX_BYTES:
            return height, width
        why = f"All {number_of(len(sizes), 'picture')} are {height}×{width}, too large for all"
    else:
        why = f"The pictures have {len(set(sizes)):,} sizes, the median is {height}×{width}"
    height, width = reduced((height, width), LONGEST_SIDE)
    notes.append(
        f"{why}: resized to {height}×{width} (height × width); set image_size= to override."
    )
    return height, width


def reduced(size: tuple[float, float], longest: int) -> Size:
    """Return a size whose longest side is at most `longest`, with the same proportions."""
    shrink = min(1.0, longest / max(size))
    return max(1, round(size[0] * shrink)), max(1, round(size[1] * shrink))


def cut_buckets(sizes: Sequence[Size]) -> tuple[Size, ...]:
    """Return the sizes of a few buckets for pictures of different sizes.

    The pictures are divided at the median of the side that varies most, largest spread first,
    until no side of a bucket varies by more than a quarter or there are 8 buckets. The size of
    a bucket is the geometric mean of its pictures, with sides up to 256 that are multiples
    of 8.

    Args:
        sizes: Height and width of each picture.

    Example:
        >>> cut_buckets([(60, 80), (62, 81), (64, 64), (120, 90)])
        ((64, 64), (64, 80), (120, 88))
    """
    groups = [np.log(np.asarray(sizes, float))]
    while len(groups) < MOST_BUCKETS:
        spreads = [float(np.ptp(group, axis=0).max()) for group in groups]
        widest = int(np.argmax(spreads))
        if spreads[widest] <= np.log(SPREAD):
            break
        group = groups.pop(widest)
        side = group[:, np.ptp(group, axis=0).argmax()]
        upper = side > np.median(side)
        if not upper.any():  # more than half of them have the largest value
            upper = side == side.max()
        groups += [group[~upper], group[upper]]
    return tuple(sorted({bucket_size(np.exp(group.mean(axis=0))) for group in groups}))


def bucket_size(size: np.ndarray[Any, Any]) -> Size:
    """Return a size within bounds whose sides are multiples of `MULTIPLE`."""
    height, width = reduced((float(size[0]), float(size[1])), KEPT_SIDE)
    return nearest_multiple(height), nearest_multiple(width)


def nearest_multiple(side: float) -> int:
    """Return the nearest multiple of `MULTIPLE` above 0."""
    return max(1, int(side / MULTIPLE + 0.5)) * MULTIPLE


def nearest_buckets(
    sizes: np.ndarray[Any, Any], buckets: Sequence[Size]
) -> np.ndarray[Any, Any]:
    """Return the size of the bucket for each picture: the one that changes its sides least.

    Args:
        sizes: Height and width of each picture, ``(N, 2)``.
        buckets: The sizes of the buckets.
    """
    known = np.asarray(buckets)
    changes = np.log(np.asarray(sizes, float))[:, None] - np.log(known)
    return known[np.square(changes).sum(axis=2).argmin(axis=1)]


def batch_size(sizes: np.ndarray[Any, Any], *, pads: bool) -> Size:
    """Return height and width of a batch of pictures.

    Args:
        sizes: Height and width of each picture.
        pads: Whether pictures of different sizes are padded.

    Raises:
        DataError: If the sizes differ and are not to be padded.
    """
    if not len(sizes):
        return 1, 1
    height, width = sizes.max(axis=0).tolist()
    if pads and len(sizes) > 1:
        return padded(height), padded(width)
    if not pads and (sizes != sizes[0]).any():
        raise DataError(
            f"a batch of pictures must be of one bucket, got sizes from "
            f"{'×'.join(map(str, sizes.min(axis=0)))} to {height}×{width}: cut batches with "
            "`batches_of_like_sizes`."
        )
    return height, width


def padded(side: int) -> int:
    """Return the next multiple of `PAD_MULTIPLE`."""
    return -(-side // PAD_MULTIPLE) * PAD_MULTIPLE


def picture_shape(data: Any, name: str) -> tuple[int | None, ...]:
    """Return a field that must be the shape of a picture, with None for sizes that vary."""
    sizes = field(data, name, "channels, height and width of a picture", is_picture_shape)
    return tuple(sizes)


def is_picture_shape(value: Any) -> bool:
    """Return whether a value is a list of three sizes, of which the last two may vary."""
    if not isinstance(value, list) or len(value) != 3:
        return False
    return is_shape(value[:1] if value[1:] == [None, None] else value)


def size_list(data: Any, name: str) -> tuple[tuple[int, int], ...]:
    """Return a field that must be a list of heights and widths."""
    sizes = field(data, name, "a list of heights and widths", is_size_list)
    return tuple((height, width) for height, width in sizes)


def is_size_list(value: Any) -> bool:
    """Return whether a value is a list of pairs of positive sizes."""
    return isinstance(value, list) and all(is_shape(s) and len(s) == 2 for s in value)
