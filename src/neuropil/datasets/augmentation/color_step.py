"""Steps that change the colours of a picture, each by one matrix per picture."""

from __future__ import annotations

import functools
from abc import abstractmethod
from typing import TYPE_CHECKING

import torch
from typing_extensions import override

from neuropil.datasets.augmentation.base import PictureStep, as_floats, as_type
from neuropil.datasets.augmentation.picture_parts import in_parts

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
        return recolor([self], batch, generator, batch.inputs.dtype)


def recolor(
    steps: Sequence[ColorStep], batch: Batch, generator: torch.Generator, dtype: torch.dtype
) -> Batch:
    """Return a batch after several steps: their matrices are composed and applied once.

    If the result has whole numbers, it is clipped to their range; other pictures have no range
    that is known, so they are not clipped.

    Args:
        steps: The steps, in order.
        batch: Pictures ``(N, C, H, W)``; their mask is 1 where the mean colour is measured.
        generator: The only source of random numbers.
        dtype: Type of the result.
    """
    pictures = batch.inputs
    count, channels = pictures.shape[:2]
    floats = as_floats(pictures[:0])
    mean = floats.new_zeros(count, channels)
    if any(step.centres for step in steps):
        mean = mean_color(pictures, batch.mask)
    gain, offset = torch.eye(channels, dtype=floats.dtype, device=floats.device), mean * 0
    for step in steps:
        factor, term = (part.to(floats.dtype) for part in step.draw(mean, generator))
        gain, offset, mean = (
            factor @ gain,
            apply(factor, offset) + term,
            apply(factor, mean) + term,
        )
    mixes = channels > 1 and any(step.mixes for step in steps)
    function = functools.partial(recolor_part, mixes=mixes, dtype=dtype)
    return batch._replace(inputs=in_parts(function, pictures, gain, offset))


def recolor_part(
    pictures: Tensor, gain: Tensor, offset: Tensor, *, mixes: bool, dtype: torch.dtype
) -> Tensor:
    """Return pictures with the colours ``G c + o``.

    Args:
        pictures: ``(N, C, H, W)``.
        gain: G, ``(N, C, C)``.
        offset: o, ``(N, C)``.
        mixes: Whether G is more than its diagonal.
        dtype: Type of the result.
    """
    values = as_floats(pictures)
    if mixes:
        changed = torch.baddbmm(offset[:, :, None], gain, values.flatten(2)).view_as(values)
    else:
        gain = gain.diagonal(dim1=1, dim2=2)[:, :, None, None]
        changed = (values * gain).add_(offset[:, :, None, None])
    if dtype.is_floating_point:
        return changed.to(dtype)
    limits = torch.iinfo(dtype)
    return as_type(changed.clamp_(limits.min, limits.max), dtype)


def mean_color(pictures: Tensor, mask: Tensor | None) -> Tensor:
    """Return the mean colour ``(N, C)`` of pictures, where their mask is 1."""
    if mask is None:
        return in_parts(lambda part: as_floats(part).mean((2, 3)), pictures)

    def mean_part(part: Tensor, mask: Tensor) -> Tensor:
        values = as_floats(part)
        content = mask[:, None].to(values.dtype)
        return (values * content).sum((2, 3)) / content.sum((2, 3)).clamp(min=1)

    return in_parts(mean_part, pictures, mask)


def apply(matrix: Tensor, vector: Tensor) -> Tensor:
    """Return the product ``(N, C)`` of each matrix and vector."""
    return (matrix @ vector[:, :, None])[:, :, 0]
