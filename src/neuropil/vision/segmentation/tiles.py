"""Prediction of pictures that are larger than memory, tile by tile, without a seam."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from neuropil.checks import whole
from neuropil.vision.segmentation.tile_reach import TileReach, tile_reach

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor

    from neuropil.core import Network

SIDE = 512


class Tile(NamedTuple):
    """A part of a picture that is predicted by itself.

    Attributes:
        read: The rows and columns of the picture that the network gets.
        kept: Those that the result is kept of.
        inside: Where these are in what the network gives.
    """

    read: tuple[slice, slice]
    kept: tuple[slice, slice]
    inside: tuple[slice, slice]


def tiles(network: Network, size: tuple[int, int], *, side: int = SIDE) -> Iterator[Tile]:
    """Yield tiles of a picture that overlap by what an output sees: the seams are exact.

    A tile is read with as many pixels around it as the receptive field reaches beyond an
    output, and begins where the strides of the network do. What is kept of it is then what the
    network gives of the whole picture, up to rounding.

    Args:
        network: A network that takes pictures of any size and gives a value for each pixel.
        size: Height and width of the picture.
        side: Number of pixels that are kept of each side of a tile; it is rounded up to a
            multiple of the network's strides.

    Raises:
        ValueError: If a layer looks at the whole picture, such as GroupNorm, GlobalPooling and
            squeeze–excitation; the message names it.

    Example:
        >>> from neuropil.layers import Convolution, Input
        >>> network = Input(1, None, None) >> Convolution(1, 5, padding="same")
        >>> [tile.read[1] for tile in tiles(network, (100, 200), side=100)]
        [slice(0, 102, None), slice(98, 200, None)]
    """
    down, right = tile_reach(network)
    whole(side, "tiles: side")
    for rows in axis_tiles(size[0], side, down):
        for columns in axis_tiles(size[1], side, right):
            yield Tile(*((row, column) for row, column in zip(rows, columns, strict=True)))


def axis_tiles(
    length: int, side: int, reach: TileReach
) -> Iterator[tuple[slice, slice, slice]]:
    """Yield what is read and kept along one axis, and where it is inside.

    Args:
        length: Length of the axis.
        side: Number of pixels to keep of each tile.
        reach: How far an output sees along the axis.
    """
    step, before, after = (
        -(-pixels // reach.period) * reach.period
        for pixels in (side, reach.before, reach.after)
    )
    for start in range(0, length, step):
        end = min(start + step, length)
        first, last = max(0, start - before), min(length, end + after)
        yield slice(first, last), slice(start, end), slice(start - first, end - first)


def predict_in_tiles(
    network: Network,
    picture: Any,
    *,
    side: int = SIDE,
    decode: Callable[[Tensor], Tensor] | None = None,
    out: Any = None,
) -> Any:
    """Return the outputs of a network for a large picture, computed tile by tile.

    The result is that of the whole picture up to rounding, but the memory is that of a tile.
    The picture may be a memory map, of which only a tile is read at a time, and so may the
    result.

    Shape:
        ``(C, H, W)`` to ``(K, H, W)``, or as `decode` gives it without the batch axis.

    Args:
        network: The trained network, for pictures of any size.
        picture: The raw picture: an array, a memory map or a tensor.
        side: Number of pixels that are kept of each side of a tile.
        decode: Applied to what the network gives of a tile, ``(1, K, H, W)``, such as the
            `decode` of a task, to keep less in memory than all scores.
        out: An array or a memory map that receives the result; None for a new tensor.

    Raises:
        ValueError: If the picture is not ``(C, H, W)``, or a layer looks at all of it.

    Example:
        >>> from neuropil.layers import Convolution, Input
        >>> network = Input(1, None, None) >> Convolution(2, 3, padding="same")
        >>> picture = torch.rand(1, 50, 40)
        >>> whole = network.predict(picture[None])[0]
        >>> torch.allclose(predict_in_tiles(network, picture, side=16), whole, atol=1e-6)
        True
    """
    if len(picture.shape) != 3 or 0 in picture.shape:
        raise ValueError(
            f"predict_in_tiles takes one picture (C, H, W), got {tuple(picture.shape)}."
        )
    height, width = picture.shape[1:]
    for tile in tiles(network, (height, width), side=side):
        part = picture[(slice(None), *tile.read)]
        part = torch.as_tensor(part if isinstance(part, torch.Tensor) else np.array(part))
        found = network.predict(part[None]).cpu()
        found = (found if decode is None else decode(found))[0]
        if out is None:
            out = found.new_empty(*found.shape[:-2], height, width)
        value = found[(..., *tile.inside)]
        into: Any = out
        into[(..., *tile.kept)] = value if isinstance(out, torch.Tensor) else value.numpy()
    return out
