"""Newton's method: to the minimum of the quadratic model given by the second derivatives."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, final

import torch
from torch import Tensor
from typing_extensions import override

from neuropil.core.arguments import constructor
from neuropil.optim.second_order.curvature import MATRIX
from neuropil.optim.second_order.curvature_method import CurvatureMethod, Probe, Trials
from neuropil.optim.second_order.trust_region import Spectrum, Truncated

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch.optim.optimizer import ParamsT

    from neuropil.optim.outcome import Reason
    from neuropil.optim.second_order.curvature import Curvature

# Thresholds of actual over predicted decrease: to accept a step; to accept a step of unlimited
# length, and to keep the radius; to let the radius grow.
TAKEN, KEPT, TRUSTED = 1e-4, 0.25, 0.75
# The largest number of radii that one step tries.
TRIALS = 40
# A predicted decrease below this multiple of the loss's rounding error cannot be observed.
ROUNDINGS = 4
# A step shorter than this fraction of the weights' rounding error does not change them.
HAIR = 1e-3


@final
class Hessian(CurvatureMethod):
    """Newton's method with the exact Hessian H, within a trust region.

    ``w ← w + p``, where p minimises ``gᵀp + pᵀHp/2`` subject to ``‖p‖ ≤ Δ``: the Newton step
    ``−H⁻¹g`` if that is short enough. Δ depends on how well the model predicted the loss, and a
    step that raises the loss is not taken. Where H is indefinite, the step follows the lowest
    curvature down and so leaves saddle points; see `indefinite`.

    With up to 1,000 weights H is built and decomposed. With more it is never built: truncated
    conjugate gradients use products ``H v`` (Hessian-free).

    Args:
        params: Parameters, or groups of them as dicts, all with the same options.
        hessian_free: Whether to avoid building H; None decides by the number of weights.
        tolerance: The gradient has vanished when no entry is larger.

    Raises:
        ValueError: If an option is out of its range, ``params`` is empty, or the loss
            cannot be differentiated twice.

    Reference:
        Moré, Sorensen, "Computing a Trust Region Step", 1983; Steihaug, "The Conjugate Gradient
        Method and Trust Regions in Large Scale Optimization", 1983; Martens, "Deep learning via
        Hessian-free optimization", 2010. Unlike the latter ours takes H itself, not the
        Gauss–Newton matrix, and a radius in place of a damping.

    Example:
        >>> import torch
        >>> w = torch.nn.Parameter(torch.tensor([0.5, 0.0], dtype=torch.float64))
        >>> optimizer = Hessian([w])  # there is a saddle at (0, 0), and minima at (0, ±1)
        >>> outcome = optimizer.minimize(lambda: w[0] ** 2 + (w[1] ** 2 - 1) ** 2, max_steps=1)
        >>> optimizer.indefinite
        True
        >>> outcome = optimizer.minimize(lambda: w[0] ** 2 + (w[1] ** 2 - 1) ** 2)
        >>> outcome.converged, [round(abs(x), 6) for x in w.tolist()]
        (True, [0.0, 1.0])
    """

    @constructor()
    def __init__(
        self,
        params: ParamsT,
        *,
        hessian_free: bool | None = None,
        tolerance: float = 1e-7,
    ) -> None: ...

    @property
    def indefinite(self) -> bool:
        """Whether the Hessian of the last step had a negative eigenvalue."""
        return bool(self.memory.get("indefinite", False))

    @property
    def radius(self) -> float:
        """Δ, the radius of the trust region; infinite at first."""
        return self.memory.get("radius", math.inf)

    @override
    def plan(self, curvature: Curvature, here: Tensor) -> Reason | Callable[[Probe], Trials]:
        flat = curvature.largest <= self.options["tolerance"]
        reach = max(1.0, float(torch.linalg.vector_norm(here)))
        free = self.options["hessian_free"]
        if len(here) > MATRIX if free is None else free:
            if flat:
                return "gradient"
            model = Truncated(curvature.times, curvature.gradient, self.radius, reach)
        else:
            hessian = curvature.matrix()
            if not bool(torch.isfinite(hessian).all()):
                return "not finite"
            model = Spectrum(hessian, curvature.gradient)
        self.memory["indefinite"] = model.indefinite
        if flat and not model.indefinite:
            return "gradient"
        rounding = torch.finfo(here.dtype).eps
        least = ROUNDINGS * rounding * abs(curvature.value), HAIR * rounding * reach
        radius = self.radius if model.bounded else min(self.radius, reach)
        return partial(self.search, model, curvature.value, radius, least)

    def search(
        self,
        model: Spectrum | Truncated,
        value: float,
        radius: float,
        least: tuple[float, float],
        loss_after: Probe,
    ) -> Trials:
        """Try steps until one lowers the loss as predicted; store the radius for the next.

        Args:
            model: The quadratic model.
            value: The loss at the start.
            radius: The first radius.
            least: The least decrease that can be observed, and the shortest step.
            loss_after: Takes a step and returns the loss there.
        """
        for trial in range(1, TRIALS + 1):
            step, length, decrease = model.step(radius)
            if length <= least[1]:
                return Trials("step", None, trial - 1)
            after = loss_after(step)
            fall = value - after if math.isfinite(after) else -math.inf
            if decrease <= least[0]:
                return Trials("loss", after if fall >= 0 else None, trial)
            # ρ of algorithm 4.1: the actual over the predicted decrease.
            gain = fall / decrease
            needed = KEPT if radius == math.inf else TAKEN
            # Nocedal and Wright, "Numerical Optimization", 2006, algorithm 4.1; if the loss
            # rose by more than it was predicted to fall, the radius shrinks further.
            if gain < KEPT:
                radius = length * (0.1 if gain < -1 else 0.25)
            elif gain > TRUSTED and length >= 0.9 * radius:
                radius = 2 * radius
            if gain >= needed:
                self.memory["radius"] = radius
                return Trials("going on", after, trial)
        self.memory["radius"] = radius
        return Trials("stuck", None, TRIALS)
