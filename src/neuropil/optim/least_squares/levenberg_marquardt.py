"""Levenberg–Marquardt: least squares by damped Gauss–Newton steps."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, final

import torch
from torch import Tensor
from typing_extensions import override

from neuropil.checks import optional, shown
from neuropil.core.arguments import constructor
from neuropil.optim.batch_method import BatchMethod, refusing_backward
from neuropil.optim.least_squares.batched_residuals import Starts
from neuropil.optim.least_squares.bayesian_regularization import Evidence, estimate
from neuropil.optim.least_squares.gauss_newton import (
    LEAST_DAMPING,
    LEAST_FACTOR,
    LEAST_GAIN,
    damping_scale,
)
from neuropil.optim.least_squares.jacobian import Jacobian
from neuropil.optim.least_squares.memory_need import explaining_memory
from neuropil.optim.least_squares.residuals import Residuals
from neuropil.optim.least_squares.restarts import begin, step_all

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch.optim.optimizer import ParamsT

    from neuropil.optim.least_squares.gauss_newton import GaussNewton
    from neuropil.optim.outcome import Reason

MAX_TRIALS = 12  # in this number of trials the damping grows by up to 2⁷⁸
NUDGE = 0.1  # h of the finite differences along a step, relative to the step
MOST_BENT = 0.75  # α of Transtrum and Sethna, the largest 2‖acceleration‖ / ‖step‖
SETTLED = 0.01  # relative change of the loss below which α and β are re-estimated


def function(value: object, what: str) -> object:
    """Return a value if it can be called: a rule for options.

    Raises:
        ValueError: If it cannot.
    """
    if not callable(value):
        raise ValueError(f"{what} must be a function, got {shown(value)}.")
    return value


class Trial(NamedTuple):
    """The result of a trial step.

    Attributes:
        foretold: The decrease predicted by the linear model.
        decrease: The actual decrease.
        fall: The decrease of ½‖r‖² alone, without the prior's term.
        length: ‖Dδ‖².
    """

    foretold: float
    decrease: float
    fall: float
    length: float


@final
class LevenbergMarquardt(BatchMethod):
    """Minimise ½‖r‖² by Gauss–Newton steps, damped until they go downhill.

    ``(JᵀJ + λD²) δ = −Jᵀr``, ``w ← w + δ``, where J is the Jacobian of the residuals r,
    ``D² = m + 100 ‖r‖²/w²``, and m is the largest diagonal of JᵀJ so far. Neither part depends
    on the unit of a weight. The second part penalises changes relative to the size of a weight,
    and keeps weights from diverging in directions along which r hardly changes; a weight below
    1/20 of the largest counts as 1/20 of it. The gain γ is the actual decrease of ½‖r‖² over
    the decrease predicted by the linear model: ``λ ← λ max(1/10, 1 − (2γ − 1)³)``. A step that
    does not go downhill or is not finite is undone and tried again within the same call, with
    λ times 2, 8, 64 and so on.

    J is computed in blocks of rows from the closure's graph, and only JᵀJ is stored if J has
    more rows than columns. With fewer rows the step is solved in their space. For data that do
    not fit into memory, the closure returns an iterable of portions of r, each computed when it
    is needed.

    ``loss`` and the result of `step` are ½‖r‖²; the outcome's gradient is the one at the start
    of the step.

    Args:
        params: Parameters, or groups of them as dicts.
        damping: The first λ.
        geodesic: Add to each step half the acceleration −(JᵀJ + λD²)⁻¹Jᵀr″, which keeps the
            residuals on a straight path; r″ is their second derivative along δ. It costs two
            evaluations and helps in narrow curved valleys.
        bayesian: Minimise ``β ½‖r‖² + α ½‖w‖²`` instead of ½‖r‖², with α and β found by
            maximising the evidence whenever the fit has settled; see `evidence`.
        restarts: The number of starts that are moved at once, each with its own damping and
            Jacobian; the parameters hold the best. `torch.func.vmap` must be able to run the
            closure.
        draw: A function that draws new starting weights into the parameters, such as
            ``network.reset_parameters``, which `Trainer` passes automatically; the first start
            is the current weights.
        tolerance: Stop when the relative change of the loss or of the weights, or the cosine of
            the angle between r and the columns of J, is smaller; never below the precision of
            the weights.

    Raises:
        ValueError: If an option is out of its range, ``params`` is empty, or ``restarts`` is
            combined with ``geodesic`` or ``bayesian``.

    Reference:
        Marquardt, "An Algorithm for Least-Squares Estimation of Nonlinear Parameters", 1963;
        m from Moré, "The Levenberg–Marquardt Algorithm: Implementation and Theory", 1978; λ
        from Nielsen, "Damping Parameter in Marquardt's Method", 1999, where it shrinks to a
        third at most; the acceleration from Transtrum, Sethna, "Improvements to the
        Levenberg–Marquardt Algorithm for Nonlinear Least-Squares Minimization", 2012. The part
        of D with w is ours.

    Example:
        >>> import torch
        >>> x = torch.tensor([0.0, 1.0, 2.0], dtype=torch.float64)
        >>> b = torch.nn.Parameter(torch.tensor([1.0, 0.1], dtype=torch.float64))
        >>> optimizer = LevenbergMarquardt([b])
        >>> outcome = optimizer.minimize(lambda: b[0] * torch.exp(b[1] * x) - 3 * 0.5**x)
        >>> outcome.converged
        True
        >>> b.detach()  # 3 and the logarithm of a half
        tensor([ 3.0000, -0.6931], dtype=torch.float64)
    """

    needs: Literal["closure", "residuals"] = "residuals"
    # Neither is part of the state: pickling drops both, and `step` creates the Jacobian again.
    jacobian: Jacobian | None = None
    draw: Callable[[], Any] | None = None

    @constructor(draw=optional(function))
    def __init__(
        self,
        params: ParamsT,
        *,
        damping: float = 1e-3,
        geodesic: bool = False,
        bayesian: bool = False,
        restarts: int = 1,
        draw: Callable[[], Any] | None = None,
        tolerance: float = 1e-12,
    ) -> None: ...

    @override
    def check(self, options: Mapping[str, Any]) -> None:
        super().check(options)
        if options["restarts"] > 1 and (options["geodesic"] or options["bayesian"]):
            raise ValueError(
                "LevenbergMarquardt: `restarts` cannot be combined with `geodesic` or "
                "`bayesian`."
            )

    @property
    def evidence(self) -> Evidence | None:
        """α, β and the effective number of weights with `bayesian`; otherwise None."""
        found = self.memory.get("evidence")
        return None if found is None else Evidence(*found)

    @override
    @refusing_backward
    @torch.no_grad()
    def step(self, closure: Callable[[], Any]) -> Tensor:
        """Move the weights once and return ½‖r‖² from before the step.

        Args:
            closure: Returns the residuals, a vector ``(N,)`` with its graph, or an iterable of
                portions of it; it does not call ``backward``.

        Raises:
            TypeError: If the closure does not return residuals.
            MemoryError: If there is too little memory for the Jacobian.
        """
        with explaining_memory(self.weights().buffer):
            return self.move(closure)

    def move(self, closure: Callable[[], Any]) -> Tensor:
        """Take a step, without the explanation of memory errors."""
        weights = self.weights()
        if self.jacobian is None or self.jacobian.parameters is not weights.parameters:
            self.jacobian = Jacobian(weights.parameters)
        if self.options["restarts"] > 1:
            return self.move_all(Starts(closure, weights, self.jacobian))
        residuals = Residuals(closure, weights, self.jacobian)
        model = residuals.linearize(whole=self.options["geodesic"])
        finite = torch.stack([residuals.loss, model.gradient.abs().max()]).tolist()
        loss, steepest = finite
        if not all(map(math.isfinite, finite)):
            self.note("not finite", loss, steepest, residuals.evaluations)
            return residuals.loss
        if self.options["bayesian"]:
            self.regularize(model, loss)
        reason, fall = self.descend(residuals, model, loss)
        self.note(reason, loss - fall, steepest, residuals.evaluations)
        return residuals.loss

    def move_all(self, starts: Starts) -> Tensor:
        """Take a step from each of several starts."""
        memory, options, count = self.memory, self.options, int(self.options["restarts"])
        if "starts" not in memory:
            memory.update(begin(starts, count, options["damping"], self.draw))
        found = step_all(starts, memory, options["tolerance"])
        self.note(found.reason, found.loss, found.gradient, 2 * count)
        return found.before

    def regularize(self, model: GaussNewton, loss: float) -> None:
        """Add the prior to the model; re-estimate it first if the fit has settled."""
        memory, found = self.memory, self.evidence
        if found is None or memory.get("change", math.inf) <= SETTLED:
            found = estimate(model, loss, found)
            memory["evidence"] = tuple(found)
        model.regularize(found.alpha / found.beta)

    def descend(
        self, residuals: Residuals, model: GaussNewton, loss: float
    ) -> tuple[Reason, float]:
        """Try steps until one goes downhill, and take it.

        Returns:
            The reason to stop or ``"going on"``, and the decrease of ½‖r‖².
        """
        memory, w = self.memory, model.weights
        tolerance = max(self.options["tolerance"], torch.finfo(w.dtype).eps)
        curvature = self.curvature(model)
        # The square of the largest cosine between r and a column of J, times ‖r‖²: the test of
        # Moré's MINPACK, which does not depend on the units of weights and residuals.
        steepness = (model.gradient.square() / curvature).max()
        scale = damping_scale(curvature, w, residuals.loss)
        size, steepness = torch.stack([(scale * w).dot(w), steepness]).tolist()
        if steepness <= tolerance**2 * 2 * loss:
            return "gradient", 0.0
        if model.ridge:
            loss += 0.5 * model.ridge * w.dot(w).item()
        damping, growth = memory.get("damping", self.options["damping"]), 2.0
        trial, hoped, reach = REFUSED, 0.0, 0.0
        for _ in range(MAX_TRIALS):
            trial = self.attempt(residuals, model, damping, scale)
            hoped, reach = max(hoped, trial.foretold), max(reach, trial.length)
            gain = trial.decrease / trial.foretold if trial.foretold > 0 else 0.0
            taken = gain >= LEAST_GAIN
            if taken:
                # Nielsen: continuous in the gain, 1 at a gain of 1/2, and larger the worse the
                # model predicts.
                factor = max(LEAST_FACTOR, 1 - (2 * gain - 1) ** 3)
                memory["damping"] = max(damping * factor, LEAST_DAMPING)
            reason = stopping(trial, tolerance, loss, size, taken=taken)
            if taken or reason != "going on":
                break
            # Each rejection raises the damping faster, so that a few trials reach a step that
            # is short enough.
            damping, growth = damping * growth, growth * 2
        else:
            taken, reason = False, "stuck"
        if not taken:
            residuals.weights.write(w)
            memory["damping"] = self.options["damping"]  # the next step may have other data
            # "stuck" only if a step of visible length promised a visible decrease: otherwise
            # nothing is left to gain but rounding.
            if hoped > math.sqrt(tolerance) * loss and reach > tolerance**2 * size:
                reason = "stuck"
        memory["change"] = trial.decrease / loss if taken else 0.0
        return reason, trial.fall if taken else 0.0

    def attempt(
        self, residuals: Residuals, model: GaussNewton, damping: float, scale: Tensor
    ) -> Trial:
        """Try a step with this damping and return the result."""
        w, damped = model.weights, damping * scale
        solve = model.solver(damped)
        if solve is None:
            return REFUSED
        step = first = solve(None)
        if self.options["geodesic"]:
            bend = acceleration(residuals, model, first, solve)
            # Transtrum and Sethna, "Improvements …", 2012: if 2‖bend‖ > 0.75 ‖step‖ in the norm
            # of D, the expansion along the path is not reliable.
            if 4 * (scale * bend * bend).sum() > MOST_BENT**2 * (scale * first * first).sum():
                return REFUSED
            step = first + bend
        fall = residuals.fall(w + step)
        pulled, slope = (damped * first).dot(first), first.dot(model.gradient)
        length = pulled / damping if step is first else (scale * step).dot(step)
        told = [pulled, slope, fall, length]
        if model.ridge:
            told.append(w.dot(step) + 0.5 * step.dot(step))
        pulled, slope, fall, length, *prior = torch.stack(told).tolist()
        return Trial(
            # L(0) − L(δ) = ½ δᵀ(λD²δ − Jᵀr), which needs no product with JᵀJ.
            foretold=0.5 * (pulled - slope),
            decrease=fall - model.ridge * sum(prior),
            fall=fall,
            length=length,
        )

    def curvature(self, model: GaussNewton) -> Tensor:
        """Return the largest diagonal of JᵀJ so far, with all entries above 0."""
        found = model.curvature()
        if "scale" in self.memory:
            found = torch.maximum(found, self.memory["scale"])
        self.memory["scale"] = found
        return found.clamp(min=torch.finfo(found.dtype).tiny ** 0.5)


REFUSED = Trial(foretold=math.nan, decrease=math.nan, fall=0.0, length=math.nan)


def stopping(
    trial: Trial, tolerance: float, loss: float, size: float, *, taken: bool
) -> Reason:
    """Return the reason to stop after a trial, or ``"going on"``."""
    if trial.foretold <= tolerance * loss and (not taken or trial.decrease <= tolerance * loss):
        return "loss"
    return "step" if trial.length <= tolerance**2 * size else "going on"


def acceleration(
    residuals: Residuals,
    model: GaussNewton,
    step: Tensor,
    solve: Callable[[Tensor | None], Tensor],
) -> Tensor:
    """Return half the geodesic acceleration along a step."""
    # The second derivative of r along δ, by central differences over a tenth of the step.
    forward = residuals.at(model.weights + NUDGE * step)
    backward = residuals.at(model.weights - NUDGE * step)
    return 0.5 * solve((forward - 2 * model.residual + backward) / NUDGE**2)
