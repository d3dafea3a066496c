"""Trust-region steps: minimise a quadratic model, convex or not, within a ball."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple, final

import torch
from torch import Tensor
from torch.linalg import vector_norm

if TYPE_CHECKING:
    from collections.abc import Callable

# Relative tolerance of the length of a step on the boundary.
CLOSE = 1e-3
SECULAR_STEPS = 50


class ModelStep(NamedTuple):
    """A step and the decrease that the model predicts for it.

    Attributes:
        step: p.
        length: ‖p‖.
        decrease: The decrease of the model, ``−gᵀp − pᵀHp/2``; not below 0.
    """

    step: Tensor
    length: float
    decrease: float


@final
class Spectrum:
    """A quadratic model ``gᵀp + pᵀHp/2`` in the basis of H's eigenvectors.

    The minimum over a ball is at ``p = −(H + ν)⁻¹ g``, with a ν ≥ 0 for which ``H + ν`` is
    positive semidefinite and p is not longer than the radius. If g has no component along the
    eigenvectors of the lowest, negative eigenvalue, p is extended along one of them.

    Args:
        hessian: H, symmetric.
        gradient: g.

    Reference:
        Moré, Sorensen, "Computing a Trust Region Step", 1983, by eigenvectors in place of
        Cholesky factors: one decomposition serves all radii.

    Example:
        >>> saddle = Spectrum(torch.diag(torch.tensor([1.0, -1.0])), torch.tensor([0.5, 0.0]))
        >>> saddle.indefinite
        True
        >>> saddle.step(1.0).step.abs()  # (H + 1)⁻¹ g = 0.25, and on to the radius
        tensor([0.2500, 0.9682])
    """

    def __init__(self, hessian: Tensor, gradient: Tensor) -> None:
        self.dtype, self.device = gradient.dtype, gradient.device
        # Ascending eigenvalues, so that the first is λ₁.
        values, self.vectors = torch.linalg.eigh(hessian)
        # Small vectors whose values are read many times: on the CPU no read waits for a GPU.
        values = values.double().cpu()
        parts = (gradient @ self.vectors).double().cpu()
        rounding = torch.finfo(gradient.dtype).eps * len(values)
        noise = rounding * float(values.abs().max())
        self.values = torch.where(values.abs() <= noise, 0.0, values)
        # A zero eigenvalue with a gradient component that is rounding gives no step.
        flat = (self.values == 0) & (parts.abs() <= rounding * vector_norm(parts))
        self.parts = torch.where(flat, 0.0, parts)
        self.lowest = float(self.values[0])

    @property
    def indefinite(self) -> bool:
        """Whether H has an eigenvalue below 0."""
        return self.lowest < 0

    @property
    def bounded(self) -> bool:
        """Whether the model has a single minimum."""
        return self.lowest > 0

    def step(self, radius: float) -> ModelStep:
        """Return the step that minimises the model within a radius.

        Args:
            radius: The largest length; may be infinite if the model is `bounded`.
        """
        inner = self.solve(max(0.0, -self.lowest))
        length = float(vector_norm(inner))
        if math.isfinite(length) and length <= radius:
            # The hard case: (H − λ₁)⁻¹g is too short, and any step along the lowest eigenvector
            # lowers the model further, so that the boundary is reached along it.
            if self.indefinite:
                inner = inner.clone()
                inner[0] += math.sqrt(radius**2 - length**2)
        else:
            inner = self.at_boundary(radius)
        decrease = -float(self.parts @ inner + 0.5 * inner @ (self.values * inner))
        step = self.vectors @ inner.to(self.device, self.dtype)
        return ModelStep(step, float(vector_norm(inner)), max(0.0, decrease))

    def solve(self, shift: float) -> Tensor:
        """Return ``−(H + ν)⁻¹ g``, 0 where g is 0."""
        return torch.where(self.parts == 0, 0.0, -self.parts / (self.values + shift))

    def at_boundary(self, radius: float) -> Tensor:
        """Return the step whose length is the radius, by Newton's method on ``1/‖p‖``."""
        # λᵢ + ν is computed as (λᵢ − λ₁) + (λ₁ + ν): where ν is close to −λ₁, adding ν to λᵢ
        # directly would leave only rounding.
        gaps = self.values - self.lowest
        floor = max(0.0, self.lowest)
        # The part along the lowest eigenvectors alone, |g₁| / (λ₁ + ν), must fit the radius: a
        # lower bound, from which Newton's method rises to the root without passing it.
        along = float(vector_norm(self.parts[gaps == 0]))
        above = max(floor, along / radius)
        step = self.parts
        for _ in range(SECULAR_STEPS):
            lengths = gaps + above
            step = torch.where(self.parts == 0, 0.0, -self.parts / lengths)
            length = float(vector_norm(step))
            if length <= radius * (1 + CLOSE):
                break
            # Nocedal and Wright, "Numerical Optimization", 2006, algorithm 4.3: ‖q‖² with
            # q = L⁻¹p, in the basis of eigenvectors.
            change = float((step.square() / lengths).nan_to_num(0.0).sum())
            above += (length**2 / change) * (length - radius) / radius
        return step


