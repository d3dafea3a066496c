"""A learned colour space as the first layer of a network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from neuropil.checks import whole
from neuropil.layers.activations.activation_functions import Choice, function
from neuropil.layers.activations.rectifier import LeakyRelu
from neuropil.layers.convolution.factored import POINT, FactoredConvolution, Step
from neuropil.layers.layer_options import HE, Bias, Weight, initializer

if TYPE_CHECKING:
    from neuropil.core import Shape

# Graham, "Spatially-sparse convolutional neural networks", 2014, uses this slope.
VERY_LEAKY = LeakyRelu(epsilon=1 / 3)


class LearnedColorspace(FactoredConvolution):
    """A small network for the colour of each pixel: y = W₂ f(W₁ x + b₁) + b₂.

    Two 1×1 convolutions with a function between them, trained with the network that follows.
    The reference measured a variant, with f also after W₂ and the slope 0.5: on ImageNet
    pictures of 128 pixels, 3 → 10 → 3 with the very leaky rectifier raised the accuracy of
    CaffeNet by 1.4 points over RGB, and with tanh lowered it by 0.8.

    Shape:
        ``(C, H, W)``, ``(C, L)`` or ``(C, D, H, W)`` to the same with C replaced by `channels`;
        free axes stay free. ``first_weight`` has shape ``(hidden, C, 1, 1)``,
        ``second_weight`` ``(channels, hidden, 1, 1)``, and each has a bias.

    Args:
        channels: Number of channels of the learned colour space.
        hidden: Output channels of the first convolution.
        activation: The function f: a name such as ``"tanh"``, or a layer; by default the very
            leaky rectifier, whose slope is 1/3 on the negative side.
        bias: Whether b₁ and b₂ are added, starting at zero; or their initial value: a number,
            an array or an initialiser.
        weight: Initial W₁ and W₂: an initialiser or a number; by default ``HeNormal()``, for
            the rectifier between them.
        name: Name in the network, in place of ``learnedcolorspace1``.

    Raises:
        ValueError: When an option is out of its range.
        ShapeError: When the input has no axes after its channels, or a free number of channels.

    Reference:
        Mishkin, Sergievskiy, Matas, "Systematic evaluation of CNN advances on the ImageNet",
        2016: the learned transformations of the colour space.

    Example:
        >>> import torch
        >>> from neuropil.init import Constant
        >>> from neuropil.layers import Input
        >>> network = Input(3, 1, 1) >> LearnedColorspace(2, 4, weight=Constant(1))
        >>> network(torch.tensor([[[[1.0]], [[2.0]], [[3.0]]]])).flatten().tolist()  # 4 · 6
        [24.0, 24.0]
        >>> LearnedColorspace().output_shape((3, 32, None))
        (3, 32, None)
    """

    def __init__(
        self,
        channels: int = 3,
        hidden: int = 10,
        *,
        activation: Choice = VERY_LEAKY,
        bias: Bias = True,
        weight: Weight = HE,
        name: str | None = None,
    ) -> None:
        filters = whole(channels, "LearnedColorspace: channels")
        initializer(weight, "LearnedColorspace: weight")
        super().__init__(filters, bias, weight, (1, 1, 1, "valid"), name)
        self.hidden = whole(hidden, "LearnedColorspace: hidden")
        self.between = function(activation, "LearnedColorspace: activation")

    @override
    def steps(self, shape: Shape) -> tuple[Step, ...]:
        points = (POINT,) * len(self.windows_over(shape))
        bias, channels = self.has_bias, self.channels(shape)
        first = Step("first", self.hidden, channels, points, has_bias=bias)
        second = Step("second", self.filters, self.hidden, points, has_bias=bias)
        return first._replace(activation=self.between), second
