"""The grid of a map's units: positions, distances and neighbours."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

TOPOLOGIES = ("rectangular", "hexagonal", "toroidal", "toroidal_hexagonal")
# The distance of the rows of a honeycomb whose cells are at distance 1.
ROW = math.sqrt(3) / 2


@final
@dataclass(frozen=True)
class Grid:
    """Units on a grid with any number of axes, or on a honeycomb; the edges may be joined.

    Attributes:
        sides: Units along each axis.
        topology: One of `TOPOLOGIES`; the toroidal ones have no border.
    """

    sides: tuple[int, ...]
    topology: str = "rectangular"

    @property
    def units(self) -> int:
        """The number of units; unit k is at ``np.unravel_index(k, sides)``."""
        return math.prod(self.sides)

    @property
    def hexagonal(self) -> bool:
        """Whether every unit has six neighbours, all at distance 1."""
        return self.topology.endswith("hexagonal")

    @property
    def toroidal(self) -> bool:
        """Whether the last unit of an axis is next to the first."""
        return self.topology.startswith("toroidal")

    @property
    def positions(self) -> NDArray[np.float64]:
        """Positions of the units; every other row of a honeycomb is shifted by half a cell."""
        # In the order of C, like all arrays for which loops are compiled.
        places = np.indices(self.sides).reshape(len(self.sides), -1).T
        places = places.astype(np.float64, order="C")
        if self.hexagonal:
            places[:, 1] += 0.5 * (places[:, 0] % 2)
            places[:, 0] *= ROW
        return places

    @property
    def periods(self) -> NDArray[np.float64]:
        """The period of each axis; infinite if the grid has a border."""
        if not self.toroidal:
            return np.full(len(self.sides), np.inf)
        return np.array(self.sides, np.float64) * ([ROW, 1] if self.hexagonal else 1)

    def apart(self, first: NDArray[Any], second: NDArray[Any]) -> NDArray[np.float64]:
        """Return the distance of units along each axis, the shorter way round.

        Args:
            first: Indices of units.
            second: Indices of units, broadcast against `first`.
        """
        positions = self.positions
        steps = np.abs(positions[first] - positions[second])
        # On a torus the way round the border may be shorter; with a border the period is
        # infinite.
        return np.minimum(steps, self.periods - steps)

    def squared_distances(self, units: NDArray[Any]) -> NDArray[np.float64]:
        """Return the squared distances of some units to all units.

        Args:
            units: Indices of units.
        """
        everyone = np.arange(self.units)
        return (self.apart(units[:, None], everyone) ** 2).sum(axis=-1)

    def adjacent(self, first: NDArray[Any], second: NDArray[Any]) -> NDArray[np.bool_]:
        """Tell which pairs are neighbours: six around a hexagonal cell, eight around a square.

        Args:
            first: Indices of units.
            second: Indices of units, in the same shape.
        """
        steps = self.apart(first, second)
        near = (steps**2).sum(-1) < 1.5 if self.hexagonal else steps.max(-1) < 1.5
        return near & (first != second)

    def edges(self) -> NDArray[np.int64]:
        """Return each pair of neighbours once, the smaller index first."""
        places = np.indices(self.sides).reshape(len(self.sides), -1).T
        pairs = [np.empty((0, 2), np.int64)]
        for offset in itertools.product((-1, 0, 1), repeat=len(self.sides)):
            there = places + offset
            inside = (there >= 0) & (there < self.sides)
            met = np.ones(self.units, bool) if self.toroidal else inside.all(axis=1)
            others = np.ravel_multi_index(tuple(there[met].T), self.sides, mode="wrap")
            pairs.append(np.stack([np.flatnonzero(met), others], axis=1))
        first, second = np.concatenate(pairs).T
        pair = (first < second) & self.adjacent(first, second)
        return np.unique(np.stack([first[pair], second[pair]], axis=1), axis=0)
