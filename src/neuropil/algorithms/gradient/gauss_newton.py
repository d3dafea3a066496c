"""The sum of squares near the weights, as Gauss and Newton see it: residuals made linear."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

STRIP = 96
LEAST_GAIN = 1e-4  # of the decrease that was foretold, or a step is taken back
LEAST_FACTOR = 0.1  # by which the damping shrinks at most
LEAST_DAMPING = 1e-15


@final
class GaussNewton:
    """``½‖r + Jδ‖² + ½ρ‖w + δ‖²`` as a function of the step δ.

    J is kept whole while it has no more rows than columns, or when it is asked for; of a higher
    one only ``JᵀJ`` and ``Jᵀr`` are kept, to which its blocks are added one by one.

    Args:
        weights: w.
        whole: Keep J however high it is.
    """

    def __init__(self, weights: Tensor, *, whole: bool) -> None:
        self.weights = weights
        self.whole = whole
        self.rows: list[Tensor] = []
        self.residuals: list[Tensor] = []
        self.height = 0
        self.matrix: Tensor | None = None
        self.pulled = torch.zeros_like(weights)

    def add(self, residuals: Tensor, blocks: Iterable[Tensor]) -> None:
        """Add residuals and their rows of J.

        Args:
            residuals: Without their graph.
            blocks: Their rows, block by block.
        """
        self.height += len(residuals)
        if self.matrix is None and self.height > len(self.weights) and not self.whole:
            self.matrix = self.weights.new_zeros(len(self.weights), len(self.weights))
            for block in self.rows:
                add_square(self.matrix, block)
            self.rows = []
        start = 0
        for block in blocks:
            part = residuals[start : start + len(block)]
            self.pulled.addmv_(block.T, part)
            start += len(block)
            if self.matrix is None:
                self.rows.append(block)
            else:
                add_square(self.matrix, block)
        if self.matrix is None:
            self.residuals.append(residuals)

    def close(self) -> None:
        """Work out what follows, once all rows are there."""
        if self.rows:
            self.jacobian = torch.cat(self.rows) if len(self.rows) > 1 else self.rows[0]
            self.residual = torch.cat(self.residuals)
            if self.height > len(self.weights):
                self.matrix = self.weights.new_zeros(len(self.weights), len(self.weights))
                add_square(self.matrix, self.jacobian)
        self.regularize(0.0)

    def regularize(self, ridge: float) -> None:
        """Set ρ and so the gradient."""
        self.ridge = ridge
        self.gradient = self.pulled + ridge * self.weights if ridge else self.pulled

    def curvature(self) -> Tensor:
        """Return the diagonal of JᵀJ, the squared lengths of the columns of J."""
        if self.matrix is None:
            return self.jacobian.square().sum(0)
        return self.matrix.diagonal().clone()

    def eigenvalues(self) -> Tensor:
        """Return the eigenvalues of JᵀJ, or of JJᵀ, whichever is smaller; none is negative."""
        square = self.jacobian @ self.jacobian.T if self.matrix is None else self.matrix
        return torch.linalg.eigvalsh(square).clamp(min=0)

    def damped(self, damping: Tensor) -> Callable[[Tensor | None], Tensor] | None:
        """Solve ``(JᵀJ + ρI + M)δ = −gradient``.

        Args:
            damping: The diagonal of M, nowhere zero.

        Returns:
            A function that gives δ, or −(JᵀJ + ρI + M)⁻¹Jᵀv for a vector v; None where the
            matrix is singular.
        """
        added = damping + self.ridge if self.ridge else damping
        if self.matrix is None:
            return self.damped_small(added)
        factor = cholesky(self.matrix, added)
        if factor is None:
            return None

        def solved(v: Tensor | None = None) -> Tensor:
            right = self.gradient if v is None else self.jacobian.T @ v
            return -torch.cholesky_solve(right[:, None], factor)[:, 0]

        return solved

    def damped_small(self, added: Tensor) -> Callable[[Tensor | None], Tensor] | None:
        """Solve the same by a system of the size of the residuals, with A = ρI + M.

        δ = −A⁻¹ρw − A⁻¹Jᵀ(I + JA⁻¹Jᵀ)⁻¹(r − JA⁻¹ρw)
        """
        scaled = self.jacobian / added
        shift = self.ridge / added * self.weights
        factor = cholesky(scaled @ self.jacobian.T, torch.ones_like(self.residual))
        if factor is None:
            return None

        def solved(v: Tensor | None = None) -> Tensor:
            right = self.residual - self.jacobian @ shift if v is None else v
            moved = scaled.T @ torch.cholesky_solve(right[:, None], factor)[:, 0]
            return -moved if v is not None else -moved - shift

        return solved


def add_square(matrix: Tensor, block: Tensor) -> None:
    """Add ``blockᵀ block`` to the lower triangle of a matrix; what else is changed, is unused.

    Strip by strip, which leaves out nearly half of the products.
    """
    size = len(matrix)
    strip = max(STRIP, size // 8)
    for start in range(0, size, strip):
        stop = min(start + strip, size)
        matrix[start:stop, :stop].addmm_(block[:, start:stop].T, block[:, :stop])


def cholesky(matrix: Tensor, diagonal: Tensor) -> Tensor | None:
    """Return the factor of ``matrix + diag(diagonal)``, or None if not positive definite.

    Only the lower triangle of the matrix is read.
    """
    damped = matrix.clone()
    damped.diagonal().add_(diagonal)
    factor, info = torch.linalg.cholesky_ex(damped)
    return None if info.item() else factor
