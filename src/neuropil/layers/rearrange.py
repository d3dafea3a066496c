"""Layers that only rearrange values: identity, reshape, flatten, transpose."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, cast

from typing_extensions import override

from neuropil.checks import whole
from neuropil.core import Layer, Shape, ShapeError, format_shape
from neuropil.core.shape import count

if TYPE_CHECKING:
    from torch import Tensor

    from neuropil.core.window import Reach


class Rearrangement(Layer):
    """Base class of layers that take floats or integers and do not change the values."""

    dtype_taken: Literal["float", "int", "any"] = "any"


class Identity(Rearrangement):
    """Return the input: y = x.

    Shape:
        ``(…)`` to the same; free axes stay free.

    Args:
        name: Name in the network, in place of ``identity1``.

    Example:
        >>> import torch
        >>> Identity()(torch.tensor([[1, 2]]))
        tensor([[1, 2]])
    """

    @override
    def forward(self, x: Tensor) -> Tensor:
        return x


class Reshape(Rearrangement):
    """Reshape each sample, in row-major order.

    y.ravel() = x.ravel() for each sample, as in ``numpy.reshape``.

    Shape:
        ``(…)`` to ``shape``; the batch axis is unchanged. A −1 means the length that follows
        from the others. Free axes are merged into the −1, which is then free: each batch must
        have a number of elements that the other lengths divide.

    Args:
        *shape: Lengths of the new axes; one of them may be −1.
        name: Name in the network, in place of ``reshape1``.

    Raises:
        ValueError: When no length is given, one is below 1, or two are −1.
        ShapeError: When the product of the lengths is not the number of elements.

    Reference:
        ``numpy.reshape`` with ``order="C"``.

    Example:
        >>> import torch
        >>> Reshape(2, -1).output_shape((3, 4))
        (2, 6)
        >>> Reshape(-1, 4).output_shape((None, 6))  # such as two steps of six as three of four
        (None, 4)
        >>> Reshape(2, 2)(torch.tensor([[1, 2, 3, 4]]))
        tensor([[[1, 2],
                 [3, 4]]])
    """

    channels_first = False
    sees_everything = True

    def __init__(self, *shape: int, name: str | None = None) -> None:
        super().__init__(name=name)
        if not shape:
            raise ValueError("Reshape() needs a shape, such as Reshape(1, 28, 28).")
        if sum(length == -1 for length in shape) > 1:
            raise ValueError(f"Reshape: only one length may be -1, got {format_shape(shape)}.")
        self.shape = tuple(
            -1 if length == -1 else whole(length, "Reshape: a length of shape")
            for length in shape
        )

    @override
    def output_shape(self, shape: Shape) -> Shape:
        elements = count(shape)
        known = math.prod(length for length in self.shape if length != -1)
        if -1 in self.shape:
            if elements is not None and elements % known:
                raise self.misfit(shape, f"a multiple of {known} elements")
            rest = None if elements is None else elements // known
            return tuple(rest if length == -1 else length for length in self.shape)
        if elements is None:
            fix = "write -1 for the free length"
            raise self.refuse("known lengths, or -1 as one length of the new shape", shape, fix)
        if elements != known:
            raise self.misfit(shape, f"{known} elements")
        return self.shape

    def misfit(self, shape: Shape, needs: str) -> ShapeError:
        """Return the error for a number of elements that does not fit the new axes."""
        return self.refuse(
            needs,
            shape,
            f"that is {count(shape)}; choose lengths with that product, or give one as -1",
        )

    @override
    def forward(self, x: Tensor) -> Tensor:
        if x.shape[0] == 0:  # torch cannot infer -1 for an empty batch
            shape = cast("tuple[int, ...]", self.output_shape(tuple(x.shape[1:])))
            return x.reshape(0, *shape)
        try:
            return x.reshape(x.shape[0], *self.shape)
        except RuntimeError:  # a free length whose multiples do not fit
            self.output_shape(tuple(x.shape[1:]))
            raise


class Flatten(Rearrangement):
    """Flatten each sample to a vector: ``Reshape(-1)``.

    Shape:
        ``(C, H, W)``, or any other, to ``(C·H·W)``; free if an axis is. Layers with units need
        a known length: for images of varying size, use ``GlobalPooling("avg")``, which returns
        ``(C)``.

    Args:
        name: Name in the network, in place of ``flatten1``.

    Reference:
        ``numpy.ravel`` for each sample.

    Example:
        >>> import torch
        >>> Flatten()(torch.tensor([[[1, 2], [3, 4]]]))
        tensor([[1, 2, 3, 4]])
        >>> Flatten().output_shape((3, 32, 32))
        (3072,)
    """

    sees_everything = True

    @override
    def output_shape(self, shape: Shape) -> Shape:
        return (count(shape),)

    @override
    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1)


class Transpose(Rearrangement):
    """Permute the axes of each sample: axis k of the output is ``axes[k]``.

    y[i₀, i₁, …] = x[j₀, j₁, …] where j at ``axes[k]`` is iₖ.

    Shape:
        ``(T, D)`` to ``(D, T)`` for ``Transpose(1, 0)``: it converts sequences, for LSTM,
        Attention and layers with units, to signals (C, L), for Convolution and BatchNorm, and
        back. Free axes stay free.

    Args:
        *axes: A permutation of the axes, counted without the batch; negative ones from the
            end. Without any, the order is reversed.
        name: Name in the network, in place of ``transpose1``.

    Raises:
        ValueError: When an axis is not a whole number.
        ShapeError: When the axes are not a permutation of the input's.

    Reference:
        ``numpy.transpose`` for each sample.

    Example:
        >>> import torch
        >>> Transpose(1, 0)(torch.tensor([[[1, 2, 3], [4, 5, 6]]]))
        tensor([[[1, 4],
                 [2, 5],
                 [3, 6]]])
        >>> Transpose(1, 2, 0).output_shape((3, 32, None))
        (32, None, 3)
    """

    channels_first = False

    def __init__(self, *axes: int, name: str | None = None) -> None:
        super().__init__(name=name)
        self.axes = tuple(whole(axis, "Transpose: one of axes", minimum=-64) for axis in axes)

    def order(self, shape: Shape) -> tuple[int, ...]:
        """Return the axes counted from 0.

        Raises:
            ShapeError: When they are not a permutation of the input's.
        """
        rank = len(shape)
        axes = tuple(axis + rank if axis < 0 else axis for axis in self.axes)
        axes = axes or tuple(reversed(range(rank)))
        if sorted(axes) != list(range(rank)):
            raise self.refuse(
                f"an input of {len(axes)} axes",
                shape,
                f"give each of the axes 0 to {rank - 1} once",
            )
        return axes

    @override
    def output_shape(self, shape: Shape) -> Shape:
        return tuple(shape[axis] for axis in self.order(shape))

    @override
    def reaches(self, shape: Shape) -> tuple[Reach, ...] | None:
        # If the channels stay first and the others in order, no position moves.
        order = self.order(shape)
        return () if order == tuple(range(len(order))) else None

    @override
    def forward(self, x: Tensor) -> Tensor:
        if not self.axes:
            return x.permute(0, *range(x.ndim - 1, 0, -1))
        return x.permute(0, *[axis + 1 if axis >= 0 else axis for axis in self.axes])
