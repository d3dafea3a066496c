"""The last layer of a detector that looks at regions: the class and the box of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from typing_extensions import override

from neuropil.checks import shown, whole
from neuropil.core import Layer, Shape, ShapeError
from neuropil.core.shape import format_shapes
from neuropil.init import Normal
from neuropil.layers.layer_options import known_count

if TYPE_CHECKING:
    from torch import Tensor

# The numbers of a row before its scores: a box and its shifts.
BOX_NUMBERS = 8
SPREAD = 0.01


class RegionBoxes(Layer):
    """Predict the class and the box of the thing in each region from its features.

    An affine map of the features gives 5 + p numbers: the shifts t_x, t_y, t_w, t_h from the
    region to the box, and scores of no thing and of p classes. Anchors, if given, follow the
    regions in the same form, so that one tensor holds what the loss needs.
    `neuropil.vision.detect_regions` returns the boxes.

    Shape:
        Features ``(R, D)``, regions ``(R, 4)`` and, of a network that proposes its own regions,
        boxes ``(A, 9)`` of `AnchorBoxes` to ``(R + A, 9 + p)``: x₁, y₁, x₂, y₂ of the region,
        the shifts in units of a tenth, scores of no thing and of each class. In the rows of
        anchors the shifts are in units of 1, the first score is that of a thing, and the rest
        are 0.
        ``weight`` has shape ``(5 + p, D)`` and ``bias`` ``(5 + p)``.

    Args:
        classes: Number of classes p.
        name: Name in the network, in place of ``regionboxes1``.

    Raises:
        ValueError: When `classes` is not a whole number from 1 up.
        ShapeError: When the inputs do not fit.

    Reference:
        Girshick, "Fast R-CNN", 2015, section 2. Shifts are common to all classes here, as in
        Dai, Li, He, Sun, "R-FCN: object detection via region-based fully convolutional
        networks", 2016.

    Example:
        >>> RegionBoxes(3).output_shape((100, 256), (100, 4))
        (100, 12)
        >>> RegionBoxes(3).output_shape((100, 256), (100, 4), (1200, 9))
        (1300, 12)
    """

    weight: Tensor
    bias: Tensor
    inputs_taken = (2, 3)
    channels_first = False

    def __init__(self, classes: int, *, name: str | None = None) -> None:
        super().__init__(name=name)
        self.classes = whole(classes, "RegionBoxes: classes")
        self.initializers["weight"] = Normal(0.0, SPREAD)

    @override
    def output_shape(self, *shapes: Shape) -> Shape:
        features, regions, *anchors = shapes
        right = len(features) == 2 and None not in features and regions == (features[0], 4)
        if not right or any(len(each) != 2 or each[1] != 9 for each in anchors):
            raise ShapeError(
                f"{shown(self)} needs features (R, D), regions (R, 4) and perhaps anchors "
                f"(A, 9), got {format_shapes(shapes)}."
            )
        more = anchors[0][0] if anchors else 0
        rows = None if more is None or features[0] is None else features[0] + more
        return (rows, BOX_NUMBERS + 1 + self.classes)

    @override
    def parameter_shapes(self, *shapes: Shape) -> dict[str, tuple[int, ...]]:
        self.output_shape(*shapes)
        numbers, width = 5 + self.classes, shapes[0][1] or 0
        return {"weight": (numbers, width), "bias": (numbers,)}

    @override
    def multiply_adds(self, *shapes: Shape) -> int:
        return known_count(self, shapes[0]) * (5 + self.classes)

    @override
    def reaches(self, *_: Shape) -> None:
        return None

    @override
    def forward(self, features: Tensor, regions: Tensor, *anchors: Tensor) -> Tensor:
        numbers = F.linear(features, self.weight, self.bias)
        rows = [torch.cat([regions.to(numbers.dtype), numbers], -1)]
        rows += [F.pad(each, (0, self.classes)) for each in anchors]
        return torch.cat(rows, 1)
