"""Xception's block: a residual block of separable convolutions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from neuropil.checks import flag, whole
from neuropil.core import Network, join
from neuropil.layers.blocks.residual import Residual
from neuropil.layers.blocks.separable_block import separable
from neuropil.layers.pooling.window_pooling import MaxPooling

if TYPE_CHECKING:
    from neuropil.core.layer import Layer
    from neuropil.layers.blocks.block_style import Choice, Place
    from neuropil.layers.blocks.residual import Shortcut


class XceptionBlock(Residual):
    """Two or three 3×3 separable convolutions whose result is added to the block's input.

    y = S_n g(… S_2 g(S_1 g(x))) + x. Each S is a depthwise convolution, a 1×1 convolution and a
    normalisation; g is the activation. With a stride, 3×3 MaxPooling downsamples the branch,
    and a 1×1 convolution with normalisation projects x.

    Shape:
        ``(C, H, W)`` to ``(K, H/stride, W/stride)``, rounded up, K the last of `filters`.
        Without normalisation a separable convolution from C to K channels has 9·C + C·K
        weights; a projection adds C·K.

    Args:
        filters: Output channels of each separable convolution; one number for a single
            convolution.
        stride: Step of MaxPooling after them, and of the shortcut; 1 for no MaxPooling.
        opening: Whether the activation g precedes the first convolution; leave it out if the
            input is already activated.
        activation: As for `ResidualBlock`.
        normalization: As for `ResidualBlock`.
        place: As for `ResidualBlock`. The sum is never followed by an activation, and with
            ``"first"`` each convolution follows its own normalisation and activation.
        shortcut: As for `ResidualBlock`.
        stochastic_depth: As for `ResidualBlock`.
        name: Name in the network, in place of ``xceptionblock1``.

    Raises:
        ValueError: When an option is out of its range.
        ShapeError: When the input is not an image, its number of channels is free, or
            ``shortcut="identity"`` does not fit.

    Reference:
        Chollet, "Xception: deep learning with depthwise separable convolutions", 2017,
        figure 5. Equal outputs under equal weights with ``timm.models.xception.Block``.

    Example:
        >>> from neuropil.layers import Input
        >>> (Input(128, 74, 74) >> XceptionBlock((256, 256), stride=2)).output_shape
        (256, 37, 37)
        >>> block = XceptionBlock((728, 728, 728))
        >>> block.multiply_adds((728, 19, 19)) == 3 * (9 * 728 + 728 * 728) * 19 * 19
        True
    """

    def __init__(
        self,
        filters: int | tuple[int, ...],
        *,
        stride: int = 1,
        opening: bool = True,
        activation: Choice = "relu",
        normalization: Choice = "batch",
        place: Place = "before",
        shortcut: Shortcut | None = "auto",
        stochastic_depth: float = 0.0,
        name: str | None = None,
    ) -> None:
        widths = tuple(filters) if isinstance(filters, tuple | list) else (filters,)
        if not widths:
            raise ValueError("XceptionBlock: filters must be at least one number, got none.")
        super().__init__(
            widths[-1],
            stride=stride,
            activation=activation,
            normalization=normalization,
            place=place,
            shortcut=shortcut,
            stochastic_depth=stochastic_depth,
            name=name,
        )
        self.widths = tuple(whole(n, "XceptionBlock: filters") for n in widths)
        self.opening = flag(opening, "XceptionBlock: opening")

    @override
    def body(self) -> list[Network]:
        style, first = self.style, self.style.place == "first"
        last = len(self.widths) - 1
        units = [
            separable(style, width, 3, activates=first or place < last)
            for place, width in enumerate(self.widths)
        ]
        if self.opening and not first:
            units[0] = join(*style.activate(), units[0])
        if self.stride > 1:
            units[-1] = units[-1] >> MaxPooling(3, stride=self.stride, padding=1)
        return units

    @override
    def after_sum(self) -> list[Layer]:
        return []
