"""Network in network: a small network replaces each filter's affine map."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from neuropil.checks import whole
from neuropil.core import Network, Shape, join
from neuropil.layers.blocks.block_style import Choice, Place, StyledBlock

if TYPE_CHECKING:
    from neuropil.core.layer import Composable
    from neuropil.core.window import Padding


class NiNBlock(StyledBlock):
    """A convolution and two 1×1 ones: a three-layer perceptron at every position of an image.

    y = g(W₃ g(W₂ g(W₁ ∗ x))): the outputs of W₁'s filters at each position pass through two
    more layers, the same at all positions ("mlpconv").

    Shape:
        ``(C, H, W)`` to ``(K₃, …)``, each axis as in `Convolution`. Without normalisation
        (F·F·C + 1)·K₁ + (K₁ + 1)·K₂ + (K₂ + 1)·K₃ parameters.

    Args:
        filters: Output channels K of all three, or (K₁, K₂, K₃).
        kernel_size: Filter length F of the first, one number or one per axis.
        stride: Step of the first, one number or one per axis.
        padding: Padding of the first, as for `Convolution`.
        activation: g, as for `ResidualBlock`.
        normalization: As for `ResidualBlock`; None, as in the paper, by default.
        place: As for `ResidualBlock`.
        name: Name in the network, in place of ``ninblock1``.

    Raises:
        ValueError: When an option is out of its range.
        ShapeError: When the input has no axes after the channels, or one that is too short.

    Reference:
        Lin, Chen, Yan, "Network in network", 2014, section 3.1.

    Example:
        >>> from neuropil.layers import Input
        >>> (Input(3, 224, 224) >> NiNBlock(96, 11, stride=4)).output_shape
        (96, 54, 54)
        >>> NiNBlock((192, 160, 96), 5, padding="same").output_shape((3, 32, 32))
        (96, 32, 32)
    """

    def __init__(
        self,
        filters: int | tuple[int, int, int],
        kernel_size: int | tuple[int, ...],
        *,
        stride: int | tuple[int, ...] = 1,
        padding: Padding = "valid",
        activation: Choice = "relu",
        normalization: Choice = None,
        place: Place = "before",
        name: str | None = None,
    ) -> None:
        super().__init__(activation, normalization, place, name)
        given = filters if isinstance(filters, tuple | list) else (filters,) * 3
        if len(given) != 3:
            raise ValueError(f"NiNBlock: filters must be one number or three, got {filters!r}.")
        self.filters = [whole(each, "NiNBlock: filters") for each in given]
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding: Padding = padding
        try:
            self.first()
        except ValueError as error:
            raise ValueError(f"NiNBlock: {error}") from None

    def first(self) -> Network:
        """Return the first convolution, in the style of the block."""
        return self.style.unit(
            self.filters[0], self.kernel_size, stride=self.stride, padding=self.padding
        )

    @override
    def compose(self, shape: Shape) -> Composable:
        return join(self.first(), *(self.style.unit(each, 1) for each in self.filters[1:]))
