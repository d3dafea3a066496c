"""BFGS beside SciPy's: evaluations of function and gradient on 13 functions.

Most are from Moré, Garbow and Hillstrom at their standard starts; the quadratics have 50
variables, eigenvalues spread evenly over the orders of magnitude, and axes turned at random.
BEFORE holds what our BFGS took before its first matrix was scaled in hindsight.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from benchmarks.optimizers.more_garbow_hillstrom import PROBLEMS
from benchmarks.optimizers.scipy_peer import minimized
from benchmarks.timing import report
from neuropil.optim import QuasiNewton

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_STEPS, VARIABLES = 2000, 50
TOLERANCES = (1e-5, 1e-8)
CONDITIONS = (1e4, 1e6)
NAMES = (
    "Rosenbrock",
    "Freudenstein-Roth",
    "Powell badly scaled",
    "Beale",
    "Helical valley",
    "Powell singular",
    "Wood",
    "Watson 9",
    "Extended Rosenbrock",
    "Trigonometric",
    "Brown almost-linear",
)
BEFORE = {1e-5: 1670, 1e-8: 1966}


class Function(NamedTuple):
    """A function to minimise, and where to start."""

    value: Callable[[Tensor], Tensor]
    start: list[float]


class Run(NamedTuple):
    """What one method did: the gradient's largest entry where it ended, and its cost."""

    gradient: float
    evaluations: int


def functions() -> dict[str, Function]:
    """Return the 13 functions by name."""
    known = {problem.name: problem for problem in PROBLEMS}
    found = {n: Function(known[n].value, list(map(float, known[n].start))) for n in NAMES}
    return found | {f"quadratic, condition {c:g}": quadratic(c) for c in CONDITIONS}


def quadratic(condition: float, seed: int = 0) -> Function:
    """Return ``½ xᵀAx`` with a condition number, the smallest eigenvalue of A being 1."""
    generator = torch.Generator().manual_seed(seed)
    mixed = torch.randn(VARIABLES, VARIABLES, generator=generator, dtype=torch.float64)
    axes = torch.linalg.qr(mixed).Q
    A = (axes * torch.logspace(0, np.log10(condition), VARIABLES, dtype=axes.dtype)) @ axes.T
    return Function(lambda x: 0.5 * x @ (A @ x), [1.0] * VARIABLES)


def by_us(function: Function, tolerance: float) -> Run:
    x = torch.nn.Parameter(torch.tensor(function.start, dtype=torch.float64))
    optimizer = QuasiNewton([x], update="bfgs", tolerance=tolerance)
    outcome = optimizer.minimize(lambda: function.value(x), MAX_STEPS)
    return Run(outcome.gradient, outcome.evaluations)


def by_scipy(function: Function, tolerance: float) -> Run:
    options = {"gtol": tolerance, "maxiter": MAX_STEPS}
    found, evaluations = minimized(function.value, function.start, "BFGS", **options)
    return Run(float(np.abs(found.jac).max()), evaluations)


def compare(tolerance: float) -> dict[str, Any]:
    """Minimise every function by both; print a table and return its figures."""
    print(f"gradient to {tolerance:g}{'neuropil':>29}{'SciPy':>10}")
    rows = {
        name: (by_us(function, tolerance), by_scipy(function, tolerance))
        for name, function in functions().items()
    }
    for name, (ours, theirs) in rows.items():
        print(f"  {name:32}{ours.evaluations:10}{theirs.evaluations:10}")
    ours, theirs = zip(*rows.values(), strict=True)
    counts = [sum(run.evaluations for run in runs) for runs in (ours, theirs)]
    solved = [sum(run.gradient <= tolerance for run in runs) for runs in (ours, theirs)]
    print(f"  {'all (before: ' + str(BEFORE[tolerance]) + ')':32}{counts[0]:10}{counts[1]:10}")
    print(f"  {'solved':32}{solved[0]:10}{solved[1]:10}")
    steepest = f"quadratic, condition {CONDITIONS[-1]:g}"
    kept = counts[0] <= counts[1] and solved[0] >= solved[1]
    kept &= rows[steepest][0].evaluations <= rows[steepest][1].evaluations
    print(f"  at most SciPy's, in all and on the last: {'yes' if kept else 'NO'}")
    return {"evaluations": counts, "solved": solved, "before": BEFORE[tolerance], "each": rows}


def main(json: str | None = None) -> None:
    """Compare at SciPy's own tolerance and at a finer one."""
    torch.set_num_threads(1)
    report("bfgs", {f"{tolerance:g}": compare(tolerance) for tolerance in TOLERANCES}, json)
