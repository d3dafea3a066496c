"""Random flips."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import torch
from typing_extensions import override

from neuropil.checks import number, whole
from neuropil.datasets.augmentation.base import uniform
from neuropil.datasets.augmentation.geometric_step import GeometricStep
from neuropil.datasets.augmentation.matrices import stretch

if TYPE_CHECKING:
    from torch import Tensor

    from neuropil.datasets.augmentation.base import Size


@final
class RandomFlip(GeometricStep):
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

    whole = True

    def __init__(self, p: float = 0.5, *, axis: int = -1) -> None:
        self.p = number(p, "RandomFlip: p", "[0, 1]")
        self.axis = whole(axis, "RandomFlip: axis", minimum=-2, maximum=-1)
        self.flips = (self.axis,)

    @override
    def draw(self, pictures: Tensor, size: Size, generator: torch.Generator) -> Tensor:
        chosen = uniform(len(pictures), pictures, generator)[0] < self.p
        turned = 1 - 2.0 * chosen
        same, none = torch.ones_like(turned), torch.zeros_like(turned)
        side = chosen * float(size[self.axis])
        if self.axis == -1:
            return stretch(turned, same, side, none)
        return stretch(same, turned, none, side)
