"""Bayesian regularisation: the weights of data and prior, from the evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch

if TYPE_CHECKING:
    from neuropil.optim.least_squares.gauss_newton import GaussNewton


class Evidence(NamedTuple):
    """The α and β that maximise the evidence, the probability of the data given both.

    The model assumes normal errors with variance 1/β, and normal weights with mean 0 and
    variance 1/α.

    Attributes:
        alpha: α.
        beta: β.
        effective: γ, the effective number of weights, those that the data determine.
    """

    alpha: float
    beta: float
    effective: float


def estimate(model: GaussNewton, loss: float, before: Evidence | None) -> Evidence:
    """Return one round of re-estimating α and β.

    ``γ = Σᵢ λᵢ / (λᵢ + α/β)`` over the eigenvalues of JᵀJ, ``α = γ / ‖w‖²``,
    ``β = (N − γ) / ‖r‖²``.

    Args:
        model: JᵀJ and w, near the minimum for the α and β of the last round.
        loss: ½‖r‖².
        before: The result of the last round; None starts from a weak prior.

    Reference:
        MacKay, "A Practical Bayesian Framework for Backpropagation Networks", 1992; Foresee,
        Hagan, "Gauss–Newton Approximation to Bayesian Learning", 1997.
    """
    tiny = torch.finfo(model.weights.dtype).eps
    if before is None:
        alpha = max(WEAK * model.curvature().mean().item(), tiny)
        return Evidence(alpha, 1.0, effective(model, alpha))
    found = effective(model, before.alpha / before.beta)
    # A perfect fit or weights of zero must not make a quotient infinite.
    squares = max(model.weights.square().sum().item(), tiny)
    errors = max(2 * loss, tiny**2)
    # β = (N − γ) / 2E_D with E_D = ½‖r‖², MacKay's most probable noise; likewise α = γ / 2E_W.
    free = max(model.height - found, tiny * model.height)
    return Evidence(max(found, tiny) / squares, free / errors, found)


def effective(model: GaussNewton, ridge: float) -> float:
    """Return γ for the ratio α/β."""
    values = model.eigenvalues()
    # Directions with λᵢ well above α/β count 1, those well below count 0.
    return (values / (values + ridge)).sum().item()


WEAK = 1e-3  # the first α, relative to the mean diagonal of JᵀJ
