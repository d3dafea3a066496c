"""The grid that the units of a map stand on: places, distances, neighbours."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

TOPOLOGIES = ("rectangular", "hexagonal", "toroidal", "toroidal_hexagonal")
# Rows of a honeycomb of cells one apart are this far from each other.
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
        """How many units there are; unit k stands at ``np.unravel_index(k, sides)``."""
        return math.prod(self.sides)

    @property
    def hexagonal(self) -> bool:
        """Whether every unit has six neighbours, all one away."""
        return self.topology.endswith("hexagonal")

    @property
    def toroidal(self) -> bool:
        """Whether the last unit of an axis is beside the first."""
        return self.topology.startswith("toroidal")

    @property
    def positions(self) -> NDArray[np.float64]:
        """Where each unit stands; every other row of a honeycomb is moved by half a cell."""
        places = np.indices(self.sides).reshape(len(self.sides), -1).T.astype(np.float64)
        if self.hexagonal:
            places[:, 1] += 0.5 * (places[:, 0] % 2)
            places[:, 0] *= ROW
        return places

    @property
    def periods(self) -> NDArray[np.float64]:
        """How far one must go along each axis to be back; infinite where there is a border."""
        if not self.toroidal:
            return np.full(len(self.sides), np.inf)
        return np.array(self.sides, np.float64) * ([ROW, 1] if self.hexagonal else 1)

    def apart(self, first: NDArray[Any], second: NDArray[Any]) -> NDArray[np.float64]:
        """Return how far units are from each other along each axis, the shorter way round.

        Args:
            first: Numbers of units.
            second: Numbers of units, of a shape that goes with that of `first`.
        """
        positions = self.positions
        steps = np.abs(positions[first] - positions[second])
        return np.minimum(steps, self.periods - steps)

    def squared_distances(self, units: NDArray[Any]) -> NDArray[np.float64]:
        """Return the squared distances of some units to all.

        Args:
            units: Numbers of units.
        """
        everyone = np.arange(self.units)
        return (self.apart(units[:, None], everyone) ** 2).sum(axis=-1)

    def adjacent(self, first: NDArray[Any], second: NDArray[Any]) -> NDArray[np.bool_]:
        """Return which pairs are neighbours: six around a cell, eight around a square.

        Args:
            first: Numbers of units.
            second: As many.
        """
        steps = self.apart(first, second)
        near = (steps**2).sum(-1) < 1.5 if self.hexagonal else steps.max(-1) < 1.5
        return near & (first != second)

    def edges(self) -> NDArray[np.int64]:
        """Return each pair of neighbours once, the smaller number first."""
        places = np.indices(self.sides).reshape(len(self.sides), -1).T
        pairs = [np.empty((0, 2), np.int64)]
        for offset in itertools.product((-1, 0, 1), repeat=len(self.sides)):
            there = places + offset
            inside = (there >= 0) & (there < self.sides)
            met = np.ones(self.units, bool) if self.toroidal else inside.all(axis=1)
            others = np.ravel_multi_index(tuple(there[met].T), self.sides, mode="wrap")
            pairs.append(np.stack([np.flatnonzero(met), others], axis=1))
        first, second = np.concatenate(pairs).T
        kept = (first < second) & self.adjacent(first, second)
        return np.unique(np.stack([first[kept], second[kept]], axis=1), axis=0)
