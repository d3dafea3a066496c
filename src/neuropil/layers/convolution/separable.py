"""Depthwise separable convolution: a depthwise and a pointwise step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from neuropil.layers.activations.activation_functions import Choice, function
from neuropil.layers.convolution.factored import (
    POINT,
    FactoredConvolution,
    Step,
    is_pointwise_first,
)

if TYPE_CHECKING:
    from neuropil.core import Shape
    from neuropil.core.window import Padding
    from neuropil.layers.layer_options import Bias, Weight


class SeparableConvolution(FactoredConvolution):
    """A depthwise convolution and a 1×1 convolution across the channels.

    With (d ∗ x)[c, o] = Σ_t d[c, 0, t] · x[c, S·o + D·t − P_start], as in
    `DepthwiseConvolution`, and (p x)[k, o] = Σ_c p[k, c] · x[c, o],

        y = p f(d ∗ x + a) + b    depthwise first, as in MobileNet,
        y = d ∗ f(p x + a) + b    pointwise first, as in the "extreme Inception" module.

    The Xception network itself puts the depthwise convolution first.

    Without f the bias a is left out, and y is the convolution with the filters p[k, c]·d[c, t],
    or p[k, c]·d[k, t].

    Shape:
        ``(C, L)``, ``(C, H, W)`` or ``(C, D, H, W)`` to ``(K, …)`` of the same rank, each axis
        as in `Convolution`; free axes stay free. ``depthwise_weight`` has shape
        ``(C, 1, F, …)``, or ``(K, 1, F, …)`` when it comes second, ``pointwise_weight``
        ``(K, C, 1, …)``: C·F·F + C·K parameters, or K·F·F + C·K, and the bias.

    Args:
        filters: Number of output channels K.
        kernel_size: Length F of the depthwise filters, one number or one per axis.
        order: ``"depthwise_first"`` or ``"pointwise_first"``.
        activation: The function f in between: a name such as ``"relu"``, or a layer such as
            ``LeakyRelu(epsilon=0.3)``; None for no function.
        stride: Step S between neighbouring windows, one number or one per axis.
        padding: ``"valid"``, ``"same"``, ``"full"``, numbers or (start, end), as in
            `Convolution`.
        dilation: Distance D between neighbouring taps of a filter, one number or one per axis.
        bias: Whether b, and with an activation a, are added: ``pointwise_bias`` and
            ``depthwise_bias``, in the order of their convolutions, starting at zero; or their
            initial value: a number, an array or an initialiser.
        weight: Initial filters of both kinds: an initialiser or a number. By default
            ``HeNormal()`` for the second and for one before an activation, and
            ``HeNormal(gain=1)`` for a first without one, so that both together have the gain 2
            of a `Convolution`.
        name: Name in the network, in place of ``separableconvolution1``.

    Raises:
        ValueError: When an option is out of its range.
        ShapeError: When the input has no axes after the channels, one that is too short, or a
            free number of channels.

    Reference:
        Howard et al., "MobileNets", 2017, section 3.1; Chollet, "Xception: deep learning with
        depthwise separable convolutions", 2017, section 4.7, where the activation in between is
        found to harm; figure 4 for the extreme Inception module.

    Example:
        >>> import torch
        >>> from neuropil.init import Constant
        >>> from neuropil.layers import Input
        >>> network = Input(2, 3) >> SeparableConvolution(1, 2, weight=Constant(1))
        >>> network(torch.tensor([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]])).tolist()
        [[[12.0, 16.0]]]
        >>> SeparableConvolution(64, 3, bias=False).parameter_shapes((32, 28, 28))
        {'depthwise_weight': (32, 1, 3, 3), 'pointwise_weight': (64, 32, 1, 1)}
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int | tuple[int, ...],
        *,
        order: str = "depthwise_first",
        activation: Choice | None = None,
        stride: int | tuple[int, ...] = 1,
        padding: Padding = "valid",
        dilation: int | tuple[int, ...] = 1,
        bias: Bias = True,
        weight: Weight | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(filters, bias, weight, (kernel_size, stride, dilation, padding), name)
        self.pointwise_first = is_pointwise_first(self, order)
        what = "SeparableConvolution: activation"
        self.between = None if activation is None else function(activation, what)

    @override
    def steps(self, shape: Shape) -> tuple[Step, ...]:
        windows, channels = self.windows_over(shape), self.channels(shape)
        wide = self.filters if self.pointwise_first else channels
        depthwise = Step("depthwise", wide, wide, windows, per_channel=True)
        pointwise = Step("pointwise", self.filters, channels, (POINT,) * len(windows))
        first, last = (pointwise, depthwise) if self.pointwise_first else (depthwise, pointwise)
        # Without a function in between, a first bias would be redundant with the second.
        both = self.has_bias and self.between is not None
        return (
            first._replace(has_bias=both, activation=self.between),
            last._replace(has_bias=self.has_bias),
        )
