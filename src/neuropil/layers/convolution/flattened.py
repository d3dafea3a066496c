"""Flattened convolution: each filter is a product of filters along single axes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from neuropil.layers.convolution.factored import (
    POINT,
    FactoredConvolution,
    Step,
    is_pointwise_first,
)
from neuropil.layers.spatial import AXES

if TYPE_CHECKING:
    from neuropil.core import Shape
    from neuropil.core.window import Padding
    from neuropil.layers.layer_options import Bias, Weight


class FlattenedConvolution(FactoredConvolution):
    """A sequence of one-dimensional filters: across the channels, and along each axis.

    For an image, with α across the channels, β down the columns and γ along the rows,

        y[k, o] = b[k] + Σ_c Σ_i Σ_j α[k, c] β[k, i] γ[k, j] x[c, S·o + D·(i, j) − P_start],

    which is a `Convolution` whose filters all have rank 1. Each filter has C + F + F weights
    instead of C·F·F. In the other order, ``"depthwise_first"``, the filters along the axes come
    first and belong to the input's channels: β[c, i] · γ[c, j] · α[k, c].

    Shape:
        ``(C, L)``, ``(C, H, W)`` or ``(C, D, H, W)`` to ``(K, …)`` of the same rank, each axis
        as in `Convolution`; free axes stay free. ``pointwise_weight`` has shape
        ``(K, C, 1, 1)``, ``height_weight`` ``(K, 1, F, 1)``, ``width_weight`` ``(K, 1, 1, F)``
        (C instead of K in the other order), and ``depth_weight`` or ``length_weight``
        likewise; the last one also has a bias ``(K)``.

    Args:
        filters: Number of output channels K.
        kernel_size: Filter length F, one number or one per axis.
        order: ``"pointwise_first"`` or ``"depthwise_first"``.
        stride: Step S between neighbouring windows, one number or one per axis.
        padding: ``"valid"``, ``"same"``, ``"full"``, numbers or (start, end), as in
            `Convolution`.
        dilation: Distance D between neighbouring taps of a filter, one number or one per axis.
        bias: Whether b is added, starting at zero; or its initial value: a number, an array or
            an initialiser. Without b the layer has no such parameter.
        weight: Initial filters: an initialiser or a number. By default ``HeNormal()`` for the
            last and ``HeNormal(gain=1)`` for the others, so that the whole chain has the gain 2
            of a `Convolution`.
        name: Name in the network, in place of ``flattenedconvolution1``.

    Raises:
        ValueError: When an option is out of its range.
        ShapeError: When the input has no axes after the channels, one that is too short, or a
            free number of channels.

    Reference:
        Jin, Dundar, Culurciello, "Flattened convolutional neural networks for feedforward
        acceleration", 2015, section 3: lateral, vertical, horizontal.

    Example:
        >>> import torch
        >>> from neuropil.init import Constant
        >>> from neuropil.layers import Input
        >>> network = Input(1, 2, 3) >> FlattenedConvolution(1, 2, weight=Constant(1))
        >>> network(torch.tensor([[[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]])).tolist()
        [[[[12.0, 16.0]]]]
        >>> FlattenedConvolution(64, 3, bias=False).parameter_shapes((32, 28, 28)).values()
        dict_values([(64, 32, 1, 1), (64, 1, 3, 1), (64, 1, 1, 3)])
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int | tuple[int, ...],
        *,
        order: str = "pointwise_first",
        stride: int | tuple[int, ...] = 1,
        padding: Padding = "valid",
        dilation: int | tuple[int, ...] = 1,
        bias: Bias = True,
        weight: Weight | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(filters, bias, weight, (kernel_size, stride, dilation, padding), name)
        self.pointwise_first = is_pointwise_first(self, order)

    @override
    def steps(self, shape: Shape) -> tuple[Step, ...]:
        windows, channels = self.windows_over(shape), self.channels(shape)
        wide = self.filters if self.pointwise_first else channels
        points = (POINT,) * len(windows)
        steps = [
            Step(
                name,
                wide,
                wide,
                (*points[:place], windows[place], *points[place + 1 :]),
                per_channel=True,
            )
            for place, name in enumerate(AXES[len(windows)])
        ]
        pointwise = Step("pointwise", self.filters, channels, points)
        steps.insert(0 if self.pointwise_first else len(steps), pointwise)
        steps[-1] = steps[-1]._replace(has_bias=self.has_bias)
        return tuple(steps)
