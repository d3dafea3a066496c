"""The things in the boxes of pictures, cut out as pictures of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from neuropil.datasets import DataError, Dataset
from neuropil.study.setups.resized import resize

if TYPE_CHECKING:
    from torch import Tensor

    from neuropil.datasets.source import Source

# The side of what is cut out, as a part of the longer side of the box.
SURROUNDINGS = 1.2
# Pictures that are fetched together.
TOGETHER = 64


def box_crops(source: Source, size: tuple[int, int]) -> Dataset:
    """Return the things in the boxes of pictures, each with its class.

    A square around each box with a little of its surroundings is cut out of the picture,
    without what lies outside, and resized. Boxes that are not to be found are left out.

    Args:
        source: Pictures with boxes ``(N, M, 5)``, as `Boxes` has them.
        size: Height and width of the results.

    Raises:
        DataError: If no box is found.

    Example:
        >>> pictures = torch.zeros(1, 1, 8, 8, dtype=torch.uint8)
        >>> pictures[0, 0, 2:4, 5:7] = 9
        >>> data = Dataset(pictures, torch.tensor([[[5.0, 2, 7, 4, 3], [-1, -1, -1, -1, -1]]]))
        >>> crops = box_crops(data, (4, 4))
        >>> crops
        Dataset(1 example of shape (1, 4, 4), 1 classes)
        >>> crops.targets, int(crops.inputs.max())
        (tensor([3]), 9)
    """
    found: list[Tensor] = []
    classes: list[int] = []
    for start in range(0, len(source), TOGETHER):
        places = range(start, min(start + TOGETHER, len(source)))
        pictures, targets, _ = source.fetch(places)
        if targets is None:
            break
        for place, picture, boxes in zip(places, pictures, targets, strict=True):
            height, width = source.size_of(place)
            for box in boxes[boxes[:, 4] >= 0].tolist():
                top, bottom, left, right = window(box, height, width)
                found.append(resize(picture[None, :, top:bottom, left:right], size))
                classes.append(int(box[4]))
    if not found:
        raise DataError("the pictures have no boxes whose things could be cut out.")
    return Dataset(torch.cat(found), torch.tensor(classes))


def window(box: list[float], height: int, width: int) -> tuple[int, int, int, int]:
    """Return the first and last row and column of a square around a box, in the picture."""
    x1, y1, x2, y2, _ = box
    side = max(1, round(SURROUNDINGS * max(x2 - x1, y2 - y1)))
    return *interval((y1 + y2) / 2, side, height), *interval((x1 + x2) / 2, side, width)


def interval(centre: float, side: int, length: int) -> tuple[int, int]:
    """Return the ends of an interval around a place, moved inside of an axis."""
    side = min(side, length)
    start = min(max(0, round(centre - side / 2)), length - side)
    return start, start + side
