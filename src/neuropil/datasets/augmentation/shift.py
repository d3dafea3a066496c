"""Random shifts by whole pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import torch
from typing_extensions import override

from neuropil.checks import whole
from neuropil.datasets.augmentation.base import uniform
from neuropil.datasets.augmentation.geometric_step import GeometricStep
from neuropil.datasets.augmentation.matrices import stretch

if TYPE_CHECKING:
    from torch import Tensor

    from neuropil.datasets.augmentation.base import Size


@final
class RandomShift(GeometricStep):
    """Shift each picture by a random whole number of pixels along both axes.

    ``y[i, j] = x[i − a, j − b]`` with a and b drawn uniformly from −pixels to pixels; `fill` is
    used outside the picture.

    Shape:
        ``(N, C, H, W)`` gives the same; the type is kept.

    Args:
        pixels: Largest shift in pixels.
        fill: Value outside the picture, in the range of the raw inputs.

    Raises:
        ValueError: If `pixels` is not a whole number from 0.

    Example:
        >>> import torch
        >>> from neuropil.datasets.augmentation import RandomShift
        >>> pictures = torch.arange(1.0, 5.0).reshape(1, 1, 1, 4)
        >>> shifted, _ = RandomShift(1)(
        ...     pictures, torch.zeros(1), torch.Generator().manual_seed(3)
        ... )
        >>> shifted.shape
        torch.Size([1, 1, 1, 4])
    """

    whole = True

    def __init__(self, pixels: int, *, fill: float = 0.0) -> None:
        self.pixels = whole(pixels, "RandomShift: pixels", minimum=0)
        self.fill = fill

    @override
    def reach(self, size: Size) -> float:
        return self.pixels

    @override
    def draw(self, pictures: Tensor, size: Size, generator: torch.Generator) -> Tensor:
        drawn = uniform(len(pictures), pictures, generator, rows=2)
        y, x = self.pixels - (drawn * (2 * self.pixels + 1)).floor()
        same = torch.ones_like(x)
        return stretch(same, same, x, y)
