"""Layers whose weights hold several maps one below the other: gates, or queries and keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn
from typing_extensions import override

from neuropil.core import Layer

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from neuropil.core.layer import Initializer


class Stacked(Layer):
    """What layers share that keep several maps in one weight, for one matrix product.

    Each of the maps is drawn by itself, so that its fans are its own. A subclass gives
    `maps_in` and, where it likes, `initializer_of`.

    Args:
        name: Name in the network.
    """

    def maps_in(self, name: str) -> int:
        """Return how many maps a parameter holds."""
        raise NotImplementedError

    def initializer_of(self, name: str) -> Initializer | None:
        """Return what a parameter starts from; None for zeros."""
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
            # Detached: autograd lets nobody write to one of several views.
            for part in rows(parameter.detach(), self.maps_in(name)):
                initializer(part, generator)


def rows(weight: Tensor, maps: int) -> list[Tensor]:
    """Return views of the maps that a weight or bias holds."""
    return list(weight.chunk(maps))
