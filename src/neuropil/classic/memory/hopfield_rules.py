"""How a Hopfield network learns: Hebb's rule, Storkey's, and the pseudo-inverse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuropil.classic.base import Floats


def hebb(matrix: Floats, patterns: Floats) -> Floats:
    """Add what Hebb's rule learns: W + Σ ξ ξᵀ / n."""
    return matrix + patterns.T @ patterns / patterns.shape[1]


def storkey(matrix: Floats, patterns: Floats) -> Floats:
    """Add what Storkey's rule learns, pattern by pattern.

    With the fields a = W ξ, and all that stands without a unit's own part
    ``h_ij = a_i − w_ij ξ_j``, the rule ``w_ij + (ξ_i ξ_j − ξ_i h_ji − h_ij ξ_j) / n`` adds a
    matrix of rank 2: ``(1 + 2/n) W + (ξ bᵀ + b ξᵀ) / n`` with ``b = ξ/2 − a``.
    """
    matrix = matrix.copy()
    n = len(matrix)
    for pattern in patterns:
        rest = pattern / 2 - matrix @ pattern
        outer = np.outer(pattern, rest / n)
        matrix *= 1 + 2 / n
        matrix += outer
        matrix += outer.T
        np.fill_diagonal(matrix, 0.0)
    return matrix


def pseudo_inverse(matrix: Floats, patterns: Floats) -> Floats:
    """Widen the projection by what of the patterns lies outside of it: P + Q Qᵀ."""
    # P is a projection, so that what is orthogonal to it adds to it without touching it.
    outside = patterns - patterns @ matrix
    _, sizes, directions = np.linalg.svd(outside, full_matrices=False)
    # A pattern's length is √n, so this is rounding, however many columns are nearly alike.
    new = directions[sizes > 1e-9 * np.sqrt(patterns.size)]
    return matrix + new.T @ new


RULES: dict[str, Callable[[Floats, Floats], Floats]] = {
    "hebb": hebb,
    "storkey": storkey,
    "pseudo_inverse": pseudo_inverse,
}
