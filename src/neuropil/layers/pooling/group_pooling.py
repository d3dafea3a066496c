"""Pooling over the rotations and reflections of a group convolution."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from neuropil.checks import one_of
from neuropil.core import Layer, Shape

if TYPE_CHECKING:
    from torch import Tensor


class GroupPooling(Layer):
    """Pool the group axis to its maximum or mean.

    y[k, o] = max_g x[k, g, o], or the mean. After `GroupConvolution` the output is equivariant,
    u·x gives u·y; with `GlobalPooling` after it, it is invariant.

    Shape:
        ``(C, |G|, H, W)`` to ``(C, H, W)``; free lengths stay free.

    Args:
        mode: ``"max"`` or ``"avg"``.
        name: Name in the network, in place of ``grouppooling1``.

    Raises:
        ValueError: When the mode is unknown.
        ShapeError: When the input has no group axis.

    Reference:
        Cohen and Welling, "Group equivariant convolutional networks", 2016, section 6.3.

    Example:
        >>> import torch
        >>> GroupPooling("max")(torch.tensor([[[[[1.0]], [[5.0]], [[2.0]], [[4.0]]]]])).tolist()
        [[[[5.0]]]]
        >>> GroupPooling().output_shape((8, 4, None, None))
        (8, None, None)
    """

    sees_everything = True  # an axis is removed

    def __init__(self, mode: str = "max", *, name: str | None = None) -> None:
        super().__init__(name=name)
        self.mode = one_of(mode, f"{type(self).__name__}: mode", ("max", "avg"))

    @override
    def output_shape(self, shape: Shape) -> Shape:
        if len(shape) != 4:
            raise self.refuse(
                "a group axis after the channels, (C, |G|, H, W)",
                shape,
                "put it after GroupConvolution(…), before layers that remove axes",
            )
        return (shape[0], *shape[2:])

    @override
    def forward(self, x: Tensor) -> Tensor:
        return x.amax(2) if self.mode == "max" else x.mean(2)
