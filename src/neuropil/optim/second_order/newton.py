"""Newton's method: to the minimum of the parabola that the second derivatives describe."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, final

import torch
from torch import Tensor
from typing_extensions import override

from neuropil.optim.second_order.curvature import MATRIX
from neuropil.optim.second_order.curvature_method import CurvatureMethod, Probe, Trials
from neuropil.optim.second_order.trust_region import Spectrum, Truncated

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch.optim.optimizer import ParamsT

    from neuropil.optim.outcome import Reason
    from neuropil.optim.second_order.curvature import Curvature

# Of the decrease that the model promised: what must come true for a step to be taken; what must
# for a step of unlimited length, and for the radius to stay; what lets the radius grow.
TAKEN, KEPT, TRUSTED = 1e-4, 0.25, 0.75
# Radii that one step may try.
TRIALS = 40
# A promised decrease of so many roundings of the loss cannot be seen in it.
ROUNDINGS = 4
# A step shorter than this part of a rounding of the weights leaves them where they are.
HAIR = 1e-3


@final
class Hessian(CurvatureMethod):
    """Newton's method with the exact Hessian H, in a region where its model can be trusted.

    ``w ← w + p``, where p makes ``gᵀp + pᵀHp/2`` least with ``‖p‖ ≤ Δ``: the Newton step
    ``−H⁻¹g`` where that is short enough. Δ follows from how well the model foretold the loss,
    and a step that would raise the loss is not taken. Where H is indefinite, the step follows
    its lowest curvature down and so leaves saddle points; `indefinite` tells.

    With up to 1,000 weights H is built and decomposed. With more it is never built: conjugate
    gradients work on products ``H v`` (Hessian-free), to the accuracy that the step deserves.

    Args:
        params: Parameters, or groups of them as dicts, all with the same options.
        hessian_free: Whether never to build H; None decides by the number of weights.
        tolerance: The gradient has vanished when no entry is larger.

    Raises:
        ValueError: If an option is out of its range, there are no parameters, or the loss
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

    def __init__(
        self,
        params: ParamsT,
        *,
        hessian_free: bool | None = None,
        tolerance: float = 1e-7,
    ) -> None:
        super().__init__(params, {"hessian_free": hessian_free, "tolerance": tolerance})

    @property
    def indefinite(self) -> bool:
        """Whether the Hessian of the last step curved downwards somewhere."""
        return bool(self.memory.get("indefinite", False))

    @property
    def radius(self) -> float:
        """Δ, how far the model is trusted; infinite at first."""
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
        """Try steps until one lowers the loss as foretold, and keep the radius for the next.

        Args:
            model: Gives the step for a radius.
            value: The loss where the weights were.
            radius: The first radius.
            least: The least decrease that can be seen, and the shortest step.
            loss_after: Tries a step.
        """
        for trial in range(1, TRIALS + 1):
            step, length, decrease = model.step(radius)
            if length <= least[1]:
                return Trials("step", None, trial - 1)
            after = loss_after(step)
            fall = value - after if math.isfinite(after) else -math.inf
            if decrease <= least[0]:
                return Trials("loss", after if fall >= 0 else None, trial)
            gain = fall / decrease
            needed = KEPT if radius == math.inf else TAKEN
            # Nocedal and Wright, "Numerical Optimization", 2006, algorithm 4.1; a step that
            # raised the loss by more than it was to lower it shrinks the radius further.
            if gain < KEPT:
                radius = length * (0.1 if gain < -1 else 0.25)
            elif gain > TRUSTED and length >= 0.9 * radius:
                radius = 2 * radius
            if gain >= needed:
                self.memory["radius"] = radius
                return Trials("going on", after, trial)
        self.memory["radius"] = radius
        return Trials("stuck", None, TRIALS)
