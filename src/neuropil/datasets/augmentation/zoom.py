"""Random zoom in and out."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, final

import torch
from typing_extensions import override

from neuropil.datasets.augmentation.base import Size, check_range, uniform
from neuropil.datasets.augmentation.geometric_step import GeometricStep
from neuropil.datasets.augmentation.matrices import stretch

if TYPE_CHECKING:
    from torch import Tensor


@final
class RandomZoom(GeometricStep):
    """Enlarge or shrink each picture at random, at a random place, with bilinear interpolation.

    An enlarged picture is cut to its size, a shrunken one is surrounded by `fill`. All places
    that show as much of the picture as possible are equally likely. The width is scaled by
    ``s √r`` and the height by ``s / √r``; the logarithms of s and r are drawn uniformly.

    Shape:
        ``(N, C, H, W)`` gives the same; the type is kept, whole numbers are rounded.

    Args:
        scale: Smallest and largest s.
        ratio: Smallest and largest r, the change of the ratio of width to height.
        fill: Value outside the picture, in the range of the raw inputs.

    Raises:
        ValueError: If an argument is out of its range.

    Reference:
        Ghiasi et al., "Simple Copy-Paste is a Strong Data Augmentation Method for Instance
        Segmentation", CVPR 2021, arXiv:2012.07177: the scale jittering there.

    Example:
        >>> import torch
        >>> from neuropil.datasets.augmentation import RandomZoom
        >>> pictures = torch.ones(1, 1, 4, 4)
        >>> half = RandomZoom((0.5, 0.5))
        >>> half(pictures, torch.zeros(1), torch.Generator().manual_seed(0))[0].sum()
        tensor(4.)
    """

    def __init__(
        self,
        scale: tuple[float, float] = (0.5, 2.0),
        *,
        ratio: tuple[float, float] = (1.0, 1.0),
        fill: float = 0.0,
    ) -> None:
        self.scale = check_range(scale, "RandomZoom: scale", "(0, inf)")
        self.ratio = check_range(ratio, "RandomZoom: ratio", "(0, inf)")
        self.fill = fill

    @override
    def reach(self, size: Size) -> float:
        narrowest = min(self.ratio[0], 1 / self.ratio[1])
        covers = self.scale[0] * math.sqrt(narrowest) >= 1
        return 0 if covers else super().reach(size)

    @override
    def draw(self, pictures: Tensor, size: Size, generator: torch.Generator) -> Tensor:
        zoom, shape, down, right = uniform(len(pictures), pictures, generator, rows=4)
        scale, root = between(zoom, self.scale), between(shape, self.ratio).sqrt()
        height, width = size
        across, along = scale * root, scale / root
        # Of a larger picture the offset is negative: the window lies anywhere inside.
        return stretch(
            across, along, right * (width - across * width), down * (height - along * height)
        )


def between(place: Tensor, ends: tuple[float, float]) -> Tensor:
    """Return numbers between two ends, whose logarithms are as far as `place`, from 0 to 1."""
    low, high = map(math.log, ends)
    return torch.exp(low + place * (high - low))
