"""One step of Oja's rule or of Sanger's, for a block of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from neuropil.classic.base import Floats

    Doubles = NDArray[np.float64]

RULES = ("sanger", "oja")
# What is left of a unit that rows say nothing of, beside the variance of the others.
REMAINDER = 1e-12


def step(X: Floats, W: Doubles, M: Doubles, share: float, rule: str) -> tuple[Doubles, Doubles]:
    """Return weights and the covariance of outputs after a block.

    Args:
        X: Centred rows.
        W: Weights, a column a unit.
        M: Covariance of the units' outputs so far.
        share: Which part of the new averages the block is.
        rule: Whose rule.
    """
    Y = X @ W.astype(X.dtype)
    outputs = Y.astype(np.float64) / np.sqrt(len(Y))  # so that sums of squares stay finite
    A = outputs.T @ outputs
    # M is diagonal here: the rate of each unit follows from its own variance.
    if rule == "sanger":
        A = np.diag(np.diag(A))
    averaged = (1 - share) * M + share * A
    scale, largest = float(averaged.trace()), float(abs(Y).max())
    if scale == 0 or largest == 0:  # rows that are all alike teach nothing
        return W, averaged
    hebb = (X.T @ (Y / largest)).astype(np.float64) * (largest / len(Y) * share / scale)
    # The rule's W + (…) H without what lies in the span of W, times (1 − share) M: no inverse.
    held = (1 - share) * M / scale + REMAINDER * np.eye(len(M))
    return orthonormal(W @ held + hebb, rule), averaged


def orthonormal(Z: Doubles, rule: str) -> Doubles:
    """Return orthonormal columns: one after the other, or all as close to Z as can be."""
    if rule == "sanger":
        Q, R = np.linalg.qr(Z)
        return Q * np.where(np.diag(R) < 0, -1.0, 1.0)
    U, _, V = np.linalg.svd(Z, full_matrices=False)
    return U @ V
