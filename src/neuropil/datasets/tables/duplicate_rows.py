"""Rows that are both in the training part and in a held-out part."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from neuropil.datasets.splits import duplicates_in_words

if TYPE_CHECKING:
    from torch import Tensor

    from neuropil.datasets.dataset import Dataset

Array = np.ndarray[Any, Any]

CHUNK = 1 << 17
"""Number of words that are hashed at once: they stay in the cache of the processor."""
FIRST_BITS = 24
"""Number of first bits of a hash that rule out most rows."""
MIXING = np.uint64(0x9E3779B97F4A7C15)
"""An odd number whose bits are evenly mixed: 2⁶⁴ divided by the golden ratio."""


def note_duplicates(train: Dataset, held_out: dict[str, Dataset], notes: list[str]) -> None:
    """Add a note about held-out rows that equal a training row, inputs and target alike.

    Args:
        train: The training rows.
        held_out: The other parts by name.
        notes: Gains a line if there are such rows.
    """
    known = hash_rows(train)
    counts = {name: count_duplicates(train, known, part) for name, part in held_out.items()}
    words = duplicates_in_words(counts, held_out, "row")
    if words is not None:
        notes.append(
            f"{words} in all columns used, which makes the figures too optimistic. Remove "
            "repeated rows, or set split_by= to a column that equal rows share."
        )


def count_duplicates(train: Dataset, known: Array, held_out: Dataset) -> int:
    """Return the number of held-out rows that equal a training row.

    Rows with equal hashes are compared, so that the count is exact.

    Args:
        train: The training rows.
        known: Their hashes.
        held_out: Other rows.
    """
    wanted = hash_rows(held_out)
    some = np.flatnonzero(may_be_among(wanted, known))
    others = np.flatnonzero(may_be_among(known, wanted[some]))
    places = pc.index_in(pa.array(wanted[some]), value_set=pa.array(known[others]))
    alike = some[places.is_valid().to_numpy(zero_copy_only=False)]
    rows = others[places.drop_null().to_numpy(zero_copy_only=False)]
    return int(equal_rows(train, rows, held_out, alike).sum())


def may_be_among(hashes: Array, known: Array) -> Array:
    """Return whether each hash begins like a known one: faster to find than equality."""
    first = np.uint64(64 - FIRST_BITS)
    table = np.zeros(1 << FIRST_BITS, bool)
    table[known >> first] = True
    return table[hashes >> first]


def hash_rows(data: Dataset) -> Array:
    """Return a hash of the inputs and the target of each row; equal rows have equal hashes.

    The hash is ``Σ_j k_j m(x_j) mod 2⁶⁴`` over words of 64 bits, with random odd numbers k; m
    mixes the bits of a word, since the last bits of most numbers are zeros.
    """
    arrays = [values_of(tensor) for tensor in (data.inputs, data.targets) if tensor is not None]
    random = np.random.default_rng(0)
    hashes = np.zeros(len(data), np.uint64)
    for array in arrays:
        halves = array.itemsize // 4 * array.shape[1]
        words = (halves + 1) // 2
        keys = random.integers(0, 1 << 63, words, np.uint64) << np.uint64(1) | np.uint64(1)
        step = max(1, CHUNK // max(1, words))
        block = np.zeros((step, 2 * words), np.uint32)
        for start in range(0, len(array), step):
            rows = array[start : start + step] + array.dtype.type(0)  # −0 becomes 0
            block[: len(rows), :halves] = rows.view(np.uint32)
            mixed = block[: len(rows)].view(np.uint64) * MIXING
            mixed ^= mixed >> np.uint64(32)
            mixed *= keys
            hashes[start : start + step] += np.add.reduce(mixed, axis=1)
    return hashes


def values_of(tensor: Tensor) -> Array:
    """Return a tensor as an array with one row per example."""
    return np.ascontiguousarray(
        tensor.flatten(1).numpy() if tensor.ndim > 1 else tensor.numpy()[:, None]
    )


def equal_rows(first: Dataset, rows: Array, second: Dataset, others: Array) -> Array:
    """Return whether each row of a dataset equals its counterpart in another."""
    equal = np.ones(len(rows), bool)
    for one, other in ((first.inputs, second.inputs), (first.targets, second.targets)):
        if one is not None and other is not None:
            equal &= (values_of(one)[rows] == values_of(other)[others]).all(axis=1)
    return equal
