"""Random rotation, scaling and translation of pictures with interpolation."""

from __future__ import annotations

import math
from typing import final

import torch
from torch import Tensor
from torch.nn import functional as F
from typing_extensions import override

from neuropil.checks import number
from neuropil.datasets.augmentation.base import PictureChange, check_range, uniform


class RandomAffine(PictureChange):
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

    @override
    def change(self, pictures: Tensor, generator: torch.Generator) -> Tensor:
        angle, size, right, down = uniform(len(pictures), pictures, generator, rows=4)
        low, high = map(math.log, self.scale)
        theta = (2 * angle - 1) * math.radians(self.degrees)
        scale = torch.exp(low + size * (high - low))
        # `affine_grid` runs from −1 to 1: a whole side has length 2.
        x, y = (2 * (2 * part - 1) * self.shift for part in (right, down))
        return warp(pictures, matrices(theta, scale, x, y, pictures.shape[-2:]), self.fill)


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


def matrices(theta: Tensor, scale: Tensor, x: Tensor, y: Tensor, size: torch.Size) -> Tensor:
    """Return matrices ``(N, 2, 3)`` from result to picture coordinates, both in −1..1."""
    height, width = size
    cos, sin = torch.cos(theta) / scale, torch.sin(theta) / scale
    # Coordinates are relative to the sides; the rotation must be one in pixels.
    across, along = sin * (height / width), sin * (width / height)
    first = torch.stack([cos, across, -(cos * x + across * y)], dim=1)
    second = torch.stack([-along, cos, along * x - cos * y], dim=1)
    return torch.stack([first, second], dim=1)


def warp(inputs: Tensor, matrix: Tensor, fill: float) -> Tensor:
    """Return pictures sampled at the points that the matrices give."""
    pictures = inputs if inputs.is_floating_point() else inputs.float()
    grid = F.affine_grid(matrix.to(pictures.dtype), list(inputs.shape), align_corners=False)
    # The sampler gives 0 outside the picture, so `fill` is subtracted before and added after.
    warped = F.grid_sample(pictures - fill, grid, mode="bilinear", align_corners=False) + fill
    return warped if inputs.is_floating_point() else warped.round().to(inputs.dtype)
