"""One step of Oja's or Sanger's rule, for a block of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from neuropil.classic.base import Floats

    Doubles = NDArray[np.float64]

RULES = ("sanger", "oja")
# Floor for a unit with no variance, relative to the total variance.
REMAINDER = 1e-12


def step(X: Floats, W: Doubles, M: Doubles, share: float, rule: str) -> tuple[Doubles, Doubles]:
    """Return the weights and the covariance of the outputs after a block.

    Args:
        X: Centred rows.
        W: Weights, one column per unit.
        M: Covariance of the units' outputs so far.
        share: The weight of the block in the new averages.
        rule: ``"sanger"`` or ``"oja"``.
    """
    Y = X @ W.astype(X.dtype)
    outputs = Y.astype(np.float64) / np.sqrt(len(Y))  # so that sums of squares stay finite
    A = outputs.T @ outputs
    # M is diagonal here: the rate of each unit follows from its own variance.
    if rule == "sanger":
        A = np.diag(np.diag(A))
    averaged = (1 - share) * M + share * A
    scale, largest = float(averaged.trace()), float(abs(Y).max())
    if scale == 0 or largest == 0:  # identical rows have no variance to learn from
        return W, averaged
    hebb = (X.T @ (Y / largest)).astype(np.float64) * (largest / len(Y) * share / scale)
    # The rule's W + (…) H, without the terms in the span of W and multiplied by (1 − share) M,
    # so that M need not be inverted.
    held = (1 - share) * M / scale + REMAINDER * np.eye(len(M))
    return orthonormal(W @ held + hebb, rule), averaged


def orthonormal(Z: Doubles, rule: str) -> Doubles:
    """Return orthonormal columns: one after the other, or all as close to Z as possible."""
    if rule == "sanger":
        # Gram–Schmidt keeps the order of the components; R's diagonal fixes the signs.
        Q, R = np.linalg.qr(Z)
        return Q * np.where(np.diag(R) < 0, -1.0, 1.0)
    # The orthonormal factor of the polar decomposition, the closest in the Frobenius norm.
    U, _, V = np.linalg.svd(Z, full_matrices=False)
    return U @ V
