"""Random brightness, contrast, saturation and hue."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, final

import torch
from typing_extensions import override

from neuropil.checks import number
from neuropil.datasets.augmentation.base import uniform
from neuropil.datasets.augmentation.color_step import ColorStep
from neuropil.datasets.data_errors import DataError

if TYPE_CHECKING:
    from torch import Tensor

LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in grey (Rec. 601)."""
CHROMA = ((-0.147, -0.289, 0.436), (0.615, -0.515, -0.100))


@final
class ColorJitter(ColorStep):
    """Change the brightness, contrast, saturation and hue of each picture at random.

    In this order: brightness multiplies the colour c by b; contrast makes it
    ``k c + (1 − k) m``, where m is the mean grey of the picture; saturation makes it
    ``s c + (1 − s) g``, where g is the grey of the pixel; hue turns it by the angle θ about the
    grey axis, in the plane of equal grey. Grey is ``0.299 R + 0.587 G + 0.114 B``.

    All four are linear, so they are applied as one matrix, and values are clipped to the range
    of the type at the end, if it is one of whole numbers.

    Shape:
        ``(N, C, H, W)`` gives the same; the type is kept, whole numbers are rounded. Grey
        pictures, with one channel, have no saturation and no hue: those are left alone.

    Args:
        brightness: b is drawn uniformly from 1 ± brightness.
        contrast: k is drawn uniformly from 1 ± contrast.
        saturation: s is drawn uniformly from 1 ± saturation.
        hue: θ is drawn uniformly from ± hue, in turns.

    Raises:
        ValueError: If an argument is out of its range.
        DataError: If saturation or hue are to change pictures that have neither 3 channels
            nor 1.

    Reference:
        Haeberli, "Matrix Operations for Image Processing", 1993. The hue of HSV, which
        other libraries turn, is not linear, and its change makes colours darker or lighter:
        there a dark blue is opposite to yellow.

    Example:
        >>> import torch
        >>> from neuropil.datasets.augmentation import ColorJitter
        >>> red = torch.tensor([200, 0, 0], dtype=torch.uint8).reshape(1, 3, 1, 1)
        >>> jitter = ColorJitter(0.4, saturation=1.0)
        >>> jitter(red, torch.zeros(1), torch.Generator().manual_seed(0))[0].flatten()
        tensor([84, 49, 49], dtype=torch.uint8)
    """

    def __init__(
        self,
        brightness: float = 0.0,
        contrast: float = 0.0,
        saturation: float = 0.0,
        hue: float = 0.0,
    ) -> None:
        self.brightness = number(brightness, "ColorJitter: brightness", "[0, 1]")
        self.contrast = number(contrast, "ColorJitter: contrast", "[0, 1]")
        self.saturation = number(saturation, "ColorJitter: saturation", "[0, 1]")
        self.hue = number(hue, "ColorJitter: hue", "[0, 0.5]")
        self.centres = self.contrast > 0
        self.mixes = self.saturation > 0 or self.hue > 0

    @override
    def draw(self, mean: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        count, channels = mean.shape
        spread = (self.brightness, self.contrast, self.saturation, self.hue)
        drawn = 2 * uniform(count, mean, generator, rows=4) - 1
        bright, contrast, saturation, hue = (
            part * most for part, most in zip(drawn.to(mean.dtype), spread, strict=True)
        )
        bright, contrast = 1 + bright, 1 + contrast
        gain = (bright * contrast)[:, None, None] * torch.eye(channels, device=mean.device)
        weights = mean.new_tensor(LUMA) if channels == 3 else mean.new_ones(channels) / channels
        offset = ((1 - contrast) * bright * (mean @ weights))[:, None].expand(-1, channels)
        if not self.mixes or channels == 1:
            return gain, offset
        if channels != 3:
            raise DataError(
                f"{self} changes saturation or hue: it needs pictures of 3 channels, or of 1, "
                f"got {channels}."
            )
        return turn(1 + saturation, 2 * math.pi * hue, weights) @ gain, offset


def turn(saturation: Tensor, angle: Tensor, weights: Tensor) -> Tensor:
    """Return the matrices ``(N, 3, 3)`` that scale and turn colours about the grey axis."""
    to_axes = torch.stack([weights, *weights.new_tensor(CHROMA)])
    cos, sin = saturation * torch.cos(angle), saturation * torch.sin(angle)
    none, one = torch.zeros_like(cos), torch.ones_like(cos)
    turned = torch.stack([one, none, none, none, cos, -sin, none, sin, cos], dim=1)
    return torch.linalg.inv(to_axes) @ turned.view(-1, 3, 3) @ to_axes
