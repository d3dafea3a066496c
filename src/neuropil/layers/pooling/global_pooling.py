"""Pooling to a fixed length for inputs of any length."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from typing_extensions import override

from neuropil.checks import one_of, whole
from neuropil.core import Layer, Shape
from neuropil.core.window import ceil_div
from neuropil.layers.mask_padding import check_mask, mask_for
from neuropil.layers.spatial import require_positions, spatial_rank

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor


ADAPTIVE = {
    "max": {3: F.adaptive_max_pool1d, 4: F.adaptive_max_pool2d, 5: F.adaptive_max_pool3d},
    "avg": {3: F.adaptive_avg_pool1d, 4: F.adaptive_avg_pool2d, 5: F.adaptive_avg_pool3d},
}


class GlobalPooling(Layer):
    """Pool each channel to one number: the mean or the maximum over all positions.

    y[c] = mean_o x[c, o], y[c] = max_o x[c, o], or both, the means first. With a mask m, only
    the positions o with m[s·o] ≠ 0 count, where s is the stride of x relative to the mask.

    Shape:
        ``(C, …)`` with at least one axis after the channels to ``(C)``, or ``(2C)`` for both.
        Free axes disappear, so networks for images of any size use it to get a vector. A second
        input is a mask ``(…)``: 1 for content, 0 for padding, as for `MaskPadding`.

    Args:
        mode: ``"avg"``, ``"max"`` or ``"both"``.
        name: Name in the network, in place of ``globalpooling1``.

    Raises:
        ValueError: When the mode is unknown.
        ShapeError: When the input has no axis after the channels.

    Reference:
        Lin, Chen, Yan, "Network in network", 2014, section 3.2.

    Example:
        >>> import torch
        >>> GlobalPooling("both")(torch.tensor([[[1.0, 2.0, 6.0], [0.0, 0.0, 3.0]]])).tolist()
        [[3.0, 1.0, 6.0, 3.0]]
        >>> GlobalPooling("avg").output_shape((64, None, None))
        (64,)
        >>> GlobalPooling("avg")(torch.tensor([[[1.0, 2.0, 6.0]]]), torch.tensor([[1, 1, 0]]))
        tensor([[1.5000]])
    """

    inputs_taken = (1, 2)
    sees_everything = True

    def __init__(self, mode: str = "avg", *, name: str | None = None) -> None:
        super().__init__(name=name)
        self.mode = one_of(mode, f"{type(self).__name__}: mode", ("avg", "max", "both"))

    @override
    def is_mask(self, shape: Shape) -> bool:
        return True

    @override
    def output_shape(self, shape: Shape, mask: Shape | None = None) -> Shape:
        fix = "leave it out, or put it before the layer that removed them, such as Flatten()"
        require_positions(self, shape, fix)
        if mask is not None:
            check_mask(self, shape, mask)
        channels = shape[0]
        return (2 * channels if channels and self.mode == "both" else channels,)

    @override
    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        if mask is not None:
            return self.pool_content(x, mask_for(x, mask))
        positions = tuple(range(2, x.dim()))
        if self.mode == "avg":
            return x.mean(positions)
        if self.mode == "max":
            return x.amax(positions)
        return torch.cat([x.mean(positions), x.amax(positions)], 1)

    def pool_content(self, x: Tensor, mask: Tensor) -> Tensor:
        """Pool the positions where a mask is not zero; 0 if there are none."""
        positions = tuple(range(2, x.dim()))
        inside = mask != 0
        parts = []
        if self.mode != "max":
            counts = inside.sum(positions).clamp(min=1)
            parts.append((x * inside).sum(positions) / counts)
        if self.mode != "avg":
            largest = x.masked_fill(~inside, -math.inf).amax(positions)
            parts.append(largest.masked_fill(~inside.flatten(2).any(2), 0.0))
        return parts[0] if len(parts) == 1 else torch.cat(parts, 1)


class SpatialPyramidPooling(Layer):
    """Pool an input of any size in coarse and fine grids to a vector of fixed length.

    Level n divides each axis of length I into n bins, where bin k runs from ⌊k·I/n⌋ up to, but
    not including, ⌈(k + 1)·I/n⌉: every position counts, and bins overlap by one if n does not
    divide I. (He et al. take windows of ⌈I/n⌉ at steps of ⌊I/n⌋, which differ only then.) The
    vector concatenates the levels, each flattened from (C, n, …).

    Shape:
        ``(C, L)``, ``(C, H, W)`` or ``(C, D, H, W)`` to ``(C · Σ n^r)`` over r axes. Free axes
        disappear.

    Args:
        levels: Number of bins n per axis, for each level.
        mode: ``"max"`` or ``"avg"``: the value computed for each bin.
        name: Name in the network, in place of ``spatialpyramidpooling1``.

    Raises:
        ValueError: When the mode is unknown, or a level is not a whole number from 1 up.
        ShapeError: When the input has no axes after the channels, or more than three.

    Reference:
        He, Zhang, Ren, Sun, "Spatial pyramid pooling in deep convolutional networks for visual
        recognition", 2014.

    Example:
        >>> import torch
        >>> pool = SpatialPyramidPooling((1, 2))
        >>> pool(torch.tensor([[[1.0, 5.0, 2.0, 4.0, 3.0]]])).tolist()  # all; 1 5 2, 2 4 3
        [[5.0, 5.0, 4.0]]
        >>> SpatialPyramidPooling().output_shape((256, None, None))  # 256 · (1 + 4 + 16)
        (5376,)
    """

    sees_everything = True

    def __init__(
        self,
        levels: int | tuple[int, ...] = (1, 2, 4),
        mode: str = "max",
        *,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        self.mode = one_of(mode, f"{type(self).__name__}: mode", ("max", "avg"))
        given = levels if isinstance(levels, tuple | list) else (levels,)
        self.levels = [whole(bins, "SpatialPyramidPooling: levels") for bins in given]
        if not given:
            raise ValueError(
                "SpatialPyramidPooling: levels must not be empty, give for example (1, 2, 4)."
            )

    @override
    def output_shape(self, shape: Shape) -> Shape:
        rank = spatial_rank(self, shape)
        channels = shape[0]
        return (channels and channels * sum(bins**rank for bins in self.levels),)

    @override
    def forward(self, x: Tensor) -> Tensor:
        pool = ADAPTIVE[self.mode][x.dim()]
        if torch.compiler.is_compiling() and torch.onnx.is_in_onnx_export():
            pool = partial(pool_bins, reduce=torch.amax if self.mode == "max" else torch.mean)
        return torch.cat([pool(x, bins).flatten(1) for bins in self.levels], 1)


def pool_bins(x: Tensor, bins: int, reduce: Callable[..., Tensor]) -> Tensor:
    """Pool adaptively, axis by axis with slices, since adaptive pooling has no ONNX form."""
    for axis in range(2, x.dim()):
        length = x.shape[axis]
        edges = [(k * length // bins, ceil_div((k + 1) * length, bins)) for k in range(bins)]
        parts = [x.narrow(axis, start, end - start) for start, end in edges]
        x = torch.cat([reduce(part, axis, keepdim=True) for part in parts], axis)
    return x
