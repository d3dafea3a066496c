"""The last layer of a detector: the boxes that the cells of a grid predict."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from typing_extensions import override

from neuropil.checks import shown, whole
from neuropil.core import Layer, Shape, ShapeError
from neuropil.core.shape import format_shapes
from neuropil.init import Normal
from neuropil.init.given_values import GivenValues
from neuropil.layers.detection.anchor_options import strides_and_anchors
from neuropil.layers.layer_options import known_count

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import Tensor

    from neuropil.layers.detection.anchor_options import Anchors

# The numbers of a box before its class scores: p_c, b_x, b_y, b_h, b_w.
BOX_NUMBERS = 5
# Most predictors see no object. If each began at a probability of ½, the first steps would only
# lower it.
PRIOR = 0.01
SPREAD = 0.01


class BoxGrid(Layer):
    """Predict boxes around objects from the features of each cell of a grid.

    Each cell has one predictor for each anchor, an affine map of its features to p + 5 numbers:
    p_c (objectness), b_x, b_y, b_h, b_w (centre and size of the box) and a score for each of p
    classes, all before their activation functions. `neuropil.vision.detect_boxes` returns the
    boxes.

    Feature maps of several strides give one grid: its cells are those of the largest stride,
    and the cells of a smaller stride are their sub-cells. With strides of 8 and 16 a cell has
    the predictors of four sub-cells, row by row, and its own.

    Shape:
        Features ``(C, h, w)``, one for each stride s, to ``(G_h, G_w, k·(5 + p))``, the grid of
        the largest stride S, with (S/s)² predictors in k for each anchor; h = G_h·S/s, w
        likewise. Free axes stay free. For map i, ``weight{i}`` has shape ``(a·(5 + p), C)`` and
        ``bias{i}`` ``(a·(5 + p))`` for its a anchors.

    Args:
        classes: Number of classes p.
        anchors: For each stride, the width and height in pixels of each anchor: a typical box.
        strides: For each feature map, the pixels from one cell to the next, smallest first;
            each divides the next.
        name: Name in the network, in place of ``boxgrid1``.

    Raises:
        ValueError: When there is no anchor, an anchor has no area, the lists of anchors are not
            as many as the strides, or the strides do not divide each other.
        ShapeError: When the maps are not images, one for each stride, or do not fit each other.

    Reference:
        Redmon, Farhadi, "YOLO9000: better, faster, stronger", 2017, for anchors; Lin, Goyal,
        Girshick, He, Dollár, "Focal loss for dense object detection", 2017, section 4.1, for
        the bias, which starts at a probability of 1 % for an object.

    Example:
        >>> grid = BoxGrid(3, anchors=[[(20, 20)], [(50, 50), (100, 90)]], strides=[8, 16])
        >>> grid.output_shape((64, 30, 40), (64, 15, 20))  # 4 sub-cells and 2 anchors
        (15, 20, 48)
        >>> BoxGrid(1, anchors=[[(9, 9)]], strides=[8]).output_shape((64, None, 4))
        (None, 4, 6)
    """

    channels_first = False
    inputs_taken = (1, None)

    def __init__(
        self,
        classes: int,
        *,
        anchors: Anchors,
        strides: Sequence[int],
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        self.classes = whole(classes, "BoxGrid: classes")
        self.strides, self.anchors = strides_and_anchors("BoxGrid", strides, anchors)
        self.inputs_taken = (len(self.strides), len(self.strides))
        prior = [-math.log(1 / PRIOR - 1), *[0.0] * (self.numbers - 1)]
        for place, group in enumerate(self.anchors, start=1):
            self.initializers[f"weight{place}"] = Normal(0.0, SPREAD)
            self.initializers[f"bias{place}"] = GivenValues(prior * len(group), "bias")

    @property
    def numbers(self) -> int:
        """Number of outputs of a predictor, 5 + p."""
        return BOX_NUMBERS + self.classes

    @property
    def ratios(self) -> tuple[int, ...]:
        """The sub-cells of each feature map along a side of a cell, S/s."""
        return tuple(self.strides[-1] // stride for stride in self.strides)

    @override
    def output_shape(self, *shapes: Shape) -> Shape:
        if len(shapes) != len(self.strides) or any(len(shape) != 3 for shape in shapes):
            raise ShapeError(
                f"{shown(self)} needs one feature map (C, h, w) for each of its "
                f"{len(self.strides)} strides, got {format_shapes(shapes)}."
            )
        grid = [self.common_length(shapes, axis) for axis in (1, 2)]
        count = sum(r * r * len(a) for r, a in zip(self.ratios, self.anchors, strict=True))
        return (*grid, count * self.numbers)

    def common_length(self, shapes: tuple[Shape, ...], axis: int) -> int | None:
        """Return the cells along an axis; None if each map leaves it free.

        Raises:
            ShapeError: When the maps differ in it.
        """
        sides = [(shape[axis], ratio) for shape, ratio in zip(shapes, self.ratios, strict=True)]
        known = {(side // ratio, side % ratio) for side, ratio in sides if side is not None}
        if len(known) > 1 or any(rest for _, rest in known):
            raise ShapeError(
                f"{shown(self)} needs maps of one grid, with lengths in the ratio "
                f"{':'.join(map(str, self.ratios))}, got {format_shapes(shapes)}: put "
                f"CellPadding({self.strides[-1]}) before the first layer."
            )
        return known.pop()[0] if known else None

    @override
    def parameter_shapes(self, *shapes: Shape) -> dict[str, tuple[int, ...]]:
        found: dict[str, tuple[int, ...]] = {}
        maps = zip(shapes, self.anchors, strict=True)
        for place, (shape, anchors) in enumerate(maps, start=1):
            if shape[0] is None:
                raise self.refuse("a known number of channels", shape, "give it in Input(…)")
            outputs = len(anchors) * self.numbers
            found |= {f"weight{place}": (outputs, shape[0]), f"bias{place}": (outputs,)}
        return found

    @override
    def multiply_adds(self, *shapes: Shape) -> int:
        maps = zip(shapes, self.anchors, strict=True)
        return sum(known_count(self, shape) * len(a) * self.numbers for shape, a in maps)

    @override
    def reaches(self, *_: Shape) -> None:
        return None  # the channels come last: axes are not those of the input

    def parts(self) -> Iterator[tuple[Tensor, Tensor, int]]:
        """Yield the weight, bias and ratio of each feature map."""
        for place, ratio in enumerate(self.ratios, start=1):
            yield getattr(self, f"weight{place}"), getattr(self, f"bias{place}"), ratio

    @override
    def forward(self, *maps: Tensor) -> Tensor:
        grids: list[Tensor] = []
        for x, (weight, bias, ratio) in zip(maps, self.parts(), strict=True):
            y = torch.conv2d(x, weight[:, :, None, None], bias)
            n, outputs, height, width = y.shape
            cells = (height // ratio, ratio, width // ratio, ratio)
            y = y.reshape(n, outputs, *cells).permute(0, 2, 4, 3, 5, 1)
            grids.append(y.reshape(n, cells[0], cells[2], ratio * ratio * outputs))
        return torch.cat(grids, dim=-1)
