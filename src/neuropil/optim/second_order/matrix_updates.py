"""Quasi-Newton updates of a matrix from a step and the change of the gradient.

Each update changes its matrix in place to satisfy the secant equation: the inverse Hessian H
maps the change y to the step s; the Hessian B maps s to y.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Callable

LEAST = 1e-8  # a smaller cosine may be rounding: an update must not divide by it
FLAT = 1e-8  # floor of the eigenvalues, relative to the largest


def dfp(H: Tensor, s: Tensor, y: Tensor) -> None:
    """H ← H − H y yᵀ H/yᵀH y + s sᵀ/yᵀs; skipped without curvature."""
    Hy = torch.mv(H, y)
    (ss, sy, _), (_, yy, yHy), _ = gram(s, y, Hy)
    # Nocedal and Wright, "Numerical Optimization", 2006, (6.15). H stays positive definite
    # where yᵀs is positive.
    if above_rounding(sy, ss, yy) and yHy > 0:
        H.addr_(s, s, alpha=1 / sy).addr_(Hy, Hy, alpha=-1 / yHy)


def psb(B: Tensor, s: Tensor, y: Tensor) -> None:
    """B ← B + (r sᵀ + s rᵀ)/sᵀs − (rᵀs) s sᵀ/(sᵀs)², with r = y − B s."""
    r = torch.addmv(y, B, s, alpha=-1)
    (ss, rs), (_, rr) = gram(s, r)
    # Written as a symmetric matrix of rank 2: side sᵀ + s sideᵀ.
    if ss * ss > 0 and math.isfinite(rr):
        side = torch.add(r / ss, s, alpha=-rs / (2 * ss * ss))
        B.addr_(side, s).addr_(s, side)


def sr1(B: Tensor, s: Tensor, y: Tensor) -> None:
    """B ← B + r rᵀ/rᵀs, with r = y − B s; skipped where rᵀs is rounding."""
    r = torch.addmv(y, B, s, alpha=-1)
    (ss, rs), (_, rr) = gram(s, r)
    # Ibid. (6.26): the update is skipped where its denominator is small.
    if above_rounding(abs(rs), ss, rr):
        B.addr_(r, r, alpha=1 / rs)


UPDATES: dict[str, Callable[[Tensor, Tensor, Tensor], None]] = {
    "dfp": dfp,
    "psb": psb,
    "sr1": sr1,
}


def first_scale(s: Tensor, y: Tensor) -> float:
    """Return the curvature along the first step, the diagonal of the first matrix B."""
    (ss, sy), (_, yy) = gram(s, y)
    # Ibid. (6.20): the first matrix is then about as large as the Hessian along the step.
    if above_rounding(sy, ss, yy):
        return yy / sy
    return math.sqrt(yy / ss) if ss > 0 and 0 < yy < math.inf else 1.0


def has_curvature(s: Tensor, y: Tensor) -> bool:
    """Tell whether yᵀs is positive beyond rounding, as on a convex loss."""
    (ss, sy), (_, yy) = gram(s, y)
    return above_rounding(sy, ss, yy)


def gram(*vectors: Tensor) -> list[list[float]]:
    """Return all inner products of the vectors, in one transfer from the device."""
    rows = torch.stack(vectors)
    return (rows @ rows.T).tolist()


def above_rounding(ab: float, aa: float, bb: float) -> bool:
    """Tell whether ``aᵀb`` is large enough to divide by, given ``aᵀa`` and ``bᵀb``."""
    return 0 < bb < math.inf and ab > LEAST * math.sqrt(aa * bb)


def solve(B: Tensor, gradient: Tensor) -> Tensor:
    """Return |B|⁻¹ g, where |B| has the absolute values of B's eigenvalues."""
    factor, failed = torch.linalg.cholesky_ex(B)
    if not failed:
        return torch.cholesky_solve(gradient[:, None], factor)[:, 0]
    values, vectors = torch.linalg.eigh(B)
    # A saddle-free direction: it descends along negative curvature, too.
    sizes = values.abs()
    sizes = sizes.clamp(min=FLAT * float(sizes.max()))
    return vectors @ ((vectors.T @ gradient) / sizes)
