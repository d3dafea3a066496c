"""Steps that change the colours of a picture, each by one matrix per picture."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

import torch
from typing_extensions import override

from neuropil.datasets.augmentation.base import PictureStep, as_floats, as_type

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from neuropil.datasets.source import Batch


class ColorStep(PictureStep):
    """Base class of steps that change the colours of a picture by a matrix.

    The colour c of each pixel becomes ``G c + o``, where c has a number for each channel and
    ``(G, o)`` is the change of the picture.

    Attributes:
        mixes: Whether a channel of the result depends on other channels, not on its own alone.
        centres: Whether the change depends on the mean colour of the picture.
    """

    mixes: bool = True
    centres: bool = True

    @abstractmethod
    def draw(self, mean: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return G ``(N, C, C)`` and o ``(N, C)``.

        Args:
            mean: Mean colour of each picture before this step, ``(N, C)``.
            generator: The only source of random numbers.
        """

    @override
    def change(self, batch: Batch, generator: torch.Generator) -> Batch:
        dtype = batch.inputs.dtype
        changed = recolor([self], batch.inputs, batch.mask, generator, dtype)
        return batch._replace(inputs=as_type(changed, dtype))


def recolor(
    steps: Sequence[ColorStep],
    pictures: Tensor,
    mask: Tensor | None,
    generator: torch.Generator,
    dtype: torch.dtype,
) -> Tensor:
    """Return pictures after several steps: their matrices are composed and applied once.

    The result has floating-point numbers. If it will be whole numbers, it is clipped to their
    range; other pictures have no range that is known, so they are not clipped.

    Args:
        steps: The steps, in order.
        pictures: ``(N, C, H, W)``.
        mask: ``(N, H, W)``, 1 where the mean colour is measured; None for everywhere.
        generator: The only source of random numbers.
        dtype: Type that the pictures will have.
    """
    values = as_floats(pictures)
    count, channels = values.shape[:2]
    mean = values.new_zeros(count, channels)
    if any(step.centres for step in steps):
        mean = mean_color(values, mask)
    gain, offset = torch.eye(channels, dtype=values.dtype, device=values.device), mean * 0
    for step in steps:
        factor, term = (part.to(values.dtype) for part in step.draw(mean, generator))
        gain, offset, mean = (
            factor @ gain,
            apply(factor, offset) + term,
            apply(factor, mean) + term,
        )
    if channels > 1 and any(step.mixes for step in steps):
        changed = torch.baddbmm(offset[:, :, None], gain, values.flatten(2)).view_as(values)
    else:
        gain = gain.diagonal(dim1=1, dim2=2)[:, :, None, None]
        changed = (values * gain).add_(offset[:, :, None, None])
    if dtype.is_floating_point:
        return changed
    limits = torch.iinfo(dtype)
    return changed.clamp_(limits.min, limits.max)


def mean_color(values: Tensor, mask: Tensor | None) -> Tensor:
    """Return the mean colour ``(N, C)`` of pictures, where their mask is 1."""
    if mask is None:
        return values.mean((2, 3))
    content = mask[:, None].to(values.dtype)
    return (values * content).sum((2, 3)) / content.sum((2, 3)).clamp(min=1)


def apply(matrix: Tensor, vector: Tensor) -> Tensor:
    """Return the product ``(N, C)`` of each matrix and vector."""
    return (matrix @ vector[:, :, None])[:, :, 0]
