"""Selective search of a batch as one operator, which compilers do not look into."""

from __future__ import annotations

from typing import Any, NoReturn

import torch
from torch import Tensor

from neuropil.runs.exporting.own_operator import OwnOperator
from neuropil.vision.regions.selective_search import selective_search

# The only segmentation: one search takes the time of a small network.
SCALE, SPACE = 100.0, "lab"


@torch.library.custom_op("neuropil::search_regions", mutates_args=())
def search_regions(pictures: Tensor, most: int) -> Tensor:
    """Return the best regions of each picture by selective search, the whole picture first.

    Shape:
        ``(N, C, H, W)`` to ``(N, most, 4)``, filled up with 0.

    Args:
        pictures: Pictures of any range of values, which is stretched to 0 … 1.
        most: The number of regions.
    """
    height, width = pictures.shape[2:]
    found = torch.zeros(pictures.shape[0], most, 4, dtype=torch.float32)
    found[:, 0] = torch.tensor([0.0, 0.0, width, height])
    for picture, regions in zip(pictures.detach().cpu(), found, strict=True):
        low, high = picture.aminmax()
        stretched = (picture - low) / (high - low if high > low else 1)
        # Half precision does not hold all the colours of a picture in bytes.
        boxes = selective_search(stretched.float(), scales=[SCALE], spaces=[SPACE], most=most)
        others = boxes[(boxes != regions[0]).any(1)][: most - 1]
        regions[1 : 1 + others.shape[0]] = others
    return found.to(pictures)


@search_regions.register_fake
def result_like(pictures: Tensor, most: int) -> Tensor:
    """Return a tensor of the shape of the result."""
    return pictures.new_empty((pictures.shape[0], most, 4))


def refuse_export(*_: Any) -> NoReturn:
    """Refuse to write the search into a file for programs without this library.

    Raises:
        ValueError: Always.
    """
    raise ValueError(
        "its regions come from selective search, which other programs do not have; the network "
        "faster_rcnn proposes its own regions and can be exported"
    )


OPERATOR = OwnOperator(torch.ops.neuropil.search_regions.default, refuse_export, refuse_export)
"""The operator, which has no other form."""
