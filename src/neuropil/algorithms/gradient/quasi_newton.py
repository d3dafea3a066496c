"""Quasi-Newton methods: the curvature of the loss, learnt from how its gradient changes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, final

import torch
from torch import Tensor
from typing_extensions import override

from neuropil.algorithms.gradient.limited_memory import two_loops
from neuropil.algorithms.gradient.matrix_updates import (
    DIRECT,
    INVERSE,
    curved,
    first_scale,
    solved,
)
from neuropil.algorithms.gradient.options import check_choice
from neuropil.algorithms.gradient.search_method import SearchMethod

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch.optim.optimizer import ParamsT

    from neuropil.algorithms.gradient.landscape import Landscape, Point
    from neuropil.algorithms.gradient.line_search import LineStep

UpdateName: TypeAlias = Literal["bfgs", "dfp", "psb", "sr1", "lbfgs"]

CURVATURE = {"dfp": 0.1}  # c₂ where it is not 0.9
MOST_WEIGHTS = 5_000  # a matrix of all pairs of them takes 200 MB in float64
FEW_WEIGHTS = 2000  # up to here the matrix is worth its cost


@final
class QuasiNewton(SearchMethod):
    """Newton's direction, with curvature learnt from successive gradients.

    ``d = −B⁻¹ g``, then ``w ← w + t d`` with t by a strong-Wolfe line search. With s the step
    and y the change of the gradient, each update makes ``B s = y`` (H is B⁻¹, r is y − B s):

    - ``"bfgs"``: ``H ← (I − s yᵀ/yᵀs) H (I − y sᵀ/yᵀs) + s sᵀ/yᵀs``
    - ``"dfp"``: ``H ← H − H y yᵀ H/yᵀH y + s sᵀ/yᵀs``
    - ``"psb"``: ``B ← B + (r sᵀ + s rᵀ)/sᵀs − (rᵀs) s sᵀ/(sᵀs)²``
    - ``"sr1"``: ``B ← B + r rᵀ/rᵀs``
    - ``"lbfgs"``: BFGS from the last ``memory`` pairs alone, for many weights.

    The first pair sets the scale of the matrix. A pair without curvature is left out. PSB and
    SR1 may find B indefinite: the direction then takes the absolute values of its eigenvalues,
    and so descends along negative curvature too.

    Args:
        params: Parameters, or groups of them as dicts, all with the same options.
        update: How the curvature is learnt; None is ``"bfgs"``, and ``"lbfgs"`` for more than
            2,000 weights.
        memory: Pairs that ``"lbfgs"`` keeps.
        curvature: c₂ of the line search: the share of the slope along the direction that may
            be left. None is 0.9, and 0.1 for ``"dfp"``, which a careless search leads astray.
        tolerance: The gradient has vanished when no entry is larger.
        max_evaluations: Evaluations that one line search may take.

    Raises:
        ValueError: If an option is out of its range, there are no parameters, or too many for a
            matrix of all pairs.

    Reference:
        Nocedal, Wright, "Numerical Optimization", 2006, chapters 6 and 7; Powell, "A new
        algorithm for unconstrained optimization", 1970, for PSB. The absolute eigenvalues are
        ours, in place of a trust region.

    Example:
        >>> w = torch.nn.Parameter(torch.tensor([3.0, 1.0], dtype=torch.float64))
        >>> algorithm = QuasiNewton([w])
        >>> outcome = algorithm.minimize(lambda: w[0] ** 4 + 10 * (w[1] - w[0]) ** 2)
        >>> outcome.converged, outcome.loss < 1e-8
        (True, True)
    """

    kept = ("matrix", "steps_kept", "changes_kept")

    def __init__(
        self,
        params: ParamsT,
        *,
        update: UpdateName | None = None,
        memory: int = 10,
        curvature: float | None = None,
        tolerance: float = 1e-7,
        max_evaluations: int = 20,
    ) -> None:
        options = {
            "update": update,
            "memory": memory,
            "curvature": CURVATURE.get(update or "bfgs", 0.9)
            if curvature is None
            else curvature,
            "tolerance": tolerance,
            "max_evaluations": max_evaluations,
        }
        if update is not None:
            check_choice(type(self).__name__, "update", update, (*INVERSE, *DIRECT, "lbfgs"))
        super().__init__(params, options)
        if update is None:
            size = sum(p.numel() for group in self.param_groups for p in group["params"])
            for group in (self.defaults, *self.param_groups):
                group["update"] = "bfgs" if size <= FEW_WEIGHTS else "lbfgs"

    @override
    def landscape(self, closure: Callable[[], Any]) -> Landscape:
        landscape = super().landscape(closure)
        update, size = self.options["update"], landscape.vector.size
        if update != "lbfgs" and size > MOST_WEIGHTS:
            raise ValueError(
                f"QuasiNewton(update={update!r}) keeps a matrix of all pairs of weights, for "
                f"at most {MOST_WEIGHTS:,} of them, got {size:,}; update='lbfgs' keeps none."
            )
        return landscape

    @override
    def direction(self, here: Point) -> Tensor:
        memory = self.memory
        if "steps_kept" in memory:
            return two_loops(here.gradient, memory["steps_kept"], memory["changes_kept"])
        if "matrix" not in memory:
            return -here.gradient
        if self.options["update"] in INVERSE:
            return torch.mv(memory["matrix"], here.gradient).neg_()
        return solved(memory["matrix"], here.gradient).neg_()

    @override
    def first_trial(self, here: Point, slope: float) -> float:
        learnt = any(name in self.memory for name in self.kept)
        return 1.0 if learnt else min(1.0, 1 / math.sqrt(-slope))

    @override
    def learn(self, old: Point, new: Point, direction: Tensor, found: LineStep) -> None:
        step, change = new.weights - old.weights, new.gradient - old.gradient
        if self.options["update"] == "lbfgs":
            self.keep(step, change)
            return
        memory, update = self.memory, self.options["update"]
        inverse = update in INVERSE
        if "matrix" not in memory:
            scale = first_scale(step, change)
            memory["matrix"] = torch.diag(
                torch.full_like(step, 1 / scale if inverse else scale)
            )
        (INVERSE if inverse else DIRECT)[update](memory["matrix"], step, change)

    def keep(self, step: Tensor, change: Tensor) -> None:
        """Take a pair among those of L-BFGS, both scaled so that their product is 1."""
        if not curved(step, change):
            return
        scale = torch.dot(step, change).rsqrt()
        for name, vector in (("steps_kept", step), ("changes_kept", change)):
            kept = self.memory.setdefault(name, [])
            kept.append(vector * scale)
            del kept[: -self.options["memory"]]
