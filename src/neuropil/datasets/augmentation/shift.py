"""Random shifts by whole pixels, and random flips."""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor
from typing_extensions import override

from neuropil.checks import number, whole
from neuropil.datasets.augmentation.base import PictureChange, uniform


@final
class RandomShift(PictureChange):
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

    def __init__(self, pixels: int, *, fill: float = 0.0) -> None:
        self.pixels = whole(pixels, "RandomShift: pixels", minimum=0)
        self.fill = fill

    @override
    def change(self, pictures: Tensor, generator: torch.Generator) -> Tensor:
        count, _, height, width = pictures.shape
        reach = self.pixels
        padded = torch.nn.functional.pad(pictures, (reach,) * 4, value=self.fill)
        # All windows of the padded pictures, as a view: (N, C, 2·reach+1, 2·reach+1, H, W).
        windows = padded.unfold(2, height, 1).unfold(3, width, 1)
        down, right = (uniform(count, pictures, generator, rows=2) * (2 * reach + 1)).long()
        return windows[torch.arange(count, device=pictures.device), :, down, right]


@final
class RandomFlip(PictureChange):
    """Flip pictures at random, left to right by default.

    Shape:
        ``(N, C, H, W)`` gives the same; the type is kept.

    Args:
        p: Probability that a picture is flipped.
        axis: Axis to reverse: −1 for left and right, −2 for top and bottom.

    Raises:
        ValueError: If `p` is not a probability, or `axis` is not −1 or −2.

    Example:
        >>> import torch
        >>> from neuropil.datasets.augmentation import RandomFlip
        >>> pictures = torch.arange(4).reshape(1, 1, 1, 4)
        >>> RandomFlip(1.0)(pictures, torch.zeros(1), torch.Generator())[0].flatten()
        tensor([3, 2, 1, 0])
    """

    def __init__(self, p: float = 0.5, *, axis: int = -1) -> None:
        self.p = number(p, "RandomFlip: p", "[0, 1]")
        self.axis = whole(axis, "RandomFlip: axis", minimum=-2, maximum=-1)

    @override
    def change(self, pictures: Tensor, generator: torch.Generator) -> Tensor:
        chosen = uniform(len(pictures), pictures, generator)[0] < self.p
        return torch.where(chosen[:, None, None, None], pictures.flip(self.axis), pictures)
