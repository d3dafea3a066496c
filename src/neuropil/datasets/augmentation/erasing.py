"""Random erasing of rectangles."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, final

import torch
from torch import Tensor
from typing_extensions import override

from neuropil.checks import number
from neuropil.datasets.augmentation.base import PictureStep, check_range, interval_mask, uniform

if TYPE_CHECKING:
    from neuropil.datasets.source import Batch


@final
class RandomErasing(PictureStep):
    """Cover a random rectangle of some pictures with one value.

    The sides are ``√(s · H · W · r)`` and ``√(s · H · W / r)``, rounded, at least one pixel and
    within the picture. s, the fraction of the picture's area, is drawn uniformly; so is the
    logarithm of r, the ratio of height to width.

    Shape:
        ``(N, C, H, W)`` gives the same; the type is kept.

    Args:
        p: Probability that a picture is changed.
        area: Smallest and largest fraction of the area.
        ratio: Smallest and largest ratio of height to width.
        fill: Value of the rectangle, in the range of the raw inputs.

    Raises:
        ValueError: If an argument is out of its range.

    Reference:
        Zhong, Zheng, Kang, Li and Yang, "Random Erasing Data Augmentation", AAAI 2020,
        arXiv:1708.04896. There a rectangle that does not fit is drawn again; here it is cut to
        the picture.

    Example:
        >>> import torch
        >>> from neuropil.datasets.augmentation import RandomErasing
        >>> erase = RandomErasing(1.0, area=(0.25, 0.25), ratio=(1.0, 1.0))
        >>> pictures = torch.ones(1, 1, 8, 8)
        >>> erase(pictures, torch.zeros(1), torch.Generator())[0].sum()
        tensor(48.)
    """

    def __init__(
        self,
        p: float = 0.5,
        *,
        area: tuple[float, float] = (0.02, 0.2),
        ratio: tuple[float, float] = (0.3, 3.3),
        fill: float = 0.0,
    ) -> None:
        self.p = number(p, "RandomErasing: p", "[0, 1]")
        self.area = check_range(area, "RandomErasing: area", "(0, 1]")
        self.ratio = check_range(ratio, "RandomErasing: ratio", "(0, inf)")
        self.fill = fill

    @override
    def change(self, batch: Batch, generator: torch.Generator) -> Batch:
        count, _, height, width = batch.inputs.shape
        chance, share, shape, down, right = uniform(count, batch.inputs, generator, rows=5)
        pixels = (self.area[0] + share * (self.area[1] - self.area[0])) * height * width
        low, high = map(math.log, self.ratio)
        ratio = torch.exp(low + shape * (high - low))
        # A picture that is not selected gets a rectangle of height 0.
        tall = (pixels * ratio).sqrt().round().clamp(1, height) * (chance < self.p)
        wide = (pixels / ratio).sqrt().round().clamp(1, width)
        rows = interval_within(height, tall, down)
        columns = interval_within(width, wide, right)
        covered = rows[:, None, :, None] & columns[:, None, None, :]
        return batch._replace(inputs=batch.inputs.masked_fill(covered, self.fill))


def interval_within(length: int, extent: Tensor, place: Tensor) -> Tensor:
    """Return the mask ``(N, length)`` of intervals; `place` in [0, 1) sets their positions."""
    return interval_mask(length, (place * (length - extent + 1)).floor(), extent)
