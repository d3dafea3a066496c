"""Pictures and masks moved by matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional as F

from neuropil.datasets.augmentation.base import as_floats, as_type
from neuropil.datasets.augmentation.matrices import inverse
from neuropil.datasets.augmentation.picture_parts import in_parts

if TYPE_CHECKING:
    from torch import Tensor

    from neuropil.datasets.augmentation.base import Size


def sample(
    pictures: Tensor,
    matrix: Tensor,
    size: Size,
    fill: float | None,
    dtype: torch.dtype | None = None,
) -> Tensor:
    """Return moved pictures by bilinear interpolation.

    Args:
        pictures: ``(N, C, H, W)``.
        matrix: ``(N, 2, 3)``, from old to new coordinates.
        size: Height and width of the new pictures.
        fill: Value outside the picture; None if the new picture lies inside the old one.
        dtype: Type of the result; None for floating-point numbers.
    """
    height, width = pictures.shape[-2:]
    # The sampler takes coordinates from −1 to 1.
    back = inverse(matrix)
    back[:, 0] *= 2 / width
    back[:, 1] *= 2 / height
    back[:, :, 2] -= 1
    outside = "border" if fill is None else "zeros"

    def sample_part(part: Tensor, back: Tensor) -> Tensor:
        values = as_floats(part)
        grid = places(back, size).permute(0, 2, 3, 1).to(values.dtype)
        # It gives 0 outside the picture, so `fill` is subtracted before and added after.
        values = values - fill if fill else values
        moved = F.grid_sample(values, grid, padding_mode=outside, align_corners=False)
        moved = moved.add_(fill) if fill else moved
        return moved if dtype is None else as_type(moved, dtype)

    return in_parts(sample_part, pictures, back)


def places(back: Tensor, size: Size) -> Tensor:
    """Return the old place of the centre of each new pixel, ``(N, 2, H, W)``, x before y.

    Args:
        back: ``(N, 2, 3)``, from new to old coordinates.
        size: Height and width of the new picture.
    """
    down, right = (torch.arange(side, device=back.device) + 0.5 for side in size)
    across = back[:, :, 0, None] * right
    along = back[:, :, 1, None] * down + back[:, :, 2, None]
    return across[:, :, None, :] + along[:, :, :, None]


def copy_windows(
    pictures: Tensor, matrix: Tensor, size: Size, fill: float, reach: int, flips: set[int]
) -> Tensor:
    """Return pictures flipped and moved by whole pixels, as exact copies.

    Each row of the result is a window of a row of the padded pictures, and windows are copied
    whole: several times faster than an index for each pixel.

    Args:
        pictures: ``(N, C, H, W)``.
        matrix: ``(N, 2, 3)`` with ``A = diag(±1, ±1)`` and whole numbers b.
        size: Height and width of the new pictures.
        fill: Value outside the picture.
        reach: How far a window extends beyond the picture at most.
        flips: The axes along which some pictures may be flipped, −1 or −2.
    """
    count, channels, height, width = pictures.shape
    tall, wide = size
    x, y = matrix[:, 0, 2].long(), matrix[:, 1, 2, None].long()
    if -1 in flips:
        mirrored = matrix[:, 0, 0] < 0
        pictures = choose(mirrored, pictures.flip(-1), pictures)
        x = torch.where(mirrored, x - width, x)
        if flips == {-1} and not reach and size == (height, width):
            return pictures
    canvas = pictures.contiguous()
    if reach:  # one more row than the picture has: the rows outside are taken from there
        canvas = F.pad(canvas, (reach, reach, 0, 1), value=fill)
    line = torch.arange(tall, device=pictures.device)
    row = torch.where(matrix[:, 1, 1, None] > 0, line - y, y - line - 1)
    row = torch.where((row < 0) | (row >= height), height, row)
    length = width + 2 * reach
    plane = torch.arange(count * channels, device=pictures.device).view(count, channels, 1)
    first = plane * (canvas.shape[-2] * length) + (row * length + reach - x[:, None])[:, None]
    windows = canvas.as_strided((canvas.numel() - wide + 1, wide), (1, 1))
    return windows.index_select(0, first.flatten()).view(count, channels, tall, wide)


def choose(chosen: Tensor, pictures: Tensor, others: Tensor) -> Tensor:
    """Return the pictures that are chosen, and the others in place of the rest.

    Args:
        chosen: ``(N)``, truth values.
        pictures: ``(N, C, H, W)``.
        others: The same shape and type.
    """
    rows, rest = pictures.flatten(1).contiguous(), others.flatten(1).contiguous()
    # Bytes are selected eight at a time where they can be, which is up to ten times as fast.
    counts = (rows.shape[1], rows.storage_offset(), rest.storage_offset())
    if all(count * rows.element_size() % 8 == 0 for count in counts):
        rows, rest = rows.view(torch.int64), rest.view(torch.int64)
    return torch.where(chosen[:, None], rows, rest).view(others.dtype).view(others.shape)


def warp_mask(mask: Tensor, matrix: Tensor, size: Size, *, fill: float = 0) -> Tensor:
    """Return moved masks: each new pixel takes the value of the old pixel that it shows.

    Nothing is interpolated, so a mask may also hold class numbers.

    Args:
        mask: ``(N, H, W)``, of any type.
        matrix: ``(N, 2, 3)``, from old to new coordinates.
        size: Height and width of the new masks.
        fill: Value outside the picture.
    """
    height, width = mask.shape[-2:]

    def warp_part(part: Tensor, back: Tensor) -> Tensor:
        column, row = places(back, size).floor().long().unbind(1)
        outside = (column < 0) | (column >= width) | (row < 0) | (row >= height)
        place = row.clamp(0, height - 1) * width + column.clamp(0, width - 1)
        moved = part.flatten(1).gather(1, place.flatten(1)).view(len(part), *size)
        return moved.masked_fill(outside, fill)

    return in_parts(warp_part, mask, inverse(matrix))
