"""Random windows of pictures."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, final

import torch
from typing_extensions import override

from neuropil.checks import whole
from neuropil.datasets.augmentation.base import Size, check_range, uniform
from neuropil.datasets.augmentation.geometric_step import GeometricStep
from neuropil.datasets.augmentation.matrices import stretch

if TYPE_CHECKING:
    from torch import Tensor


@final
class RandomCrop(GeometricStep):
    """Cut a window of a given size at a random place of each picture.

    All places are equally likely. A picture smaller than the window is put at a random place in
    it, surrounded by `fill`.

    Shape:
        ``(N, C, H, W)`` to ``(N, C, *size)``; the type is kept.

    Args:
        size: Height and width of the window, or one number for both.
        fill: Value outside the picture, in the range of the raw inputs.

    Raises:
        ValueError: If `size` is not one or two whole numbers from 1.

    Example:
        >>> import torch
        >>> from neuropil.datasets.augmentation import RandomCrop
        >>> pictures = torch.arange(16).reshape(1, 1, 4, 4)
        >>> generator = torch.Generator().manual_seed(0)
        >>> RandomCrop(2)(pictures, torch.zeros(1), generator)[0]
        tensor([[[[ 6,  7],
                  [10, 11]]]])
    """

    whole = True

    def __init__(self, size: int | Size, *, fill: float = 0.0) -> None:
        self.size = check_size(size, "RandomCrop: size")
        self.fill = fill

    @override
    def new_size(self, size: Size) -> Size:
        return self.size

    @override
    def reach(self, size: Size) -> float:
        return max(0, *(new - old for new, old in zip(self.size, size, strict=True)))

    @override
    def draw(self, pictures: Tensor, size: Size, generator: torch.Generator) -> Tensor:
        drawn = uniform(len(pictures), pictures, generator, rows=2)
        y, x = (
            (part * (abs(new - old) + 1)).floor() * (1 if new > old else -1)
            for part, new, old in zip(drawn, self.size, size, strict=True)
        )
        same = torch.ones_like(x)
        return stretch(same, same, x, y)


@final
class RandomResizedCrop(GeometricStep):
    """Cut a random window of each picture and resize it, with bilinear interpolation.

    The sides of the window are ``√(s · H · W · r)`` across and ``√(s · H · W / r)`` down, at
    most those of the picture. s, the fraction of the picture's area, is drawn uniformly; so are
    the logarithm of r, the ratio of width to height, and the place of the window.

    Shape:
        ``(N, C, H, W)`` to ``(N, C, *size)``; the type is kept, whole numbers are rounded.

    Args:
        size: Height and width of the result, or one number for both; None for those of the
            picture. A window is best at most twice as large: beyond that, pixels are left out.
        scale: Smallest and largest fraction of the area.
        ratio: Smallest and largest ratio of width to height.

    Raises:
        ValueError: If an argument is out of its range.

    Reference:
        Szegedy et al., "Going Deeper with Convolutions", CVPR 2015, arXiv:1409.4842, section 6.
        Sides and places are real numbers here, and a window that does not fit is cut to the
        picture.

    Example:
        >>> import torch
        >>> from neuropil.datasets.augmentation import RandomResizedCrop
        >>> pictures = torch.zeros(5, 3, 32, 32)
        >>> RandomResizedCrop(24)(pictures, torch.zeros(5), torch.Generator())[0].shape
        torch.Size([5, 3, 24, 24])
    """

    def __init__(
        self,
        size: int | Size | None = None,
        *,
        scale: tuple[float, float] = (0.08, 1.0),
        ratio: tuple[float, float] = (3 / 4, 4 / 3),
    ) -> None:
        self.size = None if size is None else check_size(size, "RandomResizedCrop: size")
        self.scale = check_range(scale, "RandomResizedCrop: scale", "(0, 1]")
        self.ratio = check_range(ratio, "RandomResizedCrop: ratio", "(0, inf)")

    @override
    def new_size(self, size: Size) -> Size:
        return self.size or size

    @override
    def draw(self, pictures: Tensor, size: Size, generator: torch.Generator) -> Tensor:
        share, shape, down, right = uniform(len(pictures), pictures, generator, rows=4)
        height, width = size
        tall, wide = self.new_size(size)
        area = (self.scale[0] + share * (self.scale[1] - self.scale[0])) * (height * width)
        low, high = map(math.log, self.ratio)
        ratio = torch.exp(low + shape * (high - low))
        across = (area * ratio).sqrt().clamp(max=width)
        along = (area / ratio).sqrt().clamp(max=height)
        x_scale, y_scale = wide / across, tall / along
        x, y = right * (width - across), down * (height - along)
        return stretch(x_scale, y_scale, -x * x_scale, -y * y_scale)


def check_size(size: int | Size, what: str) -> Size:
    """Return a height and a width after a check.

    Raises:
        ValueError: If they are not one or two whole numbers from 1.
    """
    sides = size if isinstance(size, tuple | list) and len(size) == 2 else (size, size)
    height, width = (whole(side, what) for side in sides)
    return height, width
