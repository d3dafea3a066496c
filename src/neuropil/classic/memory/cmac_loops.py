"""The compiled loops of CMAC: the cells of an input, and their training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neuropil.classic.compiled import compile_loop

if TYPE_CHECKING:
    from neuropil.classic.base import Floats

    Integers = np.ndarray[Any, Any]

EMPTY = np.int32(-1)


@compile_loop()
def mix(tile: Integers) -> np.uint64:
    """Return a 64-bit hash of a tile's integers."""
    value = np.uint64(0x9E3779B97F4A7C15)
    for number in tile:
        value ^= np.uint64(np.int64(number)) & np.uint64(0xFFFFFFFF)
        value *= np.uint64(0xFF51AFD7ED558CCD)
        value ^= value >> np.uint64(32)
        value *= np.uint64(0xC4CEB9FE1A85EC53)
        value ^= value >> np.uint64(29)
    return value


@compile_loop()
def fill_tile(
    levels: Integers, tiling: int, width: int, shifts: Integers, tile: Integers
) -> None:
    """Fill in the tile of a tiling that holds a row of levels; the tiling's number is last."""
    for column in range(levels.shape[0]):
        # Tiling t is displaced by t times the column's shift, modulo the width of a tile.
        shift = tiling * shifts[column] % width
        tile[column] = (levels[column] + shift) // width
    tile[levels.shape[0]] = tiling


@compile_loop()
def hashed_cells(
    levels: Integers, width: int, shifts: Integers, size: int, cells: Integers
) -> None:
    """Fill the cells (rows, tilings) of each row: hashes below `size`."""
    tile = np.empty(levels.shape[1] + 1, np.int32)
    for row in range(levels.shape[0]):
        for tiling in range(width):
            fill_tile(levels[row], tiling, width, shifts, tile)
            cells[row, tiling] = np.int32(mix(tile) % np.uint64(size))


@compile_loop()
def find(tile: Integers, tiles: Integers, slots: Integers) -> np.int64:
    """Return the slot of a tile in a hash table, or the empty slot where it belongs."""
    # Open addressing with linear probing; the number of slots is a power of 2, so that the mask
    # replaces a division.
    mask = np.uint64(slots.shape[0] - 1)
    slot = mix(tile) & mask
    while slots[slot] != EMPTY:
        known = tiles[slots[slot]]
        same = True
        for column in range(tile.shape[0]):
            if known[column] != tile[column]:
                same = False
                break
        if same:
            break
        slot = (slot + np.uint64(1)) & mask
    return np.int64(slot)


@compile_loop()
def known_cells(
    levels: Integers,
    width: int,
    shifts: Integers,
    tiles: Integers,
    slots: Integers,
    cells: Integers,
) -> None:
    """Fill in the cells of each row; −1 for tiles never seen in training."""
    tile = np.empty(levels.shape[1] + 1, np.int32)
    for row in range(levels.shape[0]):
        for tiling in range(width):
            fill_tile(levels[row], tiling, width, shifts, tile)
            cells[row, tiling] = slots[find(tile, tiles, slots)]


@compile_loop()
def new_cells(
    levels: Integers,
    width: int,
    shifts: Integers,
    tiles: Integers,
    slots: Integers,
    count: int,
    cells: Integers,
) -> int:
    """Fill in the cells of each row, numbering new tiles; return the number of tiles.

    `tiles` must have room for rows × tilings more, and `slots` for twice all tiles.
    """
    tile = np.empty(levels.shape[1] + 1, np.int32)
    for row in range(levels.shape[0]):
        for tiling in range(width):
            fill_tile(levels[row], tiling, width, shifts, tile)
            slot = find(tile, tiles, slots)
            if slots[slot] == EMPTY:
                tiles[count] = tile
                slots[slot] = count
                count += 1
            cells[row, tiling] = slots[slot]
    return count


@compile_loop()
def fill_slots(tiles: Integers, count: int, slots: Integers) -> None:
    """Insert the known tiles into an empty table."""
    for number in range(count):
        slots[find(tiles[number], tiles, slots)] = number


@compile_loop()
def train(
    cells: Integers, targets: Floats, order: Integers, weights: Floats, lr: float
) -> float:
    """Correct the cells of one row after the other; return the sum of squared errors.

    Args:
        cells: The cells of each row, (rows, tilings).
        targets: (rows, outputs).
        order: The order of the rows.
        weights: (cells, outputs); changed.
        lr: The fraction of a row's error that a step corrects.
    """
    # Each row is a vector of C ones, of squared length C: the normalised rule of Widrow and
    # Hoff, which converges for 0 < lr < 2.
    rate = lr / cells.shape[1]
    total = 0.0
    for row in order:
        for output in range(targets.shape[1]):
            answer = 0.0
            for cell in cells[row]:
                answer += weights[cell, output]
            error = targets[row, output] - answer
            total += error * error
            for cell in cells[row]:
                weights[cell, output] += rate * error
    return total


@compile_loop()
def answers(cells: Integers, weights: Floats, out: Floats) -> None:
    """Sum the cells of each row; −1, a tile never seen in training, adds nothing."""
    for row in range(cells.shape[0]):
        for output in range(weights.shape[1]):
            total = 0.0
            for cell in cells[row]:
                if cell >= 0:
                    total += weights[cell, output]
            out[row, output] = total
