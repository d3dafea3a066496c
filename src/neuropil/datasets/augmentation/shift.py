"""Move pictures by whole pixels, and mirror them."""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor

from neuropil.core.arguments import Arguments
from neuropil.datasets.augmentation.base import require, require_pictures, uniform


@final
class RandomShift(Arguments):
    """Move each picture by a random whole number of pixels down and right.

    ``y[i, j] = x[i − a, j − b]`` with a and b drawn evenly from −pixels to pixels; outside the
    picture stands `fill`.

    Shape:
        ``(N, C, H, W)`` gives the same; the type is kept.

    Args:
        pixels: The farthest shift, in pixels.
        fill: Value of what comes in at the rim, in the raw inputs' range.

    Raises:
        DataError: If `pixels` is no whole number from 0.

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
        require(
            type(pixels) is int and pixels >= 0,
            "RandomShift",
            "`pixels` must be a whole number from 0",
            pixels,
        )
        self.pixels = pixels
        self.fill = fill

    def __call__(
        self, inputs: Tensor, targets: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        require_pictures(inputs, self)
        count, _, height, width = inputs.shape
        reach = self.pixels
        padded = torch.nn.functional.pad(inputs, (reach,) * 4, value=self.fill)
        # All windows of the padded pictures, as a view: (N, C, 2·reach+1, 2·reach+1, H, W).
        windows = padded.unfold(2, height, 1).unfold(3, width, 1)
        down, right = (uniform(count, inputs, generator, rows=2) * (2 * reach + 1)).long()
        return windows[torch.arange(count, device=inputs.device), :, down, right], targets


@final
class RandomFlip(Arguments):
    """Mirror some pictures, left to right.

    Shape:
        ``(N, C, H, W)`` gives the same; the type is kept.

    Args:
        p: Probability that a picture is mirrored.
        axis: The axis that is turned round: −1 for left and right, −2 for top and bottom.

    Raises:
        DataError: If `p` is no probability, or `axis` another one.

    Example:
        >>> import torch
        >>> from neuropil.datasets.augmentation import RandomFlip
        >>> pictures = torch.arange(4).reshape(1, 1, 1, 4)
        >>> RandomFlip(1.0)(pictures, torch.zeros(1), torch.Generator())[0].flatten()
        tensor([3, 2, 1, 0])
    """

    def __init__(self, p: float = 0.5, *, axis: int = -1) -> None:
        require(0 <= p <= 1, "RandomFlip", "`p` must be from 0 to 1", p)
        require(axis in (-1, -2), "RandomFlip", "`axis` must be -1 or -2", axis)
        self.p = p
        self.axis = axis

    def __call__(
        self, inputs: Tensor, targets: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        require_pictures(inputs, self)
        chosen = uniform(len(inputs), inputs, generator)[0] < self.p
        return torch.where(chosen[:, None, None, None], inputs.flip(self.axis), inputs), targets
