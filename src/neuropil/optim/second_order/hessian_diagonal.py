"""Newton's method for each weight separately, with the diagonal of the Hessian."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any, final

import torch
from torch import Tensor
from typing_extensions import override

from neuropil.core.arguments import constructor
from neuropil.optim.outcome import REASONS
from neuropil.optim.second_order.curvature_method import CurvatureMethod, Probe, Trials

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch.optim.optimizer import ParamsT

    from neuropil.optim.outcome import Reason
    from neuropil.optim.second_order.curvature import Curvature

# The largest number of weights for which the diagonal is taken from the whole Hessian.
EXACT = 500
# The number of random vectors in an estimate, and the weight of the past estimates in the mean.
PROBES, STAYS = 4, 0.9
# c₁ of the Armijo condition that a step must meet, and the largest number of halvings.
ENOUGH, HALVINGS = 1e-4, 50
# The method is stuck when PATIENCE steps change the loss by at most the fraction STALLED.
PATIENCE, STALLED = 100, 1e-3


@final
class HessianDiagonal(CurvatureMethod):
    """Steps divided by each weight's own second derivative: ``w ← w − lr g / max(|h|, ε)``.

    h is the diagonal of the Hessian H. Its sign is dropped, so that a step always descends, and
    ε replaces it where it almost vanishes. A step that does not lower the loss is halved until
    it does.

    With up to 500 weights h is exact. With more it is estimated as the mean of ``z ⊙ H z`` over
    random vectors z of ±1, combined with the estimates of past steps by an exponentially
    weighted mean.

    Where weights interact, the diagonal says little, and steps oscillate across a valley. The
    method is stuck when the loss changes by less than a thousandth in 100 steps.

    Args:
        params: Parameters, or groups of them as dicts, all with the same options.
        lr: Learning rate; 1 is Newton's step if the weights do not interact.
        min_curvature: ε.
        seed: Seed of the random vectors.
        tolerance: The gradient has vanished when no entry is larger.

    Raises:
        ValueError: If an option is out of its range, ``params`` is empty, or the loss
            cannot be differentiated twice.

    Reference:
        LeCun, Bottou, Orr, Müller, "Efficient BackProp", 1998, §9.1, which estimates h by a
        Gauss–Newton backward pass and adds ε; ours is the diagonal of H itself. The estimate is
        that of Bekas, Kokiopoulou, Saad, "An estimator for the diagonal of a matrix", 2007, as
        in AdaHessian (Yao et al., 2021), which smooths it over layers and takes no step back.
        NeuPy's HessianDiagonal cuts negative h off at ε.

    Example:
        >>> import torch
        >>> w = torch.nn.Parameter(torch.tensor([3.0, -1.0]))
        >>> optimizer = HessianDiagonal([w])
        >>> _ = optimizer.step(lambda: w[0] ** 2 + 50 * w[1] ** 2)  # h is 2 and 100
        >>> w.tolist()
        [0.0, 0.0]
    """

    @constructor()
    def __init__(
        self,
        params: ParamsT,
        lr: float = 1.0,
        *,
        min_curvature: float = 1e-2,
        seed: int = 0,
        tolerance: float = 1e-7,
    ) -> None: ...

    @override
    def step(self, closure: Callable[[], Any]) -> Tensor:
        loss = super().step(closure)
        memory, outcome = self.memory, self.outcome
        if outcome.steps % PATIENCE == 1:
            past = memory.get("past", math.nan)
            memory["past"] = outcome.loss
            if not outcome.done and abs(past - outcome.loss) <= STALLED * abs(past):
                memory["reason"] = REASONS.index("stuck")
        return loss

    @override
    def plan(self, curvature: Curvature, here: Tensor) -> Reason | Callable[[Probe], Trials]:
        options, gradient = self.options, curvature.gradient
        if curvature.largest <= options["tolerance"]:
            return "gradient"
        diagonal = self.diagonal(curvature)
        if not bool(torch.isfinite(diagonal).all()):
            return "not finite"
        step = -options["lr"] * gradient / diagonal.abs().clamp(min=options["min_curvature"])
        slope, rounding = float(gradient @ step), torch.finfo(here.dtype).eps
        return partial(halve, step, curvature.value, slope, rounding * abs(curvature.value))

    def diagonal(self, curvature: Curvature) -> Tensor:
        """Return the diagonal of the Hessian, or the running estimate of it."""
        gradient = curvature.gradient
        if len(gradient) <= EXACT:
            return curvature.matrix().diagonal()
        memory, options = self.memory, self.options
        steps = memory.get("steps", 0)
        # Seeded by the step, so that a resumed run draws what an uninterrupted one would.
        generator = torch.Generator().manual_seed(options["seed"] + steps)
        signs = torch.randint(0, 2, (PROBES, len(gradient)), generator=generator)
        probes = (2 * signs - 1).to(gradient)
        # E[z ⊙ Hz] is the diagonal of H, since E[zᵢ zⱼ] is 0 for i ≠ j and zᵢ² is 1.
        fresh = torch.stack([probe * curvature.times(probe) for probe in probes]).mean(0)
        mean = memory.get("mean")
        if mean is None or len(mean) != len(fresh):
            mean, memory["weight"] = torch.zeros_like(fresh), 0.0
        memory["mean"] = mean = torch.lerp(fresh, mean, STAYS)
        memory["weight"] = 1 - STAYS * (1 - memory["weight"])
        # The mean started from 0: its weights add up to 1 − 0.9ᵗ, as in Adam.
        return mean / memory["weight"]


def halve(step: Tensor, value: float, slope: float, least: float, loss_after: Probe) -> Trials:
    """Halve a step until it meets the Armijo condition ``f(w + t s) ≤ f(w) + c₁ t gᵀs``.

    Args:
        step: The whole step s.
        value: The loss at the start.
        slope: gᵀs, below 0.
        least: The least decrease that can be observed.
        loss_after: Takes a step and returns the loss there.
    """
    share = 1.0
    for trial in range(1, HALVINGS + 1):
        after = loss_after(share * step)
        if -share * slope <= least:
            return Trials("loss", after if after <= value else None, trial)
        if after <= value + ENOUGH * share * slope:
            return Trials("going on", after, trial)
        share /= 2
    return Trials("stuck", None, HALVINGS)
