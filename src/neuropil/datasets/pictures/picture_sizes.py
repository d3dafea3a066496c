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
DETAIL_SIDE = 320
"""Default longest side of pictures whose targets have a place: small things stay visible."""
DETAIL_SIDES = range(256, 385)
"""Such pictures are reduced by a whole number if their longest side is then one of these."""
DETAIL_MULTIPLE = 16
"""The sides of their buckets are multiples of this number."""
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


def detail_size(sizes: Sequence[Size], notes: list[str]) -> Size | None:
    """Return the size for pictures whose targets have a place; None if their sizes differ.

    Small pictures keep their size. Others are reduced by a whole number if that gives a longest
    side near 320, which is fast and exact for photographs; otherwise to a longest side of 320.

    Args:
        sizes: Height and width of each.
        notes: Gains a line if the pictures are resized.

    Example:
        >>> notes = []
        >>> detail_size([(480, 640)] * 3, notes), detail_size([(200, 500)] * 3, notes)
        ((240, 320), (128, 320))
        >>> notes[0]
        'All 3 pictures are 480×640: resized to 240×320 (height × width), and the labels with
        them; set image_size= to override.'
    """
    if len(set(sizes)) > 1:
        return None
    (height, width) = sizes[0]
    part = max(1, round(max(height, width) / DETAIL_SIDE))
    whole = height % part == width % part == 0
    if max(height, width) <= DETAIL_SIDE or (whole and max(sizes[0]) // part in DETAIL_SIDES):
        size = height // part, width // part
    else:
        size = reduced((height, width), DETAIL_SIDE)
    if size != sizes[0]:
        notes.append(
            f"All {number_of(len(sizes), 'picture')} are {height}×{width}: resized to "
            f"{size[0]}×{size[1]} (height × width), and the labels with them; set image_size= "
            "to override."
        )
    return size


def located_size(sizes: Sequence[Size], longest: int, notes: list[str]) -> Size:
    """Return one size for pictures whose targets have a place: the median, within bounds.

    Args:
        sizes: Height and width of each.
        longest: The longest side of the result.
        notes: Gains a line if pictures are resized.
    """
    height, width = (round(median(sides)) for sides in zip(*sizes, strict=True))
    size = reduced((height, width), longest)
    if {*sizes} != {size}:
        notes.append(
            f"The pictures have {number_of(len({*sizes}), 'size')}, the median is "
            f"{height}×{width}: resized to {size[0]}×{size[1]} (height × width), and the "
            "labels with them; set image_size= to override."
        )
    return size


def note_resizing(own: Any, sizes: Any, notes: list[str]) -> None:
    """Add a note about the number of resized pictures, unless the notes have it already.

    Args:
        own: Height and width of each picture, ``(N, 2)``.
        sizes: Height and width to which it is resized, ``(N, 2)``, or one size for all.
        notes: The notes on the data.

    Example:
        >>> notes = []
        >>> note_resizing([(480, 640), (480, 640)], (240, 320), notes)
        >>> note_resizing([(480, 640)] * 9, (240, 320), notes)
        >>> note_resizing([(480, 640), (500, 500)], (240, 320), notes)
        >>> notes
        ['2 pictures of 480×640: resized to 240×320 (height × width)', '2 pictures resized to
        240×320 (height × width)']
    """
    own = np.asarray(own).reshape(-1, 2)
    sizes = np.broadcast_to(np.asarray(sizes), own.shape)
    changed = (own != sizes).any(axis=1)
    if not changed.any():
        return
    before, after = np.unique(own[changed], axis=0), np.unique(sizes[changed], axis=0)
    to = "{}×{} (height × width)".format(*after[0]) if len(after) == 1 else "one of these sizes"
    what = f"resized to {to}"
    if len(before) == 1:
        what = "{}×{}: ".format(*before[0]) + what
        if any(what in note for note in notes):
            return
        what = f"of {what}"
    notes.append(f"{number_of(int(changed.sum()), 'picture')} {what}")


def reduced(size: tuple[float, float], longest: int) -> Size:
    """Return a size whose longest side is at most `longest`, with the same proportions."""
    shrink = min(1.0, longest / max(size))
    return max(1, round(size[0] * shrink)), max(1, round(size[1] * shrink))


def cut_buckets(
    sizes: Sequence[Size], longest: int = KEPT_SIDE, multiple: int = MULTIPLE
) -> tuple[Size, ...]:
    """Return the sizes of a few buckets for pictures of different sizes.

    The pictures are divided at the median of the side that varies most, largest spread first,
    until no side of a bucket varies by more than a quarter or there are 8 buckets. The size of
    a bucket is the geometric mean of its pictures. Larger pictures than `longest` count as
    reduced to it.

    Args:
        sizes: Height and width of each picture.
        longest: Largest side of a bucket.
        multiple: The sides are multiples of this number.

    Example:
        >>> cut_buckets([(60, 80), (62, 81), (64, 64), (120, 90)])
        ((64, 64), (64, 80), (120, 88))
    """
    groups = [np.log(within(sizes, longest))]
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
    means = [np.exp(group.mean(axis=0)).tolist() for group in groups]
    return tuple(
        sorted(
            {(nearest(height, multiple), nearest(width, multiple)) for height, width in means}
        )
    )


def within(sizes: Any, longest: int) -> np.ndarray[Any, Any]:
    """Return sizes ``(N, 2)`` reduced to a longest side, with the same proportions."""
    own = np.asarray(sizes, float).reshape(-1, 2)
    return own * np.minimum(1, longest / own.max(axis=1, keepdims=True))


def nearest(side: float, multiple: int) -> int:
    """Return the nearest multiple above 0."""
    return max(1, int(side / multiple + 0.5)) * multiple


def nearest_buckets(
    sizes: np.ndarray[Any, Any], buckets: Sequence[Size]
) -> np.ndarray[Any, Any]:
    """Return the size of the bucket for each picture: the one that changes its sides least.

    A picture that is larger than all buckets counts as reduced to the largest side, so that its
    shape decides.

    Args:
        sizes: Height and width of each picture, ``(N, 2)``.
        buckets: The sizes of the buckets.

    Example:
        >>> nearest_buckets(
        ...     np.array([(3000, 4000), (60, 60)]), [(240, 320), (320, 320)]
        ... ).tolist()
        [[240, 320], [240, 320]]
    """
    known = np.asarray(buckets)
    changes = np.log(within(sizes, known.max()))[:, None] - np.log(known)
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
