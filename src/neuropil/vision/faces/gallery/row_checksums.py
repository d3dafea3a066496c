"""Checksums of the rows of a matrix, whose sum can be kept up to date row by row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MODULUS = 2**64


def row_checksums(
    rows: NDArray[np.int64], until: NDArray[np.float64], templates: NDArray[np.float32]
) -> int:
    r"""Return the sum of the checksums of some rows, from −2⁶³ to 2⁶³ − 1.

    $$ s = \sum_r (2r + 1) \sum_j c_j w_{rj} \bmod 2^{64} $$

    where the words w of a row are the bits of its time and of its template, and the factors c
    are odd. A row of zeros adds 0. Each bit counts, and so does the row's number: two rows that
    have changed places give another sum. It finds damage and mistakes, not forgery.

    Args:
        rows: Numbers of the rows.
        until: When each row's consent ends.
        templates: One template a row, of an even size.

    Shape:
        (N,), (N,) and (N, D) → a number.

    Example:
        >>> rows, until = np.arange(2), np.array([np.inf, 0.0])
        >>> both = row_checksums(rows, until, np.array([[0.6, 0.8], [0, 0]], "f4"))
        >>> both == row_checksums(rows[:1], until[:1], np.array([[0.6, 0.8]], "f4"))
        True
    """
    words = np.ascontiguousarray(templates, "<f4").view("<u8")
    factors = np.random.default_rng(0).integers(MODULUS // 2, size=words.shape[1] + 1)
    factors = 2 * factors.astype(np.uint64) + np.uint64(1)
    sums = np.einsum("ij,j->i", words, factors[1:])
    sums += np.ascontiguousarray(until, "<f8").view("<u8") * factors[0]
    total = int((sums * (2 * rows.astype(np.uint64) + np.uint64(1))).sum(dtype=np.uint64))
    return signed(total)


def signed(total: int) -> int:
    """Return the number from −2⁶³ to 2⁶³ − 1 that equals a sum modulo 2⁶⁴."""
    return (total + MODULUS // 2) % MODULUS - MODULUS // 2
