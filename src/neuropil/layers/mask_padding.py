"""Masks of padded inputs: zero out the padding, at any resolution."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch.nn.functional as F
from typing_extensions import override

from neuropil.checks import shown
from neuropil.core import Layer, Shape, ShapeError
from neuropil.core.shape import format_shapes

if TYPE_CHECKING:
    from torch import Tensor


class MaskPadding(Layer):
    """Set the padding of a batch to zero, given a mask of its content.

    y[c, o] = x[c, o] · m[s·o], where s is the stride of x relative to the mask m.

    Pictures of different sizes are padded to one size in a batch. A convolution with padding
    takes zeros from outside a picture, so a network gives a padded picture the same output as
    the picture alone if the padding is zero before each convolution. Pooling must then round
    up (``ceil_mode=True``), follow a layer without negative values, and end in a
    `GlobalPooling` with the mask; the padded size must be a multiple of all strides.

    Shape:
        ``(C, …)``, and ``(…)`` for the mask: the axes of the network's input after the
        channels. The mask is 1 for content and 0 for padding.

    Args:
        name: Name in the network, in place of ``maskpadding1``.

    Raises:
        ShapeError: When the mask does not have the axes of x after the channels.

    Example:
        >>> import torch
        >>> x = torch.tensor([[[1.0, 2.0, 3.0]]])
        >>> MaskPadding()(x, torch.tensor([[1, 1, 1, 1, 0, 0]])).tolist()
        [[[1.0, 2.0, 0.0]]]
    """

    inputs_taken = (2, 2)
    channels_first = True

    @override
    def is_mask(self, shape: Shape) -> bool:
        return True

    @override
    def output_shape(self, shape: Shape, mask: Shape) -> Shape:
        check_mask(self, shape, mask)
        return shape

    @override
    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        return x * mask_for(x, mask)


def check_mask(layer: Layer, shape: Shape, mask: Shape) -> None:
    """Check that a mask has the axes of an input after the channels.

    Raises:
        ShapeError: When it does not.
    """
    if len(shape) < 2 or len(mask) != len(shape) - 1:
        raise ShapeError(
            f"{shown(layer)} needs (C, …) and a mask (…) of the axes after the channels, got "
            f"{format_shapes((shape, mask))}: give the mask as Input(…, dtype='uint8')."
        )


def mask_for(x: Tensor, mask: Tensor) -> Tensor:
    """Return a mask at the resolution of x, with one channel.

    Args:
        x: ``(N, C, …)``.
        mask: ``(N, …)``, at this or a higher resolution.
    """
    return F.interpolate(mask[:, None].to(x.dtype), x.shape[2:], mode="nearest")
