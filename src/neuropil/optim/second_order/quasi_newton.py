"""Quasi-Newton methods: the curvature of the loss, estimated from changes of its gradient."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias, final

import torch
from torch import Tensor
from typing_extensions import override

from neuropil.checks import choice, optional
from neuropil.core.arguments import constructor
from neuropil.optim.optimizer_options import RULES
from neuropil.optim.second_order import bfgs
from neuropil.optim.second_order.limited_memory import two_loops
from neuropil.optim.second_order.matrix_updates import (
    UPDATES,
    first_scale,
    has_curvature,
    solve,
)
from neuropil.optim.second_order.search_method import SearchMethod

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch.optim.optimizer import ParamsT

    from neuropil.checks import Rules
    from neuropil.optim.line_search.objective import Landscape, Point
    from neuropil.optim.line_search.strong_wolfe import LineStep

UpdateName: TypeAlias = Literal["bfgs", "dfp", "psb", "sr1", "lbfgs"]

USUAL, CAREFUL = 0.9, 0.1  # c₂ for most updates, and for DFP
MOST_WEIGHTS = 5_000  # a matrix of all pairs of them takes 200 MB in float64, BFGS has two
FEW_WEIGHTS = 2000  # up to this number of weights the matrix is worth its cost


@final
class QuasiNewton(SearchMethod):
    """Newton's direction, with curvature learnt from successive gradients.

    ``d = −B⁻¹ g``, then ``w ← w + t d`` with t by a strong-Wolfe line search. With s the step
    and y the change of the gradient, each update makes ``B s = y`` (H is B⁻¹, r is y − B s):

    - ``"bfgs"``: ``H ← (I − s yᵀ/yᵀs) H (I − y sᵀ/yᵀs) + s sᵀ/yᵀs`` from ``H₀ = h I``, where h
      is chosen again after each step
    - ``"dfp"``: ``H ← H − H y yᵀ H/yᵀH y + s sᵀ/yᵀs``
    - ``"psb"``: ``B ← B + (r sᵀ + s rᵀ)/sᵀs − (rᵀs) s sᵀ/(sᵀs)²``
    - ``"sr1"``: ``B ← B + r rᵀ/rᵀs``
    - ``"lbfgs"``: BFGS from the last ``memory`` pairs alone, for many weights.

    h is ``sᵀs/yᵀs`` of the last step, multiplied by 1/ρ while ρ, the largest
    ``|6 (f − f⁺) + 3 (g + g⁺)ᵀs|/yᵀs`` so far, is below 1. ρ is 0 on a quadratic, where it is
    best to search first in directions along which no step has been taken yet. If little of the
    slope lies in those, h is the smallest ``sᵀy/yᵀy`` so far. For the other matrices the first
    pair sets the scale. A pair without curvature is skipped. With PSB and SR1, B may become
    indefinite: the direction then uses the absolute values of its eigenvalues, and so descends
    along negative curvature too.

    Args:
        params: Parameters, or groups of them as dicts, all with the same options.
        update: The update formula; None means ``"bfgs"``, or ``"lbfgs"`` for more than 2,000
            weights.
        memory: The number of pairs that ``"lbfgs"`` keeps.
        curvature: c₂ of the line search: the largest slope at its end, relative to the slope
            at its start. None means 0.9, but 0.1 for ``"dfp"``, which needs accurate line
            searches.
        tolerance: The gradient has vanished when no entry is larger.
        max_evaluations: The largest number of evaluations in one line search.

    Raises:
        ValueError: If an option is out of its range, ``params`` is empty, or too many for a
            matrix of all pairs.

    Reference:
        Nocedal, Wright, "Numerical Optimization", 2006, chapters 6 and 7; Powell, "A new
        algorithm for unconstrained optimization", 1970, for PSB; Zhang, Deng, Chen, "New
        quasi-Newton equation and related methods for unconstrained optimization", 1999, for
        the departure from a quadratic. Ours are h, and the absolute eigenvalues in place of a
        trust region.

    Example:
        >>> w = torch.nn.Parameter(torch.tensor([3.0, 1.0], dtype=torch.float64))
        >>> optimizer = QuasiNewton([w])
        >>> outcome = optimizer.minimize(lambda: w[0] ** 4 + 10 * (w[1] - w[0]) ** 2)
        >>> outcome.converged, outcome.loss < 1e-8
        (True, True)
    """

    rules: ClassVar[Rules] = RULES | {
        "update": optional(choice("bfgs", *UPDATES, "lbfgs")),
        "curvature": optional(RULES["curvature"]),
    }
    learnt_state = ("matrix", "steps_kept", "changes_kept", *bfgs.LEARNT_STATE)

    @constructor()
    def __init__(
        self,
        params: ParamsT,
        *,
        update: UpdateName | None = None,
        memory: int = 10,
        curvature: float | None = None,
        tolerance: float = 1e-7,
        max_evaluations: int = 20,
    ) -> None: ...

    @override
    def complete(self) -> None:
        size = sum(p.numel() for group in self.param_groups for p in group["params"])
        update = self.options["update"] or ("bfgs" if size <= FEW_WEIGHTS else "lbfgs")
        curvature = self.options["curvature"] or (CAREFUL if update == "dfp" else USUAL)
        for group in (self.defaults, *self.param_groups):
            group.update(update=update, curvature=curvature)

    @override
    def landscape(self, closure: Callable[[], Any]) -> Landscape:
        landscape = super().landscape(closure)
        update, size = self.options["update"], landscape.vector.size
        if update == "lbfgs" or size <= MOST_WEIGHTS:
            return landscape
        raise ValueError(
            f"QuasiNewton(update={update!r}) keeps a matrix of all pairs of weights, for at "
            f"most {MOST_WEIGHTS:,} weights, got {size:,}; use update='lbfgs'."
        )

    @override
    def direction(self, here: Point) -> Tensor:
        memory = self.memory
        if "steps_kept" in memory:
            return two_loops(here.gradient, memory["steps_kept"], memory["changes_kept"])
        if "matrices" in memory:
            return bfgs.direction(memory, here.gradient)
        if "matrix" in memory:
            times = torch.mv if self.options["update"] == "dfp" else solve
            return times(memory["matrix"], here.gradient).neg_()
        return -here.gradient

    @override
    def first_trial(self, here: Point, slope: float) -> float:
        if "matrices" in self.memory:
            return bfgs.first_trial(self.memory, slope)
        learnt = any(name in self.memory for name in self.learnt_state)
        return 1.0 if learnt else min(1.0, 1 / math.sqrt(-slope))

    @override
    def learn(self, old: Point, new: Point, direction: Tensor, found: LineStep) -> None:
        memory, update = self.memory, self.options["update"]
        if update == "bfgs":
            bfgs.learn(memory, old, new)
            return
        step, change = new.weights - old.weights, new.gradient - old.gradient
        if update == "lbfgs":
            self.keep(step, change)
            return
        if "matrix" not in memory:
            scale = first_scale(step, change)
            scale = 1 / scale if update == "dfp" else scale
            memory["matrix"] = torch.diag(torch.full_like(step, scale))
        UPDATES[update](memory["matrix"], step, change)

    def keep(self, step: Tensor, change: Tensor) -> None:
        """Store a pair for L-BFGS, scaled so that ``sᵀy = 1``, and drop the oldest."""
        if not has_curvature(step, change):
            return
        scale = torch.dot(step, change).rsqrt()
        for name, vector in (("steps_kept", step), ("changes_kept", change)):
            vectors = self.memory.setdefault(name, [])
            vectors.append(vector * scale)
            del vectors[: -self.options["memory"]]
