"""Encoder of a column with many words, by feature hashing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from typing_extensions import override

from neuropil.datasets.plain_fields import field, flag, text
from neuropil.datasets.tables.cells import missing_cells
from neuropil.datasets.tables.columns.column import Column
from neuropil.text import number_of

if TYPE_CHECKING:
    from neuropil.datasets.tables.table import Table

PLACES = 4
"""Number of features that each word has; two words rarely share all of them."""
MAX_WIDTH = 1 << 16


def is_width(value: Any) -> bool:
    """Return whether a value is a number of features."""
    return type(value) is int and PLACES <= value <= MAX_WIDTH


@final
@dataclass(frozen=True)
class HashedColumn(Column):
    """A column with many words, encoded by feature hashing.

    The encoding of a word is ``Σ_j s_j(w) e_{h_j(w)} / √4``, for j = 1 … 4: BLAKE2b gives each
    word four of the features with a sign each, the same in every process. A word that is absent
    from the training rows is encoded like the others.

    Shape:
        ``(N, width)``, and one more with an indicator that is 1 for missing cells.

    Args:
        name: Name of the column.
        width: Number of features for all words.
        indicator: Whether there is an indicator; True if training rows lack the value.

    Reference:
        Weinberger, Dasgupta, Langford, Smola and Attenberg, "Feature Hashing for Large Scale
        Multitask Learning", 2009; a word has several features, as in its section on multiple
        hashing.

    Example:
        >>> from neuropil.datasets import HashedColumn, Table
        >>> city = HashedColumn("city", 8, indicator=False)
        >>> city.encode(Table.of({"city": ["Oslo", "Rome", "?"]}), [])
        array([[ 0.5,  0. ,  0. ,  0.5,  0. ,  0. , -1. ,  0. ],
               [ 0. ,  0. , -0.5,  0. ,  0. ,  0.5,  0. ,  0. ],
               [ 0. ,  0. ,  0. ,  0. ,  0. ,  0. ,  0. ,  0. ]], dtype=float32)
    """

    kind: ClassVar[str] = "hashed"
    readers: ClassVar = {
        "name": text,
        "width": partial(
            field, expected=f"a whole number from {PLACES} to {MAX_WIDTH:,}", accept=is_width
        ),
        "indicator": flag,
    }

    name: str
    width: int
    indicator: bool

    @property
    @override
    def features(self) -> list[str]:
        names = [f"{self.name} (hash {place})" for place in range(self.width)]
        return [*names, f"{self.name} missing"] if self.indicator else names

    @override
    def encode(self, table: Table, notes: list[str]) -> np.ndarray[Any, Any]:
        """Return the hashed cells of the column; missing cells are zeros.

        Args:
            table: Table with the column.
            notes: Gains a line if values are missing, but none was in the training rows.
        """
        cells = table.text(self.name)
        missing = missing_cells(cells).to_numpy(zero_copy_only=False).astype(bool)
        if missing.any() and not self.indicator:
            notes.append(
                f"{self.name!r} is missing in {number_of(int(missing.sum()), 'row')}, but "
                "never in the training rows: encoded as zeros."
            )
        distinct = pc.dictionary_encode(cells)
        hashes = hash_words(distinct.dictionary)[distinct.indices.to_numpy()]
        encoded = np.zeros((len(cells), len(self.features)), np.float32)
        every = np.arange(len(cells))
        for number in hashes.T:
            sign = np.where(number & 1, 1, -1) / PLACES**0.5
            encoded[every, (number >> 1) % self.width] += sign
        encoded[missing] = 0
        if self.indicator:
            encoded[:, -1] = missing
        return encoded


def hash_words(words: pa.StringArray) -> np.ndarray[Any, Any]:
    """Return `PLACES` numbers of 32 bits for each word."""
    size = 4 * PLACES
    digests = (blake2b(word.encode(), digest_size=size).digest() for word in words.to_pylist())
    return np.frombuffer(b"".join(digests), "<u4").reshape(-1, PLACES).astype(np.int64)
