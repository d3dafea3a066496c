"""Layers that propose regions of a picture in which a thing may be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from typing_extensions import override

from neuropil.checks import number, shown, whole
from neuropil.core import Layer, Shape, ShapeError
from neuropil.core.later import later
from neuropil.core.shape import format_shapes
from neuropil.layers.detection.box_shifts import shift_boxes

if TYPE_CHECKING:
    from torch import Tensor

# The rows with the best scores of which boxes that overlap are dropped.
CANDIDATES = 1000


class RegionProposals(Layer):
    """Propose the regions of a picture that score best: shifted boxes that overlap little.

    The boxes are shifted and cut off at the border of the picture. Of those with the thousand
    best scores, non-max suppression keeps the best that overlap by less than `iou`. The first
    region is always the whole picture; rows after the last region are 0. Regions pass no
    gradient on.

    Shape:
        Boxes ``(A, 9)`` as from `AnchorBoxes` and their picture ``(C, H, W)`` to ``(most, 4)``:
        x₁, y₁, x₂, y₂ in pixels.

    Args:
        most: Number of regions.
        iou: Boxes that overlap a better one by this much are dropped.
        name: Name in the network, in place of ``regionproposals1``.

    Raises:
        ValueError: When an option is out of its range.
        ShapeError: When the inputs are not boxes and a picture.

    Reference:
        Ren, He, Girshick, Sun, "Faster R-CNN: towards real-time object detection with region
        proposal networks", 2015, section 3.3, where regions pass no gradient on either.

    Example:
        >>> import torch
        >>> boxes = torch.tensor([[[0.0, 0, 9, 9, 0, 0, 0, 0, 1], [0, 0, 8, 9, 0, 0, 0, 0, 2]]])
        >>> RegionProposals(3)(boxes, torch.zeros(1, 3, 20, 30)).tolist()
        [[[0.0, 0.0, 30.0, 20.0], [0.0, 0.0, 8.0, 9.0], [0.0, 0.0, 0.0, 0.0]]]
    """

    inputs_taken = (2, 2)
    channels_first = False

    def __init__(self, most: int = 100, *, iou: float = 0.7, name: str | None = None) -> None:
        super().__init__(name=name)
        self.most = whole(most, "RegionProposals: most")
        self.iou = number(iou, "RegionProposals: iou", "(0, 1]")

    @override
    def output_shape(self, boxes: Shape, picture: Shape) -> Shape:
        if len(boxes) != 2 or boxes[1] != 9 or len(picture) != 3:
            raise ShapeError(
                f"{shown(self)} needs boxes (A, 9) and their picture (C, H, W), got "
                f"{format_shapes((boxes, picture))}."
            )
        return (self.most, 4)

    @override
    def reaches(self, *_: Shape) -> None:
        return None

    @override
    def forward(self, boxes: Tensor, picture: Tensor) -> Tensor:
        boxes = boxes.detach()
        height, width = picture.shape[2:]
        shifted = shift_boxes(boxes[..., :4], boxes[..., 4:8])
        x, y = shifted[..., 0::2].clamp(0, width), shifted[..., 1::2].clamp(0, height)
        cut = torch.stack([x[..., 0], y[..., 0], x[..., 1], y[..., 1]], -1)
        # Of fewer anchors than candidates the rest are boxes without area, never chosen.
        count = boxes.shape[0]
        cut = torch.cat([cut, cut.new_zeros(count, CANDIDATES, 4)], 1)
        has_area = (cut[..., 2:] > cut[..., :2]).all(-1)
        scores = torch.cat([boxes[..., 8].sigmoid(), cut.new_zeros(count, CANDIDATES)], 1)
        scores, order = torch.where(has_area, scores, -1).topk(CANDIDATES, 1)
        best = cut.gather(1, order[..., None].expand(-1, -1, 4))
        kept = later("propose_boxes")(best, scores, self.iou, self.most)
        none = torch.cat([best, best.new_zeros(count, 1, 4)], 1)
        places = torch.where(kept < 0, CANDIDATES, kept)[:, : self.most - 1]
        found = none.gather(1, places[..., None].expand(-1, -1, 4))
        return torch.cat([whole_picture(picture, boxes), found], 1)


class SelectiveSearch(Layer):
    """Propose the regions of a picture by `neuropil.vision.selective_search`.

    The colours of each picture are stretched to 0 … 1 first, so that pictures may be
    normalised. Its single segmentation is in the space ``"lab"`` with a scale of 100. The first
    region is always the whole picture; rows after the last region are 0. The search runs on the
    processor, and has no form in an exported file.

    Shape:
        A picture ``(C, H, W)``, of 1 or 3 channels, to ``(most, 4)``: x₁, y₁, x₂, y₂ in pixels.

    Args:
        most: Number of regions.
        name: Name in the network, in place of ``selectivesearch1``.

    Raises:
        ValueError: When `most` is not a whole number from 1 up.
        ShapeError: When the input is not a grey or coloured picture.

    Reference:
        Uijlings, van de Sande, Gevers, Smeulders, "Selective search for object recognition",
        2013.

    Example:
        >>> import torch
        >>> picture = torch.zeros(1, 1, 40, 60)
        >>> picture[:, :, 10:30, 15:40] = 1
        >>> SelectiveSearch(2)(picture)[0].tolist()
        [[0.0, 0.0, 60.0, 40.0], [15.0, 10.0, 40.0, 30.0]]
    """

    channels_first = False

    def __init__(self, most: int = 100, *, name: str | None = None) -> None:
        super().__init__(name=name)
        self.most = whole(most, "SelectiveSearch: most")

    @override
    def output_shape(self, picture: Shape) -> Shape:
        if len(picture) != 3 or picture[0] not in (1, 3):
            raise self.refuse("a picture (1, H, W) or (3, H, W)", picture, "see Input(…)")
        return (self.most, 4)

    @override
    def reaches(self, *_: Shape) -> None:
        return None

    @override
    def forward(self, picture: Tensor) -> Tensor:
        return later("search_regions")(picture.detach(), self.most)


def whole_picture(picture: Tensor, like: Tensor) -> Tensor:
    """Return the box around each picture, ``(N, 1, 4)``."""
    height, width = picture.shape[2:]
    ends = torch.ones(like.shape[0], 1, 1, dtype=like.dtype, device=like.device)
    return torch.cat([0 * ends, 0 * ends, width * ends, height * ends], -1)
