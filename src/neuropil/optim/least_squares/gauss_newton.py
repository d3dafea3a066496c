"""The Gauss–Newton model of a sum of squares: residuals linearised around the weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import torch
from torch import Tensor

from neuropil.optim.least_squares.memory_need import require_matrix

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

LEAST_GAIN = 1e-4  # least actual over predicted decrease of an accepted step
LEAST_FACTOR = 0.1  # least factor by which a step shrinks the damping
LEAST_DAMPING = 1e-15
HOLD = 100.0  # weight of relative changes of the weights in the damping
SMALL = 0.05  # smaller weights count as this fraction of the largest


@final
class GaussNewton:
    """``½‖r + Jδ‖² + ½ρ‖w + δ‖²`` as a function of the step δ.

    J is stored as long as it has at most as many rows as columns, or if ``whole`` is true.
    Otherwise only ``JᵀJ`` and ``Jᵀr`` are stored, to which the blocks of J are added one by
    one.

    Args:
        weights: w.
        whole: Keep J even if it has more rows than columns.
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
            residuals: The residuals, without their graph.
            blocks: Their rows of J, block by block.
        """
        self.height += len(residuals)
        if self.matrix is None and self.height > len(self.weights) and not self.whole:
            self.matrix = self.square()
            for block in self.rows:
                add_square(self.matrix, block)
            self.rows = []
        if self.matrix is None:
            size = len(self.weights)
            what = f"the Jacobian of {self.height:,} residuals by {size:,} weights"
            require_matrix(what, self.height * size, self.weights)
        start = 0
        for block in blocks:
            part = residuals[start : start + len(block)]
            # Jᵀr is a sum over rows, so that blocks can be dropped after use.
            self.pulled.addmv_(block.T, part)
            start += len(block)
            if self.matrix is None:
                self.rows.append(block)
            else:
                add_square(self.matrix, block)
        if self.matrix is None:
            self.residuals.append(residuals)

    def square(self) -> Tensor:
        """Return a zero matrix for JᵀJ, after checking the memory for it and its factor.

        Raises:
            MemoryError: If there is too little memory.
        """
        size = len(self.weights)
        what = f"JᵀJ of {size:,} weights, with its factor,"
        require_matrix(what, 2 * size**2, self.weights)
        return self.weights.new_zeros(size, size)

    def close(self) -> None:
        """Complete the model after the last rows have been added."""
        if self.rows:
            self.jacobian = torch.cat(self.rows) if len(self.rows) > 1 else self.rows[0]
            self.residual = torch.cat(self.residuals)
            if self.height > len(self.weights):
                self.matrix = self.square()
                add_square(self.matrix, self.jacobian)
        self.regularize(0.0)

    def regularize(self, ridge: float) -> None:
        """Set ρ, and the gradient Jᵀr + ρw that follows from it."""
        self.ridge = ridge
        self.gradient = self.pulled + ridge * self.weights if ridge else self.pulled

    def curvature(self) -> Tensor:
        """Return the diagonal of JᵀJ, the squared lengths of the columns of J."""
        if self.matrix is None:
            return self.jacobian.square().sum(0)
        return self.matrix.diagonal().clone()

    def eigenvalues(self) -> Tensor:
        """Return the eigenvalues of JᵀJ or of JJᵀ, whichever is smaller; none is negative."""
        # Both matrices have the same eigenvalues other than 0.
        square = self.jacobian @ self.jacobian.T if self.matrix is None else self.matrix
        return torch.linalg.eigvalsh(square, UPLO="U").clamp(min=0)

    def solver(self, damping: Tensor) -> Callable[[Tensor | None], Tensor] | None:
        """Solve ``(JᵀJ + ρI + M)δ = −gradient``.

        Args:
            damping: The diagonal of M, all entries above 0.

        Returns:
            A function that returns δ, or −(JᵀJ + ρI + M)⁻¹Jᵀv for a vector v; None if the
            matrix is singular.
        """
        added = damping + self.ridge if self.ridge else damping
        if self.matrix is None:
            return self.small_solver(added)
        factor = cholesky(self.matrix, added)
        if factor is None:
            return None

        def solve(v: Tensor | None = None) -> Tensor:
            right = self.gradient if v is None else self.jacobian.T @ v
            return -cholesky_solve(factor, right)

        return solve

    def small_solver(self, added: Tensor) -> Callable[[Tensor | None], Tensor] | None:
        """Solve the same equation by a system in the residuals, with A = ρI + M.

        δ = −A⁻¹ρw − A⁻¹Jᵀ(I + JA⁻¹Jᵀ)⁻¹(r − JA⁻¹ρw)
        """
        # The Woodbury identity, (A + JᵀJ)⁻¹ = A⁻¹ − A⁻¹Jᵀ(I + JA⁻¹Jᵀ)⁻¹JA⁻¹, gives a system
        # with one row for each residual instead of one for each weight.
        # J A⁻¹ with the diagonal A.
        scaled = self.jacobian / added
        shift = self.ridge / added * self.weights
        factor = cholesky(scaled @ self.jacobian.T, torch.ones_like(self.residual))
        if factor is None:
            return None

        def solve(v: Tensor | None = None) -> Tensor:
            right = self.residual - self.jacobian @ shift if v is None else v
            moved = scaled.T @ cholesky_solve(factor, right)
            return -moved if v is not None else -moved - shift

        return solve


def damping_scale(curvature: Tensor, w: Tensor, loss: Tensor) -> Tensor:
    """Return D², the diagonal that λ multiplies: ``diag(JᵀJ) + 100 ‖r‖²/w²``, above 0.

    Args:
        curvature: The largest diagonal of JᵀJ so far, ``(…, P)``.
        w: The weights, ``(…, P)``.
        loss: ½‖r‖², ``(…, 1)``.
    """
    sizes = w.abs()
    sizes = sizes.maximum(SMALL * sizes.amax(-1, keepdim=True))
    tiny = torch.finfo(w.dtype).tiny ** 0.5
    # 2 · loss is ‖r‖².
    hold = torch.where(sizes > tiny, 2 * HOLD * loss / sizes.square(), 0.0)
    return (curvature + hold).clamp(min=tiny)


def add_square(matrix: Tensor, block: Tensor) -> None:
    """Add ``blockᵀ block`` to the upper triangle of a matrix; the lower one is undefined."""
    if matrix.device.type != "cpu":
        matrix.addmm_(block.T, block)
        return
    # torch has no product that computes only one triangle of a symmetric result. SciPy takes a
    # while to load, so it is imported here rather than for all optimisers.
    from scipy.linalg import get_blas_funcs

    rows, total = block.numpy().T, matrix.numpy().T
    (syrk,) = get_blas_funcs(("syrk",), (rows,))
    syrk(1.0, rows, beta=1.0, c=total, lower=1, overwrite_c=1)


def cholesky(matrix: Tensor, added: Tensor) -> Tensor | None:
    """Return the lower factor of ``matrix + diag(added)``, or None if not positive definite.

    Only the upper triangle of the matrix is read: transposed, it is in LAPACK's order.
    """
    # The sum is formed in place and undone: a copy of the matrix would double the memory.
    diagonal = matrix.diagonal()
    before = diagonal.clone()
    diagonal.add_(added)
    factor, info = torch.linalg.cholesky_ex(matrix.mT)
    diagonal.copy_(before)
    return None if info.item() else factor


def cholesky_solve(factor: Tensor, right: Tensor) -> Tensor:
    """Return A⁻¹v from the lower Cholesky factor of A, for one vector.

    Two triangular solutions take half the time of `torch.cholesky_solve`.
    """
    half = torch.linalg.solve_triangular(factor, right[:, None], upper=False)
    return torch.linalg.solve_triangular(factor.mT, half, upper=True)[:, 0]
