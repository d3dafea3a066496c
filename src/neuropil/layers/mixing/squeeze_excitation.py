"""Channel attention by squeeze and excitation."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor
from typing_extensions import override

from neuropil.checks import whole
from neuropil.core import Layer, Shape
from neuropil.layers.activations.activation_functions import Choice, function
from neuropil.layers.layer_options import HE, Bias, Weight, initializer, set_bias
from neuropil.layers.spatial import require_positions


class SqueezeExcitation(Layer):
    """Scale each channel by a weight computed from the means of all channels.

    z[c] = mean_o x[c, o],    s = σ(W₂ g(W₁ z + b₁) + b₂),    y[c, o] = s[c] · x[c, o].

    Shape:
        ``(C, …)`` with at least one axis after the channels to the same; free axes stay free.
        With R = max(1, ⌊C/ratio⌋) units, ``squeeze_weight`` has shape ``(R, C)``,
        ``excite_weight`` ``(C, R)``, and each has a bias. The receptive field is the whole
        input, through the mean.

    Args:
        ratio: Number of channels per hidden unit.
        units: Number R of hidden units, instead of the ratio.
        activation: The hidden activation g: a name such as ``"relu"``, or a layer.
        gate: The function σ that returns the weights, in the same form, such as
            ``"hardsigmoid"``.
        bias: Whether b₁ and b₂ are added, starting at zero; or their initial value: a number,
            an array or an initialiser.
        weight: Initial W₁ and W₂: an initialiser or a number; by default ``HeNormal()``, for
            the rectifier between them.
        name: Name in the network, in place of ``squeezeexcitation1``.

    Raises:
        ValueError: When an option is out of its range.
        ShapeError: When the input has no axis after the channels, or a free number of channels.

    Reference:
        Hu, Shen, Sun, "Squeeze-and-excitation networks", 2018, eqs. 2 to 4.

    Example:
        >>> import torch
        >>> from neuropil.init import Constant
        >>> from neuropil.layers import Input
        >>> network = Input(2, 2) >> SqueezeExcitation(weight=Constant(0))  # σ(0) = 1/2
        >>> network(torch.tensor([[[1.0, 2.0], [3.0, 4.0]]])).tolist()
        [[[0.5, 1.0], [1.5, 2.0]]]
        >>> SqueezeExcitation(16, bias=False).parameter_shapes((64, 8, 8))
        {'squeeze_weight': (4, 64), 'excite_weight': (64, 4)}
    """

    channels_first = True
    sees_everything = True

    squeeze_weight: Tensor
    squeeze_bias: Tensor | None
    excite_weight: Tensor
    excite_bias: Tensor | None

    def __init__(
        self,
        ratio: int = 16,
        *,
        units: int | None = None,
        activation: Choice = "relu",
        gate: Choice = "sigmoid",
        bias: Bias = True,
        weight: Weight = HE,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        self.ratio = whole(ratio, "SqueezeExcitation: ratio")
        self.units = None if units is None else whole(units, "SqueezeExcitation: units")
        self.activation = function(activation, "SqueezeExcitation: activation")
        self.gate = function(gate, "SqueezeExcitation: gate")
        weight = initializer(weight, "SqueezeExcitation: weight")
        self.initializers.update(squeeze_weight=weight, excite_weight=weight)
        self.has_bias = set_bias(self, bias, "squeeze_bias", "excite_bias")

    @override
    def output_shape(self, shape: Shape) -> Shape:
        fix = "put it before the layer that removed the axes, such as Flatten()"
        require_positions(self, shape, fix)
        self.sizes(shape)
        return shape

    @override
    def parameter_shapes(self, shape: Shape) -> dict[str, tuple[int, ...]]:
        channels, units = self.sizes(shape)
        shapes: dict[str, tuple[int, ...]] = {}
        for name, size in (("squeeze", (units, channels)), ("excite", (channels, units))):
            shapes[f"{name}_weight"] = size
            if self.has_bias:
                shapes[f"{name}_bias"] = size[:1]
        return shapes

    @override
    def multiply_adds(self, shape: Shape) -> int:
        channels, units = self.sizes(shape)
        return 2 * channels * units

    def sizes(self, shape: Shape) -> tuple[int, int]:
        """Return the number of channels and of units.

        Raises:
            ShapeError: When the number of channels is free.
        """
        channels = shape[0]
        if channels is None:
            raise self.refuse("a known number of channels", shape, "give it in Input(…)")
        return channels, self.units or max(1, channels // self.ratio)

    @override
    def forward(self, x: Tensor) -> Tensor:
        z = x.mean(tuple(range(2, x.dim())))
        z = self.activation(F.linear(z, self.squeeze_weight, self.squeeze_bias))
        s = self.gate(F.linear(z, self.excite_weight, self.excite_bias))
        return x * s.view(s.shape + (1,) * (x.dim() - 2))
