"""Nonlinear conjugate gradients: the descent plus a multiple of the last direction."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple, TypeAlias, final

import torch
from torch import Tensor
from typing_extensions import override

from neuropil.checks import choice
from neuropil.core.arguments import constructor
from neuropil.optim.optimizer_options import RULES
from neuropil.optim.second_order.search_method import SearchMethod

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch.optim.optimizer import ParamsT

    from neuropil.checks import Rules
    from neuropil.optim.line_search.objective import Point
    from neuropil.optim.line_search.strong_wolfe import LineStep

Formula: TypeAlias = Literal[
    "fletcher_reeves",
    "polak_ribiere",
    "hestenes_stiefel",
    "conjugate_descent",
    "liu_storey",
    "dai_yuan",
]

POWELL = 0.2  # restart when |gᵀg⁻| exceeds this fraction of gᵀg
RENEWAL = 6  # restart after this multiple of the number of weights
STUBBORN = ("fletcher_reeves", "conjugate_descent", "dai_yuan")  # β stays large in small steps


class Products(NamedTuple):
    """The inner products that the formulas use."""

    new_new: float
    new_change: float
    along_change: float
    along_old: float
    old_old: float


FORMULAS: dict[str, Callable[[Products], float]] = {
    "fletcher_reeves": lambda p: p.new_new / p.old_old,
    "polak_ribiere": lambda p: p.new_change / p.old_old,
    "hestenes_stiefel": lambda p: p.new_change / p.along_change,
    "conjugate_descent": lambda p: p.new_new / -p.along_old,
    "liu_storey": lambda p: p.new_change / -p.along_old,
    "dai_yuan": lambda p: p.new_new / p.along_change,
}


@final
class ConjugateGradient(SearchMethod):
    """Line searches along conjugate directions, which do not undo each other.

    ``d ← −g + β d``, then ``w ← w + t d`` with t by a strong-Wolfe line search. With y the
    change of the gradient and g⁻ the last one, β is

    ====================  ==================  =======================  ==================
    ``fletcher_reeves``   ``gᵀg / g⁻ᵀg⁻``     ``polak_ribiere``        ``gᵀy / g⁻ᵀg⁻``
    ``dai_yuan``          ``gᵀg / dᵀy``       ``hestenes_stiefel``     ``gᵀy / dᵀy``
    ``conjugate_descent`` ``gᵀg / −dᵀg⁻``     ``liu_storey``           ``gᵀy / −dᵀg⁻``
    ====================  ==================  =======================  ==================

    but never below 0. On a quadratic with exact line searches all six are equal, and solve a
    problem in n variables in n steps. The method restarts, with ``d = −g``, after 6 n steps,
    when d does not descend, and, for the formulas on the left, when successive gradients are
    far from orthogonal (Powell's test); the formulas on the right then give about −g anyway.

    Args:
        params: Parameters, or groups of them as dicts, all with the same options.
        formula: The formula for β.
        curvature: c₂ of the line search: the largest slope at its end, relative to the slope
            at its start.
        tolerance: The gradient has vanished when no entry is larger.
        max_evaluations: The largest number of evaluations in one line search.

    Raises:
        ValueError: If an option is out of its range, or ``params`` is empty.

    Reference:
        Nocedal, Wright, "Numerical Optimization", 2006, section 5.2; the formulas are
        compared in Hager, Zhang, "A survey of nonlinear conjugate gradient methods", 2006.
        Powell, "Restart procedures for the conjugate gradient method", 1977.

    Example:
        >>> w = torch.nn.Parameter(torch.tensor([3.0, 1.0], dtype=torch.float64))
        >>> optimizer = ConjugateGradient([w], curvature=1e-3)
        >>> outcome = optimizer.minimize(lambda: w[0] ** 2 + 10 * w[1] ** 2)
        >>> outcome.reason, outcome.steps
        ('gradient', 2)
    """

    rules: ClassVar[Rules] = RULES | {"formula": choice(*FORMULAS)}
    learnt_state = ("direction", "beta", "step", "slope", "age")

    @constructor()
    def __init__(
        self,
        params: ParamsT,
        *,
        formula: Formula = "polak_ribiere",
        curvature: float = 0.1,
        tolerance: float = 1e-7,
        max_evaluations: int = 20,
    ) -> None: ...

    @override
    def direction(self, here: Point) -> Tensor:
        memory = self.memory
        if not memory.get("beta"):
            return -here.gradient
        return torch.sub(memory["direction"] * memory["beta"], here.gradient)

    @override
    def first_trial(self, here: Point, slope: float) -> float:
        memory = self.memory
        if "step" not in memory:
            return min(1.0, 1 / math.sqrt(-slope))
        # Assume the same first-order change of the loss as in the last step (ibid., section
        # 3.5).
        return memory["step"] * memory["slope"] / slope

    @override
    def learn(self, old: Point, new: Point, direction: Tensor, found: LineStep) -> None:
        memory = self.memory
        change = new.gradient - old.gradient
        rows = torch.stack((new.gradient, change, direction, old.gradient))
        gram = (rows @ rows.T).tolist()
        products = Products(
            new_new=gram[0][0],
            new_change=gram[0][1],
            along_change=gram[2][1],
            along_old=gram[2][3],
            old_old=gram[3][3],
        )
        age = memory.get("age", 0) + 1
        formula = self.options["formula"]
        # Powell's test, ibid. (5.52): on a quadratic, successive gradients are orthogonal.
        alike = formula in STUBBORN and abs(gram[0][3]) > POWELL * gram[0][0]
        if alike or age >= RENEWAL * len(direction):
            memory["beta"], memory["age"] = 0.0, 0
        else:
            memory["beta"], memory["age"] = bend(formula, products), age
        memory["direction"], memory["step"], memory["slope"] = direction, found.step, gram[2][3]


def bend(formula: str, products: Products) -> float:
    """Return β, or 0 where it is negative, infinite or undefined."""
    try:
        beta = FORMULAS[formula](products)
    except ZeroDivisionError:
        return 0.0
    # A negative β would go back along the last direction; with 0, as in PR+ (ibid., 5.45), the
    # method restarts.
    return beta if 0 < beta < math.inf else 0.0
