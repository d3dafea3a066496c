"""Selective search: boxes around what may be a thing, from regions merged by their likeness."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from neuropil.checks import one_of, whole
from neuropil.vision.boxes.non_max_suppression import non_max_suppression
from neuropil.vision.regions.color_spaces import SPACES
from neuropil.vision.regions.graph_segmentation import colors_of, segment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import Tensor

# Standard deviation of the Gaussian that smooths the picture.
SIGMA = 0.8
# Boxes that overlap by this much count as the same.
SAME = 0.8
# The golden ratio: the fractions of its multiples are spread evenly, as random numbers are.
GOLDEN = (5**0.5 - 1) / 2


def selective_search(
    picture: Tensor,
    *,
    scales: Sequence[float] = (50.0, 100.0),
    spaces: Sequence[str] = ("hsv", "lab"),
    most: int = 2000,
) -> Tensor:
    """Return boxes around what may be a thing in a picture, best first.

    The picture is segmented by `graph_segmentation` in several colour spaces and with several
    scales. Of all regions that touch, the two most alike are merged, again and again, until one
    is left; every region on the way is proposed by its bounding box. The likeness is the sum of

    ``s_colour = Σ min(aᵢ, bᵢ)`` over histograms of 25 bins for each channel,
    ``s_texture = Σ min(aᵢ, bᵢ)`` over those of slopes in 8 directions, 10 bins each,
    ``s_size = 1 − (|A| + |B|)/|picture|``, small regions first, and
    ``s_fill = 1 − (|box of A ∪ B| − |A| − |B|)/|picture|``, regions that fit into each other;

    once with s_colour and once without, for each segmentation. Of boxes with an IoU of 0.8 or
    more, the better one is kept.

    Shape:
        ``(C, H, W)``, of 1 or 3 channels, to ``(K, 4)``: x₁, y₁, x₂, y₂ in pixels, K ≤ most.

    Args:
        picture: Colours from 0 to 1, or bytes from 0 to 255.
        scales: The scales of the segmentations; as many pixels are the least of a region.
        spaces: Their colour spaces: ``"hsv"``, ``"lab"``.
        most: The largest number of boxes.

    Raises:
        ValueError: If the picture is not one, or an option is not allowed.

    Reference:
        Uijlings, van de Sande, Gevers, Smeulders, "Selective search for object recognition",
        2013, its fast version. Boxes are sorted by their place from the top of the hierarchy
        times a number in [0, 1), which is random in the paper, and here always the same.

    Example:
        >>> import torch
        >>> from neuropil.vision import iou
        >>> picture = torch.zeros(3, 40, 60)
        >>> picture[:, 10:30, 15:40] = 1
        >>> iou(torch.tensor([[15, 10, 40, 30]]), selective_search(picture)).max() > 0.8
        tensor(True)
    """
    if not (len(scales) and len(spaces)):
        raise ValueError("selective_search: at least one scale and one space are needed.")
    most = whole(most, "selective_search: most")
    colors = np.clip(colors_of(picture, "selective_search"), 0, 1)
    if colors.shape[2] not in (1, 3):
        raise ValueError(
            f"selective_search: a picture has 1 or 3 channels, got {colors.shape[2]}."
        )
    colors = np.broadcast_to(colors, (*colors.shape[:2], 3))
    groups = [
        boxes
        for space in spaces
        for boxes in boxes_in(
            SPACES[one_of(space, "selective_search: each of spaces", SPACES)](colors), scales
        )
    ]
    return best_first(groups)[:most]


def boxes_in(colors: NDArray[np.float64], scales: Sequence[float]) -> list[NDArray[np.int64]]:
    """Return the boxes of the regions of each segmentation and likeness, parts first.

    Args:
        colors: Colours in one space, ``(H, W, C)``.
        scales: The scales of the segmentations.
    """
    from scipy.ndimage import gaussian_filter

    from neuropil.vision.regions import region_grouping_loops as loops

    smooth = gaussian_filter(colors, [SIGMA, SIGMA, 0])
    found: list[NDArray[np.int64]] = []
    for scale in scales:
        labels = segment(colors, scale, SIGMA, max(1, round(scale)))
        count = int(labels.max()) + 1
        described = loops.describe_regions(colors, smooth, labels, count)
        touch = loops.neighbors(labels, count)
        for by_color in (1.0, 0.0):
            own = loops.Regions(*(each.copy() for each in described))
            found.append(loops.group_regions(own, touch.copy(), labels.size, by_color))
    return found


def best_first(groups: list[NDArray[np.int64]]) -> Tensor:
    """Return the boxes of all hierarchies, best first, without those much like a better one.

    Args:
        groups: The boxes of each hierarchy, the whole picture last.
    """
    place = np.concatenate([np.arange(len(boxes), 0, -1) for boxes in groups])
    spread = np.arange(len(place)) * GOLDEN % 1
    boxes = torch.from_numpy(np.concatenate(groups)).float()
    scores = torch.from_numpy(1 / (1 + place * spread))
    return boxes[non_max_suppression(boxes, scores, score=0, iou=SAME)]