@final
class Truncated:
    """A quadratic model minimised by truncated conjugate gradients, from products ``H v``.

    The iteration ends when the residual is small relative to the gradient, when the step
    reaches the radius, or when a direction has negative curvature, which is followed to the
    radius. For smaller radii the step is shortened.

    Args:
        times: Returns ``H v``.
        gradient: g, not 0.
        radius: The largest length; may be infinite.
        reach: How far to follow a direction of negative curvature if the radius is infinite.

    Reference:
        Steihaug, "The Conjugate Gradient Method and Trust Regions in Large Scale Optimization",
        1983; with the accuracy of Nocedal, Wright, "Numerical Optimization", 2006, (7.3), and
        shortened steps as in Nocedal, Yuan, "Combining Trust Region and Line Search
        Techniques", 1998.

    Example:
        >>> gradient = torch.tensor([-2.0, -4.0])
        >>> Truncated(lambda v: 2 * v, gradient, math.inf, 1.0).step(math.inf).step
        tensor([1., 2.])
    """

    def __init__(
        self,
        times: Callable[[Tensor], Tensor],
        gradient: Tensor,
        radius: float,
        reach: float,
    ) -> None:
        self.indefinite = False
        self.bounded = True  # its steps are bounded even where the model is not
        self.length = 0.0
        self.whole = self.product = torch.zeros_like(gradient)
        residual, direction = gradient, -gradient
        squared = first = float(gradient @ gradient)
        # ‖residual‖ ≤ min(½, √‖g‖) ‖g‖, squared: Newton's method then converges superlinearly
        # near the minimum.
        enough = first * min(0.25, math.sqrt(first))
        for _ in range(2 * len(gradient)):
            ahead = times(direction)
            pace, inside = self.advance(direction, ahead, squared, radius, reach)
            if not inside:
                break
            residual = residual + pace * ahead
            fresh = float(residual @ residual)
            if not fresh > enough:
                break
            # Fletcher and Reeves' β, which on a quadratic keeps directions conjugate.
            direction = fresh / squared * direction - residual
            squared = fresh
        self.slope = float(gradient @ self.whole)
        self.curve = float(self.whole @ self.product)

    def advance(
        self, direction: Tensor, ahead: Tensor, squared: float, radius: float, reach: float
    ) -> tuple[float, bool]:
        """Move along a direction; return how far, and whether it stays inside the radius."""
        curve, along, width, size = torch.stack(
            [direction @ ahead, self.whole @ direction, direction @ direction, ahead @ ahead]
        ).tolist()
        # The rounding error of dᵀHd is about eps ‖d‖ ‖Hd‖.
        noise = torch.finfo(direction.dtype).eps * math.sqrt(width * size)
        # A curvature within rounding of 0 counts as flat: neither convex nor indefinite.
        pace, longer, limit = 0.0, math.inf, radius
        if curve > noise:
            # Conjugate gradients' exact step, rᵀr / dᵀHd.
            pace = squared / curve
            longer = math.sqrt(max(0.0, self.length**2 + 2 * pace * along + pace**2 * width))
        else:
            self.indefinite = curve < -noise
            limit = min(radius, max(reach, 2 * self.length))
        inside = longer < limit
        if not inside:
            pace, longer = to_boundary(self.length, along, width, limit), limit
        self.whole = self.whole + pace * direction
        self.product = self.product + pace * ahead
        self.length = longer
        return pace, inside

    def step(self, radius: float) -> ModelStep:
        """Return the step, shortened to a radius.

        Args:
            radius: The largest length.
        """
        # The model along the shortened step is s gᵀp + s² pᵀHp/2, from stored products.
        share = min(1.0, radius / self.length) if self.length else 0.0
        decrease = -share * self.slope - 0.5 * share**2 * self.curve
        return ModelStep(share * self.whole, share * self.length, max(0.0, decrease))


def to_boundary(length: float, along: float, width: float, radius: float) -> float:
    """Return the multiple τ of the direction d at which ``‖p + τd‖`` is the radius."""
    # The positive root of ‖d‖²τ² + 2τ pᵀd = Δ² − ‖p‖², in the form that does not cancel.
    missing = max(0.0, radius**2 - length**2)
    root = math.sqrt(along**2 + width * missing)
    return missing / (along + root) if along > 0 else (root - along) / width
