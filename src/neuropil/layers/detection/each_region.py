"""A network applied to each region of a picture on its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from neuropil.checks import shown
from neuropil.core import Layer, Shape, ShapeError
from neuropil.layers.layer_options import composable, known_count
from neuropil.layers.mixing.gate import Part

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from neuropil.core.layer import Composable


class EachRegion(Layer):
    """Apply one network, with the same weights, to each region of a picture.

    yᵣ = f(xᵣ). Batch normalisation inside sees all regions of all pictures as one batch.

    Shape:
        ``(R, …)`` to ``(R, …)``, as the network takes and gives each region.

    Args:
        network: A layer or network without an `Input`, which is copied.
        name: Name in the network, in place of ``eachregion1``.

    Raises:
        ShapeError: When the network does not take a region.

    Example:
        >>> from neuropil.layers import Convolution, GlobalPooling
        >>> layer = EachRegion(Convolution(8, 3) >> GlobalPooling())
        >>> layer.output_shape((100, 3, 32, 32))
        (100, 8)
    """

    channels_first = False

    def __init__(self, network: Composable, *, name: str | None = None) -> None:
        super().__init__(name=name)
        self._modules["network"] = Part(composable(network, "EachRegion: network"))

    @property
    def part(self) -> Any:
        """The network as a layer."""
        return self._modules["network"]

    @override
    def output_shape(self, shape: Shape) -> Shape:
        if len(shape) < 2:
            raise self.refuse("regions (R, …)", shape, "put RoiAlign(…) before it")
        try:
            return (shape[0], *self.part.output_shape(shape[1:]))
        except ShapeError as error:
            raise ShapeError(f"in {shown(self)}: {error}") from None

    @override
    def parameter_shapes(self, shape: Shape) -> dict[str, tuple[int, ...]]:
        self.output_shape(shape)
        return {
            f"network.{name}": size
            for name, size in self.part.parameter_shapes(shape[1:]).items()
        }

    @override
    def multiply_adds(self, shape: Shape) -> int:
        return known_count(self, shape[:1]) * self.part.multiply_adds(shape[1:])

    @override
    def reaches(self, *_: Shape) -> None:
        return None

    @override
    def build(self, *input_shapes: Shape) -> None:
        if self.built_for is not None:
            self.check_built(*input_shapes)
            return
        self.part.build(*(shape[1:] for shape in input_shapes))
        self.set_built(*input_shapes)

    @override
    def check_built(self, *input_shapes: Shape) -> None:
        self.part.check_built(*(shape[1:] for shape in input_shapes))

    @override
    def reset_parameters(self, generator: Generator | None = None) -> None:
        self.part.reset_parameters(generator)

    @override
    def forward(self, x: Tensor) -> Tensor:
        return self.part(x.flatten(0, 1)).unflatten(0, x.shape[:2])
