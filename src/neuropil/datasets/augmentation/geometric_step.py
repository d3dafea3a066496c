"""Steps that move the pixels of a picture, each by one matrix per picture."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import TYPE_CHECKING

from typing_extensions import override

from neuropil.datasets.augmentation.base import PictureStep
from neuropil.datasets.augmentation.matrices import compose
from neuropil.datasets.augmentation.warping import copy_windows, sample, warp_mask
from neuropil.datasets.source import Batch

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch
    from torch import Tensor

    from neuropil.datasets.augmentation.base import Move, Size


class GeometricStep(PictureStep):
    """Base class of steps that move the pixels of a picture by a matrix.

    The point ``(x, y)`` of a picture moves to ``A (x, y) + b``, where ``(A | b)`` is the matrix
    of the picture. Coordinates are in pixels, x to the right and y down: the picture extends
    from 0 to its width and height, and the centre of its first pixel is at (½, ½). The pixel at
    a new place takes the value of the old place, by bilinear interpolation.

    Attributes:
        whole: Whether all matrices flip and move by whole pixels: then values are copied.
        flips: The axes along which it may flip, −1 or −2.
        fill: Value outside the picture; None if the step shows nothing from there.
    """

    whole: bool = False
    flips: tuple[int, ...] = ()
    fill: float | None = None

    @abstractmethod
    def draw(self, pictures: Tensor, size: Size, generator: torch.Generator) -> Tensor:
        """Return matrices ``(N, 2, 3)``, from old to new coordinates.

        Args:
            pictures: The batch: its length and its device.
            size: Height and width before this step.
            generator: The only source of random numbers.
        """

    def new_size(self, size: Size) -> Size:
        """Return the height and width after this step, by default the same.

        Args:
            size: Height and width before this step.
        """
        return size

    def reach(self, size: Size) -> float:  # noqa: ARG002 - for steps that change the size
        """Return how far the new picture extends beyond the old one at most, in pixels.

        By default a step with a `fill` is unlimited.

        Args:
            size: Height and width before this step.
        """
        return 0 if self.fill is None else math.inf

    @override
    def change(self, batch: Batch, generator: torch.Generator) -> Batch:
        return move_batch([self], batch, generator, self.move, batch.inputs.dtype)


def move_batch(
    steps: Sequence[GeometricStep],
    batch: Batch,
    generator: torch.Generator,
    move: Move | None,
    dtype: torch.dtype | None = None,
) -> Batch:
    """Return a batch after several steps: their matrices are composed and applied once.

    Args:
        steps: The steps, in order.
        batch: Pictures ``(N, C, H, W)`` with their targets.
        generator: The only source of random numbers.
        move: Moves the targets, or None.
        dtype: Type of the pictures; None for floating-point numbers if values are interpolated.
    """
    pictures, targets, mask = batch
    size: Size = (pictures.shape[-2], pictures.shape[-1])
    reach = 0.0
    matrix: Tensor | None = None
    for step in steps:
        drawn = step.draw(pictures, size, generator)
        matrix = drawn if matrix is None else compose(drawn, matrix)
        reach += step.reach(size)
        size = step.new_size(size)
    if matrix is None:
        return batch
    fill = next((step.fill for step in steps if step.fill is not None), 0.0)
    if all(step.whole for step in steps):
        flips = {axis for step in steps for axis in step.flips}
        pictures = copy_windows(pictures, matrix, size, fill, int(reach), flips)
    else:
        # If nothing outside the picture is shown, its edge must not be blended with the fill.
        pictures = sample(pictures, matrix, size, None if reach == 0 else fill, dtype)
    if mask is not None:
        mask = warp_mask(mask, matrix, size)
    if move is not None and targets is not None:
        targets = move(targets, matrix, size)
    return Batch(pictures, targets, mask)
