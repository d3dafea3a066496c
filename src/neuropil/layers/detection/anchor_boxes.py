"""The first half of a region proposal network: scores and shifts of anchors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from typing_extensions import override

from neuropil.checks import shown
from neuropil.core import Layer, Shape, ShapeError
from neuropil.core.shape import format_shapes
from neuropil.init import Normal
from neuropil.layers.detection.anchor_options import strides_and_anchors
from neuropil.layers.layer_options import known_count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from neuropil.layers.detection.anchor_options import Anchors

# An anchor's own box, its shifts, and its score.
NUMBERS = 9
SPREAD = 0.01


class AnchorBoxes(Layer):
    """Score anchors, typical boxes around each position of a map, and shift them.

    Each position has one anchor for each size, around the centre of its cell. An affine map of
    the features gives five numbers for each: the score that there is a thing, before its
    sigmoid, and the shifts t_x, t_y, t_w, t_h from the anchor to the box around it.

    Shape:
        Features ``(C, h, w)``, one for each stride, to ``(A, 9)``, a row for each of A anchors:
        x₁, y₁, x₂, y₂ of the anchor in pixels, t_x, t_y, t_w, t_h, score. For map i with a
        anchors, ``weight{i}`` has shape ``(5a, C)`` and ``bias{i}`` ``(5a)``.

    Args:
        anchors: For each stride, the width and height in pixels of each anchor.
        strides: For each feature map, the pixels from one position to the next, smallest first;
            each divides the next.
        name: Name in the network, in place of ``anchorboxes1``.

    Raises:
        ValueError: When there is no anchor, an anchor has no area, the lists of anchors are not
            as many as the strides, or the strides do not divide each other.
        ShapeError: When the maps are not images, one for each stride.

    Reference:
        Ren, He, Girshick, Sun, "Faster R-CNN: towards real-time object detection with region
        proposal networks", 2015, section 3.1.

    Example:
        >>> import torch
        >>> layer = AnchorBoxes([[(20, 30)]], strides=[8])
        >>> layer.output_shape((64, 2, 3))
        (6, 9)
        >>> from neuropil.layers import Input
        >>> (Input(64, 2, 3) >> layer)(torch.zeros(1, 64, 2, 3))[0, 1].tolist()
        [2.0, -11.0, 22.0, 19.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    """

    channels_first = False
    inputs_taken = (1, None)

    def __init__(
        self, anchors: Anchors, *, strides: Sequence[int], name: str | None = None
    ) -> None:
        super().__init__(name=name)
        self.strides, self.anchors = strides_and_anchors("AnchorBoxes", strides, anchors)
        self.inputs_taken = (len(self.strides), len(self.strides))
        for place in range(1, len(self.strides) + 1):
            self.initializers[f"weight{place}"] = Normal(0.0, SPREAD)

    @override
    def output_shape(self, *shapes: Shape) -> Shape:
        if len(shapes) != len(self.strides) or any(len(shape) != 3 for shape in shapes):
            raise ShapeError(
                f"{shown(self)} needs one feature map (C, h, w) for each of its "
                f"{len(self.strides)} strides, got {format_shapes(shapes)}."
            )
        total = 0
        for (_, height, width), group in zip(shapes, self.anchors, strict=True):
            if height is None or width is None:
                return (None, NUMBERS)
            total += height * width * len(group)
        return (total, NUMBERS)

    @override
    def parameter_shapes(self, *shapes: Shape) -> dict[str, tuple[int, ...]]:
        found: dict[str, tuple[int, ...]] = {}
        for place, (shape, group) in enumerate(zip(shapes, self.anchors, strict=True), start=1):
            if shape[0] is None:
                raise self.refuse("a known number of channels", shape, "give it in Input(…)")
            found[f"weight{place}"] = (5 * len(group), shape[0])
            found[f"bias{place}"] = (5 * len(group),)
        return found

    @override
    def multiply_adds(self, *shapes: Shape) -> int:
        maps = zip(shapes, self.anchors, strict=True)
        return sum(5 * len(group) * known_count(self, shape) for shape, group in maps)

    @override
    def reaches(self, *_: Shape) -> None:
        return None  # the rows are not positions of the input

    @override
    def forward(self, *maps: Tensor) -> Tensor:
        rows: list[Tensor] = []
        for place, (x, stride) in enumerate(zip(maps, self.strides, strict=True), start=1):
            weight, bias = getattr(self, f"weight{place}"), getattr(self, f"bias{place}")
            numbers = torch.conv2d(x, weight[:, :, None, None], bias).permute(0, 2, 3, 1)
            numbers = numbers.unflatten(3, (-1, 5))
            own = x.new_tensor(self.anchors[place - 1]) / 2
            down, right = (
                (torch.arange(length, dtype=x.dtype, device=x.device) + 0.5) * stride
                for length in x.shape[2:]
            )
            shape = (x.shape[2], x.shape[3], own.shape[0])
            middle = [right[None, :, None].expand(shape), down[:, None, None].expand(shape)]
            center = torch.stack(middle, -1)
            anchors = torch.cat([center - own, center + own], -1).expand(*numbers.shape[:4], 4)
            rows.append(torch.cat([anchors, numbers[..., 1:], numbers[..., :1]], -1))
        return torch.cat([each.flatten(1, 3) for each in rows], 1)
