"""Layers with several maps stacked in one weight, such as gates, or queries and keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn
from typing_extensions import override

from neuropil.core import Layer

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from neuropil.core.layer import Initializer


class StackedWeights(Layer):
    """Base class of layers that stack several maps in one weight, for a single matrix product.

    Each map is initialised separately, with its own fans. A subclass defines `maps_in` and may
    override `initializer_of`.

    Args:
        name: Name in the network.
    """

    def maps_in(self, name: str) -> int:
        """Return the number of maps in a parameter."""
        raise NotImplementedError

    def initializer_of(self, name: str) -> Initializer | None:
        """Return the initialiser of a parameter; None for zeros."""
        return self.initializers.get(name)

    @override
    def reset_parameters(self, generator: Generator | None = None) -> None:
        for name, parameter in self._parameters.items():
            if parameter is None or parameter.is_meta:
                continue
            initializer = self.initializer_of(name)
            if initializer is None:
                nn.init.zeros_(parameter)
                continue
            # Detached: autograd forbids in-place writes to one of several views.
            for part in rows(parameter.detach(), self.maps_in(name)):
                initializer(part, generator)


def rows(weight: Tensor, maps: int) -> list[Tensor]:
    """Return views of the maps in a weight or bias."""
    return list(weight.chunk(maps))
