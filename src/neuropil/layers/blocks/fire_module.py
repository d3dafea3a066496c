"""SqueezeNet's block: fewer channels before the 3×3 filters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from typing_extensions import override

from neuropil.checks import one_of, whole
from neuropil.core import Layer, Shape, ShapeError, join
from neuropil.layers.blocks.block_style import HE, Choice, Place, StyledBlock
from neuropil.layers.convolution.convolution import Convolution
from neuropil.layers.mixing.merge import Concatenate, Elementwise
from neuropil.layers.rearrange import Identity

if TYPE_CHECKING:
    from neuropil.core.layer import Composable

Bypass: TypeAlias = Literal["auto", "identity", "projection"]
BYPASSES = ("auto", "identity", "projection", None)


class FireModule(StyledBlock):
    """Squeeze to few channels by 1×1 filters, then expand by 1×1 and by 3×3 filters.

    s = g(W₁ x); y = [g(W₂ s), g(W₃ ∗ s)], the channels of both concatenated. With a shortcut, x
    or a projection of it is added to y, without an activation after the sum.

    Shape:
        ``(C, H, W)`` to ``(expand1 + expand3, H, W)``. Without normalisation
        (C + 1)·S + (S + 1)·E₁ + (9·S + 1)·E₃ parameters, S = squeeze; a projection adds
        (C + 1)·(E₁ + E₃).

    Args:
        squeeze: Number S of channels in between.
        expand1: Number E₁ of 1×1 filters after them.
        expand3: Number E₃ of 3×3 filters after them.
        activation: g, as for `ResidualBlock`.
        normalization: As for `ResidualBlock`; None, as in the paper, by default.
        place: As for `ResidualBlock`.
        shortcut: None; ``"identity"``, the paper's simple bypass; ``"projection"``, a 1×1
            convolution; ``"auto"``, the identity where it fits and a projection elsewhere, the
            paper's complex bypass.
        name: Name in the network, in place of ``firemodule1``.

    Raises:
        ValueError: When an option is out of its range.
        ShapeError: When the input is not an image, or ``shortcut="identity"`` does not fit.

    Reference:
        Iandola, Han, Moskewicz, Ashraf, Dally, Keutzer, "SqueezeNet: AlexNet-level accuracy
        with 50x fewer parameters", 2016, section 3.2; bypasses: section 6.

    Example:
        >>> from neuropil.layers import Input
        >>> (Input(96, 54, 54) >> FireModule(16, 64, 64)).output_shape
        (128, 54, 54)
        >>> shapes = FireModule(16, 64, 64).parameter_shapes((96, 54, 54))
        >>> shapes["convolution1.weight"], shapes["convolution3.weight"]
        ((16, 96, 1, 1), (64, 16, 3, 3))
    """

    def __init__(
        self,
        squeeze: int,
        expand1: int,
        expand3: int,
        *,
        activation: Choice = "relu",
        normalization: Choice = None,
        place: Place = "before",
        shortcut: Bypass | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(activation, normalization, place, name)
        self.squeeze = whole(squeeze, "FireModule: squeeze")
        self.expand1 = whole(expand1, "FireModule: expand1")
        self.expand3 = whole(expand3, "FireModule: expand3")
        self.shortcut = one_of(shortcut, "FireModule: shortcut", BYPASSES)

    @override
    def compose(self, shape: Shape) -> Composable:
        unit = self.style.unit
        body = join(
            unit(self.squeeze, 1),
            unit(self.expand1, 1) | unit(self.expand3, 3),
            Concatenate(),
        )
        if self.shortcut is None:
            return body
        return (body | self.shortcut_layer(shape)) >> Elementwise("add")

    def shortcut_layer(self, shape: Shape) -> Layer:
        """Return the layer of the shortcut.

        Raises:
            ShapeError: When the shortcut is the identity and the channels differ.
        """
        filters = self.expand1 + self.expand3
        fits = shape[0] == filters
        if self.shortcut == "projection" or (self.shortcut == "auto" and not fits):
            return Convolution(filters, 1, weight=HE)
        if fits:
            return Identity()
        raise ShapeError(
            f"shortcut='identity' needs {filters} channels, got {shape[0]}: take 'auto' or "
            f"'projection'"
        )
