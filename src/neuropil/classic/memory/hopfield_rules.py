"""Learning rules of Hopfield networks: Hebb's, Storkey's and the pseudo-inverse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuropil.classic.base import Floats


def hebb(matrix: Floats, patterns: Floats) -> Floats:
    """Return the weights after Hebb's rule: W + Σ ξ ξᵀ / n."""
    return matrix + patterns.T @ patterns / patterns.shape[1]


def storkey(matrix: Floats, patterns: Floats) -> Floats:
    """Return the weights after Storkey's rule, pattern by pattern.

    With the fields a = W ξ, and the fields ``h_ij = a_i − w_ij ξ_j`` without unit j, the rule
    ``w_ij + (ξ_i ξ_j − ξ_i h_ji − h_ij ξ_j) / n`` is an update of rank 2:
    ``(1 + 2/n) W + (ξ bᵀ + b ξᵀ) / n`` with ``b = ξ/2 − a``.
    """
    matrix = matrix.copy()
    n = len(matrix)
    for pattern in patterns:
        # b of the docstring: the terms ξᵢξⱼ of both halves add up to one.
        rest = pattern / 2 - matrix @ pattern
        outer = np.outer(pattern, rest / n)
        matrix *= 1 + 2 / n
        matrix += outer
        matrix += outer.T
        # The derivation of the fields without i and j assumes a zero diagonal.
        np.fill_diagonal(matrix, 0.0)
    return matrix


def pseudo_inverse(matrix: Floats, patterns: Floats) -> Floats:
    """Return the projection P extended by the patterns' part outside of it: P + Q Qᵀ."""
    # P is an orthogonal projection: adding the projection onto directions orthogonal to its
    # range gives the projection onto the sum of both.
    outside = patterns - patterns @ matrix
    _, sizes, directions = np.linalg.svd(outside, full_matrices=False)
    # Patterns have the length √n, so that singular values below this bound are rounding.
    new = directions[sizes > 1e-9 * np.sqrt(patterns.size)]
    return matrix + new.T @ new


RULES: dict[str, Callable[[Floats, Floats], Floats]] = {
    "hebb": hebb,
    "storkey": storkey,
    "pseudo_inverse": pseudo_inverse,
}
