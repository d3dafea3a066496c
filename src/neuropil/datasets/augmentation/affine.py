"""Random rotation, scaling and translation of pictures with interpolation."""

from __future__ import annotations

import math
from typing import final

import torch
from torch import Tensor
from typing_extensions import override

from neuropil.checks import number
from neuropil.datasets.augmentation.base import Size, check_range, uniform
from neuropil.datasets.augmentation.geometric_step import GeometricStep
from neuropil.datasets.augmentation.matrices import matrix_of


class RandomAffine(GeometricStep):
    """Rotate, scale and translate each picture at random, with bilinear interpolation.

    The point p of the result, relative to the centre, shows the point ``R(θ)ᵀ (p − t) / s`` of
    the picture, which is rotated by θ, enlarged by s and translated by t.

    Shape:
        ``(N, C, H, W)`` gives the same; the type is kept, whole numbers are rounded.

    Args:
        degrees: Largest angle θ in either direction, drawn uniformly.
        scale: Smallest and largest s; its logarithm is drawn uniformly.
        shift: Largest t in either direction along each axis, as a fraction of the side.
        fill: Value outside the picture, in the range of the raw inputs.

    Raises:
        ValueError: If an argument is out of its range.

    Example:
        >>> import torch
        >>> from neuropil.datasets.augmentation import RandomAffine
        >>> pictures = torch.arange(4.0).reshape(1, 1, 2, 2)
        >>> RandomAffine()(pictures, torch.zeros(1), torch.Generator())[0]
        tensor([[[[0., 1.],
                  [2., 3.]]]])
    """

    def __init__(
        self,
        degrees: float = 0.0,
        *,
        scale: tuple[float, float] = (1.0, 1.0),
        shift: float = 0.0,
        fill: float = 0.0,
    ) -> None:
        self.degrees = number(degrees, "RandomAffine: degrees", "[0, inf)")
        self.scale = check_range(scale, "RandomAffine: scale", "(0, inf)")
        self.shift = number(shift, "RandomAffine: shift", "[0, inf)")
        self.fill = fill
        self.whole = not self.degrees and not self.shift and self.scale == (1, 1)

    @override
    def reach(self, size: Size) -> float:
        return 0 if self.whole else super().reach(size)

    @override
    def draw(self, pictures: Tensor, size: Size, generator: torch.Generator) -> Tensor:
        angle, enlarged, right, down = uniform(len(pictures), pictures, generator, rows=4)
        low, high = map(math.log, self.scale)
        theta = (2 * angle - 1) * math.radians(self.degrees)
        scale = torch.exp(low + enlarged * (high - low))
        height, width = size
        x, y = ((2 * part - 1) * self.shift * n for part, n in ((right, width), (down, height)))
        cos, sin = torch.cos(theta) * scale, torch.sin(theta) * scale
        # The centre (w, h) of the picture moves to (w + x, h + y).
        w, h = width / 2, height / 2
        x, y = x + w - (cos * w - sin * h), y + h - (sin * w + cos * h)
        return matrix_of(cos, -sin, sin, cos, x, y)


@final
class RandomRotation(RandomAffine):
    """Rotate each picture about its centre by a random angle.

    It is `RandomAffine` without scaling and translation.

    Shape:
        ``(N, C, H, W)`` gives the same; the type is kept.

    Args:
        degrees: Largest angle in either direction.
        fill: Value outside the picture, in the range of the raw inputs.

    Raises:
        ValueError: If `degrees` is negative.

    Example:
        >>> from neuropil.datasets.augmentation import RandomRotation
        >>> RandomRotation(15)
        RandomRotation(15)
    """

    def __init__(self, degrees: float, *, fill: float = 0.0) -> None:
        super().__init__(degrees, fill=fill)
