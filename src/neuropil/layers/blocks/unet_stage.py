"""U-nets: an encoder and a decoder with skip connections at each resolution."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import torch
import torch.nn.functional as F
from typing_extensions import override

from neuropil.checks import number, one_of, whole
from neuropil.core import Network, Shape, join, repeat
from neuropil.layers.blocks.block_style import HE, Choice, Place, StyledBlock
from neuropil.layers.convolution.convolution import Convolution
from neuropil.layers.convolution.deconvolution import Deconvolution
from neuropil.layers.layer_options import composable
from neuropil.layers.mixing.merge import Merge
from neuropil.layers.noise import Dropout
from neuropil.layers.pooling.window_pooling import MaxPooling
from neuropil.layers.rearrange import Identity
from neuropil.layers.spatial import spatial_rank
from neuropil.layers.upscale import Upscale

if TYPE_CHECKING:
    from torch import Tensor

    from neuropil.core.layer import Composable

Padding: TypeAlias = Literal["same", "valid"]
Up: TypeAlias = Literal["deconvolution", "nearest", "bilinear"]
UPS = ("deconvolution", "nearest", "bilinear")


class UNetStage(StyledBlock):
    """One resolution of a U-net, with all coarser ones nested inside.

    s = g(W₂ ∗ g(W₁ ∗ x)); y = g(W₄ ∗ g(W₃ ∗ [s, up(inner(down(s)))])), where every W is 3×3.
    *down* is MaxPooling by 2, and *up* doubles the lengths and gives the number of channels of
    s. Stages
    nest: ``UNetStage(64, UNetStage(128, UNetStage(256)))``. A stage without `inner` is the
    bottom of the U and returns s.

    With ``padding="same"`` an odd length is rounded up on the way down, and the excess after
    doubling is cut off at the end: the output always has the length of the input. With
    ``"valid"`` every convolution shortens each length by two, and s is cropped at both ends to
    the size of the upsampled features; lengths should be even before every *down*.

    Shape:
        ``(C, L)``, ``(C, H, W)`` or ``(C, D, H, W)`` to ``(filters, …)``: the same lengths, or
        with ``"valid"`` shorter ones; free axes stay free. With K = filters, without
        normalisation and with deconvolution, a stage for images around N inner channels has
        9·K·(C + 4·K) + 4·N·K weights and 5·K biases; the bottom 9·K·(C + K) and 2·K.

    Args:
        filters: Number K of output channels.
        inner: The layer or network for the coarser image, which is copied; usually the next
            `UNetStage`. None for the bottom.
        padding: ``"same"``, or ``"valid"`` as in the paper; set it for each inner stage as
            well.
        up: ``"deconvolution"`` of 2×2 and stride 2; or ``"nearest"`` or ``"bilinear"``
            `Upscale` and a 2×2 convolution, which avoids checkerboard artefacts.
        dropout: Fraction of s dropped in training.
        activation: g, as for `ResidualBlock`.
        normalization: As for `ResidualBlock`; the paper uses None.
        place: As for `ResidualBlock`.
        name: Name in the network, in place of ``unetstage1``.

    Raises:
        ValueError: When an option is out of its range.
        ShapeError: When the input has no axes after its channels, a length is too short for
            ``"valid"``, or the inner network changes lengths by more than its padding.

    Reference:
        Ronneberger, Fischer, Brox, "U-Net: convolutional networks for biomedical image
        segmentation", 2015, figure 1.

    Example:
        >>> from neuropil.layers import Input
        >>> (Input(1, 45, 60) >> UNetStage(8, UNetStage(16, UNetStage(32)))).output_shape
        (8, 45, 60)
        >>> bottom = UNetStage(16, padding="valid")
        >>> UNetStage(8, bottom, padding="valid").output_shape((1, 44, 44))
        (8, 28, 28)
    """

    inner: Composable | None

    def __init__(
        self,
        filters: int,
        inner: Composable | None = None,
        *,
        padding: Padding = "same",
        up: Up = "deconvolution",
        dropout: float = 0.0,
        activation: Choice = "relu",
        normalization: Choice = "batch",
        place: Place = "before",
        name: str | None = None,
    ) -> None:
        super().__init__(activation, normalization, place, name)
        self.filters = whole(filters, "UNetStage: filters")
        # An option, not a child module: the block joins a copy of it.
        vars(self)["inner"] = None if inner is None else composable(inner, "UNetStage: inner")
        self.dropout = number(dropout, "UNetStage: dropout", "[0, 1)")
        self.padding: Padding = one_of(padding, "UNetStage: padding", ("same", "valid"))
        self.up = one_of(up, "UNetStage: up", UPS)

    @override
    def compose(self, shape: Shape) -> Composable:
        drop = [Dropout(self.dropout)] if self.dropout else []
        front = join(*self.pair(), *drop)
        if self.inner is None:
            return front
        # With "valid", pooling windows must not run over the end of the input.
        down = MaxPooling(2, ceil_mode=self.padding == "same")
        below = join(down, repeat(self.inner, 1), *self.doubling())
        across = Identity() | below
        return join(front, across, SkipConnection(self.padding), *self.pair())

    def pair(self) -> list[Network]:
        """Return two 3×3 convolutions in the style of the block."""
        around = 1 if self.padding == "same" else 0
        return [self.style.unit(self.filters, 3, padding=around) for _ in range(2)]

    def doubling(self) -> list[Composable]:
        """Return the layers that double the lengths and set the number of channels."""
        if self.up == "deconvolution":
            return [Deconvolution(self.filters, 2, stride=2, weight=HE)]
        return [Upscale(2, self.up), Convolution(self.filters, 2, padding="same", weight=HE)]


class SkipConnection(Merge):
    """Concatenate the skip connection and the upsampled features, cropped to equal lengths.

    Shape:
        ``(C, …)`` and ``(D, …)`` to ``(C + D, …)``, with the lengths of the shorter of both:
        the first with ``"same"``, the second with ``"valid"``; free axes stay free.

    Args:
        padding: ``"same"`` crops the upsampled features at the end; ``"valid"`` crops the skip
            connection at both ends, by one less at the start if the difference is odd.
        name: Name in the network.

    Raises:
        ValueError: When the padding is unknown.
        ShapeError: When the input to crop is the shorter one.

    Reference:
        "Copy and crop" of Ronneberger, Fischer, Brox, "U-Net", 2015.

    Example:
        >>> SkipConnection("valid").output_shape((8, 64, 64), (8, 56, 56))
        (16, 56, 56)
    """

    inputs_taken = (2, 2)

    def __init__(self, padding: Padding = "same", *, name: str | None = None) -> None:
        super().__init__(name=name)
        self.padding: Padding = one_of(padding, "SkipConnection: padding", ("same", "valid"))

    @override
    def output_shape(self, *input_shapes: Shape) -> Shape:
        self.axes(input_shapes)
        across, up = input_shapes
        spatial_rank(self, across)
        long, short = (up, across) if self.padding == "same" else (across, up)
        if any(a and b and a < b for a, b in zip(long[1:], short[1:], strict=True)):
            what = "upsampled" if self.padding == "same" else "skip"
            fix = "use the same padding in the inner network, and no strides"
            raise self.misfit(
                f"{what} features at least as long as the others", input_shapes, fix
            )
        if across[0] is None or up[0] is None:
            raise self.misfit("known channels", input_shapes, "give them in Input(…)")
        return (across[0] + up[0], *short[1:])

    # Both inputs count as aligned: with "valid", the receptive field of the upsampled features
    # contains that of the cropped ones with a margin on both sides, so the shift changes
    # nothing.

    @override
    def forward(self, across: Tensor, up: Tensor) -> Tensor:
        if self.padding == "same":
            up = crop(up, across)
        else:
            across = crop(across, up, centred=True)
        return torch.cat((across, up), 1)


def crop(x: Tensor, like: Tensor, *, centred: bool = False) -> Tensor:
    """Crop x to the lengths of another tensor along each axis."""
    over = [long - short for long, short in zip(x.shape[2:], like.shape[2:], strict=True)]
    starts = [each // 2 if centred else 0 for each in over]
    if torch.compiler.is_exporting():
        # A condition, and views of views, would be settled by the lengths of the example.
        pads = zip(reversed(starts), reversed(over), strict=True)
        return F.pad(x, [-cut for start, each in pads for cut in (start, each - start)])
    for axis, (start, each) in enumerate(zip(starts, over, strict=True), 2):
        if each:
            x = x.narrow(axis, start, like.shape[axis])
    return x
