"""Residual blocks: the output of the learned branch is added to the input."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from neuropil.checks import whole
from neuropil.layers.blocks.residual import Residual, Shortcut

if TYPE_CHECKING:
    from neuropil.core import Network
    from neuropil.layers.blocks.block_style import Choice, Place


class ResidualBlock(Residual):
    """Two 3×3 convolutions whose result is added to the block's input.

    a^[l+2] = g(z^[l+2] + a^[l]), with z^[l+2] = W₂ g(W₁ a^[l]): if the branch is 0, the
    block is the identity for a^[l] ≥ 0. Each W is a convolution with its normalisation. With
    ``place="first"`` there is no g after the sum, and each convolution follows its
    normalisation and activation instead.

    Shape:
        ``(C, H, W)`` to ``(filters, H/stride, W/stride)``, rounded up. Without normalisation
        9·C·K + 9·K² weights and 2·K biases, K = filters; a projection adds C·K weights and,
        without normalisation, K biases.

    Args:
        filters: Output channels K.
        stride: Step of the first convolution, and of the shortcut.
        dilation: Distance between the taps of the convolutions.
        first_dilation: That of the first convolution; by default `dilation`. A stage whose
            stride of 2 is replaced by dilation begins with half of the dilation that follows.
        activation: g: the name of an activation layer in lower case (``"relu"``, ``"elu"``), a
            layer (copied), or None.
        normalization: ``"batch"``, ``"group"``, ``"instance"``, ``"layer"``, a layer to copy,
            or None.
        place: Position of the normalisation: ``"before"`` the activation, ``"after"`` it, or
            ``"first"`` for pre-activation.
        shortcut: ``"identity"``; ``"projection"``, a 1×1 convolution; ``"zeros"``, which skips
            positions and pads with channels of 0; ``"auto"``, the identity where it fits and a
            projection elsewhere; None for no shortcut, a plain network.
        stochastic_depth: Probability that the branch is skipped for a sample in training.
        name: Name in the network, in place of ``residualblock1``.

    Raises:
        ValueError: When an option is out of its range.
        ShapeError: When the input is not an image, or ``shortcut="identity"`` does not fit.

    Reference:
        He, Zhang, Ren, Sun, "Deep residual learning for image recognition", 2016; the same,
        "Identity mappings in deep residual networks", 2016, for pre-activation; Yu, Koltun,
        Funkhouser, "Dilated residual networks", 2017, for dilation.

    Example:
        >>> import math
        >>> from neuropil.layers import Input
        >>> (Input(64, 56, 56) >> ResidualBlock(128, stride=2)).output_shape
        (128, 28, 28)
        >>> ResidualBlock(64).multiply_adds((64, 56, 56)) == 2 * 9 * 64 * 64 * 56 * 56
        True
        >>> shapes = ResidualBlock(16, normalization=None).parameter_shapes((24, 8, 8))
        >>> sum(map(math.prod, shapes.values())) == 9 * 24 * 16 + 9 * 16**2 + 3 * 16 + 24 * 16
        True
    """

    @override
    def body(self) -> list[Network]:
        return [
            self.style.unit(self.filters, 3, stride=self.stride, dilation=self.first_dilation),
            self.style.unit(
                self.filters, 3, dilation=self.dilation, activates=self.style.place == "first"
            ),
        ]


class BottleneckBlock(Residual):
    """A 1×1, a 3×3 and a 1×1 convolution whose result is added to the block's input.

    a^[l+3] = g(W₃ g(W₂ g(W₁ a^[l])) + a^[l]): the 3×3 convolution works on few channels. Each W
    is a convolution with its normalisation. With ``place="first"`` there is no g after the
    sum, and each convolution follows its normalisation and activation instead.

    Shape:
        ``(C, H, W)`` to ``(filters, H/stride, W/stride)``, rounded up. With
        M = filters/expansion, C·M + 9·M² + M·filters weights without normalisation.

    Args:
        filters: Output channels, a multiple of `expansion`.
        stride: Step of the 3×3 convolution (the "v1.5" arrangement) and of the shortcut.
        dilation: Distance between the taps of the 3×3 convolution.
        first_dilation: Replaces `dilation` in the first block of a stage, as for
            `ResidualBlock`.
        expansion: Ratio of the output channels to those of the 3×3 convolution.
        activation: As for `ResidualBlock`.
        normalization: As for `ResidualBlock`.
        place: As for `ResidualBlock`.
        shortcut: As for `ResidualBlock`.
        stochastic_depth: As for `ResidualBlock`.
        name: Name in the network, in place of ``bottleneckblock1``.

    Raises:
        ValueError: When an option is out of its range.
        ShapeError: When the input is not an image, or ``shortcut="identity"`` does not fit.

    Reference:
        He, Zhang, Ren, Sun, "Deep residual learning for image recognition", 2016, figure 5; the
        stride stands in the 3×3 convolution, as ``torchvision`` has it, and not in the first.

    Example:
        >>> from neuropil.layers import Input
        >>> (Input(64, 56, 56) >> BottleneckBlock(256)).output_shape
        (256, 56, 56)
    """

    def __init__(
        self,
        filters: int,
        *,
        stride: int = 1,
        dilation: int = 1,
        first_dilation: int | None = None,
        expansion: int = 4,
        activation: Choice = "relu",
        normalization: Choice = "batch",
        place: Place = "before",
        shortcut: Shortcut | None = "auto",
        stochastic_depth: float = 0.0,
        name: str | None = None,
    ) -> None:
        super().__init__(
            filters,
            stride=stride,
            dilation=dilation,
            first_dilation=first_dilation,
            activation=activation,
            normalization=normalization,
            place=place,
            shortcut=shortcut,
            stochastic_depth=stochastic_depth,
            name=name,
        )
        if filters % whole(expansion, "BottleneckBlock: expansion"):
            raise ValueError(
                f"BottleneckBlock: filters must be a multiple of expansion, got {filters} and "
                f"{expansion}."
            )
        self.expansion = expansion

    @override
    def body(self) -> list[Network]:
        narrow = self.filters // self.expansion
        return [
            self.style.unit(narrow, 1),
            self.style.unit(narrow, 3, stride=self.stride, dilation=self.first_dilation),
            self.style.unit(self.filters, 1, activates=self.style.place == "first"),
        ]
