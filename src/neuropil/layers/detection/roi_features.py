"""Features of regions: a map cut to boxes, each of which gives a grid of one size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import torch
import torch.nn.functional as F

if TYPE_CHECKING:
    from torch import Tensor

# For maps of a free length, in an exported network: a part of a region is shorter than 2⁶.
MOST_LEVELS = 6


def roi_align(
    features: Tensor, boxes: Tensor, size: int, *, stride: float = 1.0, samples: int = 2
) -> Tensor:
    """Return the features of regions by bilinear interpolation: RoI align.

    Each box is divided into size × size cells; the value of a cell is the mean of the map at
    samples × samples points spread evenly in it. Pixel i of the map covers the picture from
    i · stride to (i + 1) · stride, so its value is at its centre. The map continues by its
    border for one pixel, and is 0 beyond.

    Each axis is interpolated on its own: ``Y X Zᵀ`` for each region, where the rows of Y and Z
    hold the weights of the rows and columns of the map X. Gradients flow to the map and to the
    boxes.

    Shape:
        Maps ``(N, C, H, W)`` and boxes ``(N, R, 4)`` to ``(N, R, C, size, size)``.

    Args:
        features: The maps.
        boxes: Corners x₁, y₁, x₂, y₂ in pixels of the picture.
        size: Rows and columns of the result.
        stride: Pixels of the picture per pixel of the map.
        samples: Points in a cell along each axis.

    Reference:
        He, Gkioxari, Dollár, Girshick, "Mask R-CNN", 2017, section 3. The half-pixel offset is
        that of their later code, ``aligned=True`` in torchvision.

    Example:
        >>> import torch
        >>> features = torch.arange(16.0).reshape(1, 1, 4, 4)
        >>> roi_align(features, torch.tensor([[[0.0, 0.0, 32.0, 32.0]]]), 2, stride=8)
        tensor([[[[[ 2.5000,  4.5000],
                   [10.5000, 12.5000]]]]])
    """
    n, channels, height, width = features.shape
    count = boxes.shape[1]
    x1, y1, x2, y2 = (boxes / stride).unbind(-1)
    down = interpolation(y1, y2, size, samples, height)
    right = interpolation(x1, x2, size, samples, width)
    rows = features.permute(0, 2, 3, 1).reshape(n, height, width * channels)
    high = down.flatten(1, 2) @ rows
    wide = right[:, :, None] @ high.reshape(n, count, size, width, channels)
    return wide.permute(0, 1, 4, 2, 3)


def interpolation(low: Tensor, high: Tensor, size: int, samples: int, length: int) -> Tensor:
    """Return the weights of the pixels of one axis for the cells of each region.

    Args:
        low: Where the regions begin, in pixels of the map, ``(N, R)``.
        high: Where they end.
        size: The number of cells.
        samples: The number of points in a cell.
        length: The number of pixels.

    Returns:
        ``(N, R, size, length)``.
    """
    count = size * samples
    places = (torch.arange(count, dtype=low.dtype, device=low.device) + 0.5) / count
    points = low[..., None] + places * (high - low)[..., None] - 0.5
    is_on_map = (points >= -1) & (points <= length)
    pixels = torch.arange(length, dtype=low.dtype, device=low.device)
    away = (points.clamp(0, length - 1)[..., None] - pixels).abs()
    weights = (1 - away).clamp(min=0) * is_on_map[..., None]
    return weights.unflatten(2, (size, samples)).mean(3)


def roi_pool(features: Tensor, boxes: Tensor, size: int, *, stride: float = 1.0) -> Tensor:
    """Return the largest features in size × size parts of each region: RoI pooling.

    Corners are rounded to whole pixels of the map, and the region includes the pixel of its
    last corner. The n pixels of an axis are divided into parts from ⌊i·n/size⌋ to
    ⌈(i + 1)·n/size⌉, which overlap if they do not divide evenly. Boxes are cut off at the
    border of the map first; a part without pixels gives 0.

    A window of any length is the union of two of a power of two, whose maxima are shared by all
    regions: the time hardly depends on the size of the regions.

    Shape:
        Maps ``(N, C, H, W)`` and boxes ``(N, R, 4)`` to ``(N, R, C, size, size)``.

    Args:
        features: The maps.
        boxes: Corners x₁, y₁, x₂, y₂ in pixels of the picture; they get no gradient.
        size: Rows and columns of the result.
        stride: Pixels of the picture per pixel of the map.

    Reference:
        Girshick, "Fast R-CNN", 2015, section 2.1, with the rounding of the author's code.

    Example:
        >>> import torch
        >>> features = torch.arange(16.0).reshape(1, 1, 4, 4)
        >>> roi_pool(features, torch.tensor([[[0.0, 0.0, 24.0, 24.0]]]), 2, stride=8)
        tensor([[[[[ 5.,  7.],
                   [13., 15.]]]]])
    """
    n, channels, height, width = features.shape
    x1, y1, x2, y2 = (boxes.detach() / stride).unbind(-1)
    rows, columns = windows(y1, y2, size, height), windows(x1, x2, size, width)
    maxima = window_maxima(features.permute(0, 2, 3, 1), 1, levels_of(height, size))
    maxima = window_maxima(maxima, 3, levels_of(width, size))
    across, down = maxima.shape[1:3]
    pictures = torch.arange(n, device=boxes.device)[:, None, None, None] * across
    tables = (pictures + columns.level[:, :, None]) * down + rows.level[..., None]
    places = [
        (tables * height + y[..., None]) * width + x[:, :, None]
        for y in (rows.first, rows.last)
        for x in (columns.first, columns.last)
    ]
    found = F.embedding(torch.stack(places), maxima.reshape(-1, channels)).amax(0)
    is_empty = rows.is_empty[..., None] | columns.is_empty[:, :, None]
    return found.masked_fill(is_empty[..., None], 0).permute(0, 1, 4, 2, 3)


class Windows(NamedTuple):
    """The pixels of one axis in each part of each region: two windows of 2^level pixels.

    Attributes:
        level: ``(N, R, size)``.
        first: The first pixel of the first window.
        last: The first pixel of the last window; both together cover the part.
        is_empty: Whether the part has no pixels.
    """

    level: Tensor
    first: Tensor
    last: Tensor
    is_empty: Tensor


def windows(low: Tensor, high: Tensor, size: int, length: int) -> Windows:
    """Return the pixels of one axis in each part of each region.

    Args:
        low: Where the regions begin, in pixels of the map, ``(N, R)``.
        high: Where they end.
        size: The number of parts.
        length: The number of pixels.
    """
    low, high = ((side.clamp(0, length) + 0.5).floor()[..., None] for side in (low, high))
    step = (high - low + 1).clamp(min=1) / size
    part = torch.arange(size, dtype=low.dtype, device=low.device)
    first, end = low + (part * step).floor(), low + ((part + 1) * step).ceil()
    first, end = (side.long().clamp(0, length) for side in (first, end))
    count = (end - first).clamp(min=1)
    level = (count + 0.5).log2().long()  # log2 of a power of two may be rounded down
    return Windows(
        level, first.clamp(max=length - 1), (end - 2**level).clamp(min=0), end <= first
    )


def levels_of(length: Any, size: int) -> int:
    """Return the number of window lengths 1, 2, 4 … up to the longest part of a region."""
    if not isinstance(length, int):  # a symbol, during an export
        return MOST_LEVELS
    return min(length, length // size + 2).bit_length()


def window_maxima(maps: Tensor, axis: int, levels: int) -> Tensor:
    """Return the maxima of the windows of 1, 2, 4 … pixels that begin at each pixel.

    Args:
        maps: The values.
        axis: The axis along which the windows lie.
        levels: The number of window lengths, stacked on a new axis 1.
    """
    found, length = [maps], maps.shape[axis]
    for level in range(levels - 1):
        beyond = [0, 0] * (maps.ndim - 1 - axis) + [0, 2**level]
        later = F.pad(found[-1], beyond, value=-torch.inf).narrow(axis, 2**level, length)
        found.append(torch.maximum(found[-1], later))
    return torch.stack(found, 1)
