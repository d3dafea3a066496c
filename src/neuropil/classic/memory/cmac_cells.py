"""The cells of CMAC: hashed into a fixed number, or one for each tile that was ever touched."""

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
    """A fixed number of cells; tiles that fall together share one.

    Args:
        columns: Columns of the input.
        width: Number of tilings, and levels in a tile.
        count: How many cells there are.
    """

    def __init__(self, columns: int, width: int, count: int) -> None:
        self.width, self.shifts, self.count = width, shifts(columns, width), count

    def touch(self, levels: Integers) -> Integers:
        """Return the cells (rows, tilings) of rows that are learnt."""
        cells = np.empty((len(levels), self.width), np.int32)
        hashed_cells(levels, self.width, self.shifts, self.count, cells)
        return cells

    def known(self, levels: Integers) -> Integers:
        """Return the cells of rows that are asked about."""
        return self.touch(levels)


class ExactCells:
    """One cell for each tile that training has touched, in a table that grows.

    Args:
        columns: Columns of the input.
        width: Number of tilings, and levels in a tile.
        tiles: The tiles touched so far, each once, in the order of their cells.
    """

    def __init__(self, columns: int, width: int, tiles: Integers | None = None) -> None:
        self.width, self.shifts = width, shifts(columns, width)
        self.tiles = np.empty((0, columns + 1), np.int32) if tiles is None else tiles
        self.count = len(self.tiles)
        self.slots = np.full(1 << (4 * self.count + 1).bit_length(), EMPTY)
        fill_slots(self.tiles, self.count, self.slots)

    def touch(self, levels: Integers) -> Integers:
        """Return the cells (rows, tilings) of rows that are learnt; new tiles get new ones."""
        cells = np.empty((len(levels), self.width), np.int32)
        # In pieces, so that room for new tiles is never much more than there are tiles.
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
        """Return the cells of rows that are asked about; −1 for tiles never touched."""
        cells = np.empty((len(levels), self.width), np.int32)
        known_cells(levels, self.width, self.shifts, self.tiles, self.slots, cells)
        return cells

    def make_room(self, more: int) -> None:
        """Provide for so many new tiles."""
        needed = self.count + more
        if needed > len(self.tiles):
            tiles = np.empty((2 * needed, self.tiles.shape[1]), np.int32)
            tiles[: self.count] = self.tiles[: self.count]
            self.tiles = tiles
        if 2 * needed > len(self.slots):
            self.slots = np.full(1 << (4 * needed).bit_length(), EMPTY)
            fill_slots(self.tiles, self.count, self.slots)


def shifts(columns: int, width: int) -> Integers:
    """Return by how many levels each tiling is shifted against the one before, per column.

    Different odd numbers without a common divisor with the width: along every column the
    tilings then stand at all positions, but not along the diagonal, as equal shifts would.
    """
    odd = [number for number in range(1, 2 * width, 2) if gcd(number, width) == 1] or [1]
    return np.array([odd[column % len(odd)] for column in range(columns)], np.int64)
