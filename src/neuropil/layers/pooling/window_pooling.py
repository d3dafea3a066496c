"""Pooling in sliding windows: the maximum, the mean, or the sum of both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from neuropil.layers.pooling.base import Pooling

if TYPE_CHECKING:
    from torch import Tensor

    from neuropil.core.window import Padding


class MaxPooling(Pooling):
    """Pool each window to its maximum.

    y[c, o] = max_t x[c, S·o + D·t − P_start] over the positions inside the input; padding is
    never the maximum.

    Shape:
        ``(C, L)``, ``(C, H, W)`` or ``(C, D, H, W)`` to the same rank. With F' = D(F − 1) + 1
        each axis of length I becomes O = ⌊(I − F' + P_start + P_end)/S⌋ + 1, with ⌈ ⌉ instead
        of ⌊ ⌋ with `ceil_mode`; free axes stay free.

    Args:
        size: Window length F, one number or one per axis.
        stride: Step S between neighbouring windows, one number or one per axis; F if ``None``.
        padding: ``"valid"``, ``"same"``, ``"full"``, numbers or (start, end), as in
            `Convolution`; less than F' at each end, so that every window overlaps the input.
        dilation: Distance D between the positions in a window, one number or one per
            axis.
        ceil_mode: Whether to round the number of windows up: the last may run over the end, but
            must start inside the input or the padding before it.
        name: Name in the network, in place of ``maxpooling1``.

    Raises:
        ValueError: When an option is out of its range.
        ShapeError: When the input has no axes after the channels, or one that is too short.

    Example:
        >>> import torch
        >>> x = torch.tensor([[[1.0, 5.0, 2.0, 4.0, 3.0]]])
        >>> MaxPooling(2)(x).tolist()
        [[[5.0, 4.0]]]
        >>> MaxPooling(2, ceil_mode=True)(x).tolist()
        [[[5.0, 4.0, 3.0]]]
        >>> MaxPooling(3, stride=2, padding="same").output_shape((8, 32, None))
        (8, 16, None)
    """

    def __init__(
        self,
        size: int | tuple[int, ...],
        *,
        stride: int | tuple[int, ...] | None = None,
        padding: Padding = "valid",
        dilation: int | tuple[int, ...] = 1,
        ceil_mode: bool = False,
        name: str | None = None,
    ) -> None:
        super().__init__(size, stride, padding, ceil_mode, dilation=dilation, name=name)

    @override
    def forward(self, x: Tensor) -> Tensor:
        return (self.plans.get(x.dim()) or self.plan(x.dim())).largest(x)


class AveragePooling(Pooling):
    """Pool each window to its mean.

    y[c, o] = 1/n_o · Σ_t x[c, S·o + t − P_start], with zeros for x outside. n_o counts the
    positions of the window that lie on the input or, with `count_include_pad`, on its padding;
    positions beyond the padding, which `ceil_mode` allows, never count.

    Shape:
        ``(C, L)``, ``(C, H, W)`` or ``(C, D, H, W)`` to the same rank. Each axis of length I
        becomes O = ⌊(I − F + P_start + P_end)/S⌋ + 1, with ⌈ ⌉ instead of ⌊ ⌋ with `ceil_mode`;
        free axes stay free.

    Args:
        size: Window length F, one number or one per axis.
        stride: Step S between neighbouring windows, one number or one per axis; F if ``None``.
        padding: ``"valid"``, ``"same"``, ``"full"``, numbers or (start, end), as in
            `Convolution`; less than F at each end, so that every window overlaps the input.
        ceil_mode: Whether to round the number of windows up: the last may run over the end, but
            must start inside the input or the padding before it.
        count_include_pad: Whether padding counts as zeros; otherwise it is ignored.
        name: Name in the network, in place of ``averagepooling1``.

    Raises:
        ValueError: When an option is out of its range.
        ShapeError: When the input has no axes after the channels, or one that is too short.

    Example:
        >>> import torch
        >>> steps = torch.tensor([[[1.0, 5.0, 2.0, 4.0]]])
        >>> AveragePooling(2)(steps)
        tensor([[[3., 3.]]])
        >>> AveragePooling(2, padding=(1, 1))(steps)  # windows over 0 1, 5 2 and 4 0
        tensor([[[0.5000, 3.5000, 2.0000]]])
        >>> AveragePooling(2, padding=(1, 1), count_include_pad=False)(steps)
        tensor([[[1.0000, 3.5000, 4.0000]]])
    """

    def __init__(
        self,
        size: int | tuple[int, ...],
        *,
        stride: int | tuple[int, ...] | None = None,
        padding: Padding = "valid",
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        name: str | None = None,
    ) -> None:
        super().__init__(
            size, stride, padding, ceil_mode, count_include_pad=count_include_pad, name=name
        )

    @override
    def forward(self, x: Tensor) -> Tensor:
        plan = self.plans.get(x.dim()) or self.plan(x.dim())
        if plan.pads is None:  # saves a call
            pool, options = plan.average
            return pool(x, *options)
        return plan.mean(x)


class MaxAveragePooling(AveragePooling):
    """Pool each window to the sum of its maximum and its mean.

    y = MaxPooling(…)(x) + AveragePooling(…)(x), with the same options.

    Shape:
        As `AveragePooling`: ``(C, …)`` to ``(C, …)``.

    Args:
        size: Window length F, one number or one per axis.
        stride: Step S between neighbouring windows, one number or one per axis; F if ``None``.
        padding: ``"valid"``, ``"same"``, ``"full"``, numbers or (start, end).
        ceil_mode: Whether to round the number of windows up: the last may run over the end, but
            must start inside the input or the padding before it.
        count_include_pad: Whether padding counts as zeros in the mean; otherwise it is ignored.
        name: Name in the network, in place of ``maxaveragepooling1``.

    Raises:
        ValueError: When an option is out of its range.
        ShapeError: When the input has no axes after the channels, or one that is too short.

    Reference:
        Mishkin, Sergievskiy, Matas, "Systematic evaluation of CNN advances on the ImageNet",
        2016.

    Example:
        >>> import torch
        >>> MaxAveragePooling(2)(torch.tensor([[[1.0, 5.0, 2.0, 4.0]]])).tolist()
        [[[8.0, 7.0]]]
    """

    @override
    def forward(self, x: Tensor) -> Tensor:
        plan = self.plans.get(x.dim()) or self.plan(x.dim())
        return plan.largest(x) + plan.mean(x)
