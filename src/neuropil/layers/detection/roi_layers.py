"""Layers that give the features of each region of a picture."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from typing_extensions import override

from neuropil.checks import number, shown, whole
from neuropil.core import Layer, Shape, ShapeError
from neuropil.core.shape import format_shapes
from neuropil.layers.detection.roi_features import roi_align, roi_pool
from neuropil.layers.layer_options import known_count

if TYPE_CHECKING:
    from torch import Tensor


class RegionFeatures(Layer):
    """Base class of layers that cut a map to boxes.

    Args:
        size: Rows and columns of the features of a region.
        stride: Pixels of the picture per pixel of the map.
        name: Name in the network.

    Raises:
        ValueError: When an option is out of its range.
        ShapeError: When the inputs are not a map and boxes.
    """

    inputs_taken = (2, 2)
    channels_first = True

    def __init__(self, size: int, *, stride: float = 1.0, name: str | None = None) -> None:
        super().__init__(name=name)
        what = type(self).__name__
        self.size = whole(size, f"{what}: size")
        self.stride = number(stride, f"{what}: stride", "(0, inf)")

    @override
    def output_shape(self, features: Shape, boxes: Shape) -> Shape:
        if len(features) != 3 or len(boxes) != 2 or boxes[1] != 4:
            raise ShapeError(
                f"{shown(self)} needs features (C, h, w) and boxes (R, 4), got "
                f"{format_shapes((features, boxes))}."
            )
        return (boxes[0], features[0], self.size, self.size)

    @override
    def reaches(self, *_: Shape) -> None:
        return None  # a region may be the whole picture

    @override
    @abstractmethod
    def forward(self, features: Tensor, boxes: Tensor) -> Tensor: ...


class RoiAlign(RegionFeatures):
    """Give the features of regions by bilinear interpolation: RoI align.

    Each cell of the size × size cells of a region is the mean of the map at samples × samples
    points spread evenly in it, as described for `neuropil.vision.roi_align`. Gradients flow to
    the map and to the boxes.

    Shape:
        Features ``(C, h, w)`` and boxes ``(R, 4)`` to ``(R, C, size, size)``. Free axes of the
        map may stay free.

    Args:
        size: Rows and columns of the features of a region.
        stride: Pixels of the picture per pixel of the map.
        samples: Points in a cell along each axis.
        name: Name in the network, in place of ``roialign1``.

    Raises:
        ValueError: When an option is out of its range.
        ShapeError: When the inputs are not a map and boxes.

    Reference:
        He, Gkioxari, Dollár, Girshick, "Mask R-CNN", 2017, section 3.

    Example:
        >>> import torch
        >>> features = torch.arange(16.0).reshape(1, 1, 4, 4)
        >>> RoiAlign(2, stride=8)(features, torch.tensor([[[0.0, 0.0, 32.0, 32.0]]])).tolist()
        [[[[[2.5, 4.5], [10.5, 12.5]]]]]
        >>> RoiAlign(7).output_shape((64, None, None), (100, 4))
        (100, 64, 7, 7)
    """

    def __init__(
        self, size: int, *, stride: float = 1.0, samples: int = 2, name: str | None = None
    ) -> None:
        super().__init__(size, stride=stride, name=name)
        self.samples = whole(samples, "RoiAlign: samples")

    @override
    def multiply_adds(self, features: Shape, boxes: Shape) -> int:
        height, width = features[1:]
        wide = known_count(self, (boxes[0], features[0], self.size, width))
        return wide * (known_count(self, (height,)) + self.size)

    @override
    def forward(self, features: Tensor, boxes: Tensor) -> Tensor:
        return roi_align(features, boxes, self.size, stride=self.stride, samples=self.samples)


class RoiPooling(RegionFeatures):
    """Give the largest features in size × size parts of each region: RoI pooling.

    Boxes are rounded to whole pixels of the map, as for `neuropil.vision.roi_pool`.
    Gradients flow to the map alone.

    Shape:
        Features ``(C, h, w)`` and boxes ``(R, 4)`` to ``(R, C, size, size)``. Free axes of the
        map may stay free.

    Args:
        size: Rows and columns of the features of a region.
        stride: Pixels of the picture per pixel of the map.
        name: Name in the network, in place of ``roipooling1``.

    Raises:
        ValueError: When an option is out of its range.
        ShapeError: When the inputs are not a map and boxes.

    Reference:
        Girshick, "Fast R-CNN", 2015, section 2.1.

    Example:
        >>> import torch
        >>> features = torch.arange(16.0).reshape(1, 1, 4, 4)
        >>> RoiPooling(2, stride=8)(features, torch.tensor([[[0.0, 0.0, 24, 24]]])).tolist()
        [[[[[5.0, 7.0], [13.0, 15.0]]]]]
        >>> RoiPooling(7).output_shape((64, None, None), (100, 4))
        (100, 64, 7, 7)
    """

    @override
    def forward(self, features: Tensor, boxes: Tensor) -> Tensor:
        return roi_pool(features, boxes, self.size, stride=self.stride)
