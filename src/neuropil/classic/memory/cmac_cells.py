"""The cells of CMAC: a fixed number by hashing, or one for each tile seen in training."""

from __future__ import annotations

from math import gcd
from typing import TYPE_CHECKING

import numpy as np

from neuropil.classic.memory.cmac_loops import (
    EMPTY,
    fill_slots,
    hashed_cells,
    known_cells,
    new_cells,
)

if TYPE_CHECKING:
    from neuropil.classic.memory.cmac_loops import Integers


class HashedCells:
    """A fixed number of cells; tiles with the same hash share one.

    Args:
        columns: Columns of the input.
        width: Number of tilings, and of levels per tile.
        count: Number of cells.
    """

    def __init__(self, columns: int, width: int, count: int) -> None:
        self.width, self.shifts, self.count = width, shifts(columns, width), count

    def touch(self, levels: Integers) -> Integers:
        """Return the cells (rows, tilings) of training rows."""
        cells = np.empty((len(levels), self.width), np.int32)
        hashed_cells(levels, self.width, self.shifts, self.count, cells)
        return cells

    def known(self, levels: Integers) -> Integers:
        """Return the cells (rows, tilings) of rows to predict."""
        return self.touch(levels)


class ExactCells:
    """One cell for each tile seen in training, in a table that grows.

    Args:
        columns: Columns of the input.
        width: Number of tilings, and of levels per tile.
        tiles: The tiles seen so far, each once, in the order of their cells.
    """

    def __init__(self, columns: int, width: int, tiles: Integers | None = None) -> None:
        self.width, self.shifts = width, shifts(columns, width)
        self.tiles = np.empty((0, columns + 1), np.int32) if tiles is None else tiles
        self.count = len(self.tiles)
        self.slots = np.full(1 << (4 * self.count + 1).bit_length(), EMPTY)
        fill_slots(self.tiles, self.count, self.slots)

    def touch(self, levels: Integers) -> Integers:
        """Return the cells (rows, tilings) of training rows; new tiles get new cells."""
        cells = np.empty((len(levels), self.width), np.int32)
        # In pieces, so that the memory reserved for new tiles stays proportional to the tiles.
        start = 0
        while start < len(levels):
            piece = slice(start, start + max(64, self.count // self.width))
            self.make_room(len(levels[piece]) * self.width)
            self.count = new_cells(
                levels[piece],
                self.width,
                self.shifts,
                self.tiles,
                self.slots,
                self.count,
                cells[piece],
            )
            start = piece.stop
        return cells

    def known(self, levels: Integers) -> Integers:
        """Return the cells (rows, tilings) of rows to predict; −1 for tiles never seen."""
        cells = np.empty((len(levels), self.width), np.int32)
        known_cells(levels, self.width, self.shifts, self.tiles, self.slots, cells)
        return cells

    def make_room(self, more: int) -> None:
        """Reserve memory for a number of new tiles."""
        needed = self.count + more
        if needed > len(self.tiles):
            tiles = np.empty((2 * needed, self.tiles.shape[1]), np.int32)
            tiles[: self.count] = self.tiles[: self.count]
            self.tiles = tiles
        if 2 * needed > len(self.slots):
            self.slots = np.full(1 << (4 * needed).bit_length(), EMPTY)
            fill_slots(self.tiles, self.count, self.slots)


def shifts(columns: int, width: int) -> Integers:
    """Return the shift between successive tilings in levels, per column.

    The shifts are different odd numbers coprime to the width: along every column the tilings
    then take all positions, but do not line up along the diagonal, as with equal shifts.
    """
    odd = [number for number in range(1, 2 * width, 2) if gcd(number, width) == 1] or [1]
    return np.array([odd[column % len(odd)] for column in range(columns)], np.int64)
