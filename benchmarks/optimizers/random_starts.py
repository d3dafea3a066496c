"""Levenberg–Marquardt from random starts: how often it finds the best minimum, beside SciPy.

Four curves with 4 or 5 parameters, 60 noisy data sets of each. All solvers start from the same
point, drawn log-uniformly over two decades about the truth, with its defaults. The best minimum
of a data set is the least sum of squares that any solver found, from that start or the truth;
a solver has found it when its own is within 10⁻⁴ of that. BEFORE holds what ours found while
its damping did not know the size of the weights.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import least_squares
from torch import Tensor

from benchmarks.timing import report
from neuropil.optim import LevenbergMarquardt

if TYPE_CHECKING:
    from collections.abc import Callable

Floats = NDArray[np.float64]

SETS, POINTS, NOISE = 60, 40, 0.05
NEAR = 1e-4
MAX_STEPS = 2000
BEFORE = {"default": 189, "damping=1": 193}


class Curve(NamedTuple):
    """A model of one variable.

    Attributes:
        model: The model, of x and the parameters.
        truth: The parameters that the data are drawn from.
        x: Where it is observed.
    """

    model: Callable[[Tensor, Tensor], Tensor]
    truth: tuple[float, ...]
    x: Tensor


class Task(NamedTuple):
    """One noisy data set, and where to start."""

    curve: Curve
    y: Tensor
    start: Tensor

    def residuals(self, b: Tensor) -> Tensor:
        """Return model minus data."""
        return self.curve.model(self.curve.x, b) - self.y


def logistic_4(x: Tensor, b: Tensor) -> Tensor:
    return b[0] + (b[1] - b[0]) / (1 + torch.exp(b[2] * (b[3] - x)))


def logistic_5(x: Tensor, b: Tensor) -> Tensor:
    return b[0] + (b[1] - b[0]) / (1 + torch.exp(b[2] * (b[3] - x))) ** b[4]


def two_exponentials(x: Tensor, b: Tensor) -> Tensor:
    return b[0] * torch.exp(-b[1] * x) + b[2] * torch.exp(-b[3] * x)


def rational(x: Tensor, b: Tensor) -> Tensor:
    return (b[0] + b[1] * x) / (1 + b[2] * x + b[3] * x**2)


X = torch.linspace(0, 10, POINTS, dtype=torch.float64)
CURVES = {
    "logistic, 4 parameters": Curve(logistic_4, (1.0, 5.0, 1.5, 5.0), X),
    "logistic, 5 parameters": Curve(logistic_5, (1.0, 5.0, 1.5, 5.0, 0.7), X),
    "two exponentials": Curve(two_exponentials, (3.0, 1.5, 2.0, 0.2), X),
    "rational": Curve(rational, (1.0, 3.0, 0.5, 0.3), X),
}


def tasks() -> dict[str, list[Task]]:
    """Return the data sets of each curve; seeds run from 0 on through all of them."""
    seeds = iter(range(SETS * len(CURVES)))
    return {name: [task(curve, next(seeds)) for _ in range(SETS)]
            for name, curve in CURVES.items()}  # fmt: skip


def task(curve: Curve, seed: int) -> Task:
    """Draw a data set and a start."""
    rng = np.random.default_rng(seed)
    truth = torch.tensor(curve.truth, dtype=torch.float64)
    clean = curve.model(curve.x, truth)
    spread = float(clean.max() - clean.min())
    y = clean + NOISE * spread * torch.from_numpy(rng.normal(size=POINTS))
    return Task(curve, y, truth * 10 ** torch.from_numpy(rng.uniform(-1, 1, len(truth))))


class Found(NamedTuple):
    """The sum of squares where a solver ended, and how often it asked for residuals."""

    squares: float
    evaluations: int


def ours(task: Task, start: Tensor, **options: Any) -> Found:
    b = torch.nn.Parameter(start.clone())
    optimizer = LevenbergMarquardt([b], **options)
    outcome = optimizer.minimize(lambda: task.residuals(b), MAX_STEPS)
    return Found(squares(task, b.detach()), outcome.evaluations)


def theirs(method: str) -> Callable[[Task, Tensor], Found]:
    def run(task: Task, start: Tensor) -> Found:
        def residuals(b: Floats) -> Floats:
            return task.residuals(torch.from_numpy(b)).numpy()

        def jacobian(b: Floats) -> Floats:
            return torch.func.jacfwd(task.residuals)(torch.from_numpy(b)).numpy()

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                found = least_squares(
                    residuals,
                    start.numpy(),
                    jac=jacobian,  # pyright: ignore[reportArgumentType]  # SciPy takes a function
                    method=method,  # pyright: ignore[reportArgumentType]  # one of its methods
                )
            except ValueError:  # residuals that are not finite
                return Found(float("inf"), 0)
        return Found(squares(task, torch.from_numpy(found.x)), found.nfev)

    return run


def squares(task: Task, b: Tensor) -> float:
    """Return the sum of squares, infinite where it is not finite."""
    return float(task.residuals(b).square().sum().nan_to_num(nan=torch.inf))


SOLVERS: dict[str, Callable[[Task, Tensor], Found]] = {
    "neuropil": ours,
    "SciPy trf": theirs("trf"),
    "SciPy lm": theirs("lm"),
}


def compare(group: list[Task]) -> dict[str, Any]:
    """Solve some tasks by every solver; return how often each was best, and its cost."""
    best_found = dict.fromkeys(SOLVERS, 0)
    evaluations = dict.fromkeys(SOLVERS, 0)
    for one in group:
        truth = torch.tensor(one.curve.truth, dtype=torch.float64)
        runs = {name: solver(one, one.start) for name, solver in SOLVERS.items()}
        known = [solver(one, truth) for solver in SOLVERS.values()]
        best = min(run.squares for run in (*runs.values(), *known))
        for name, run in runs.items():
            best_found[name] += run.squares <= best * (1 + NEAR)
            evaluations[name] += run.evaluations
    return {"best": best_found, "evaluations": evaluations}


def main(json: str | None = None) -> None:
    """Solve all tasks; print how often each solver found the best minimum."""
    torch.set_num_threads(1)
    print(f"{'best minimum found':32}" + "".join(f"{name:>12}" for name in SOLVERS))
    figures: dict[str, Any] = {}
    for name, group in tasks().items():
        figures[name] = compare(group)
        found = figures[name]["best"]
        print(f"  {name:30}" + "".join(f"{found[s]:12}" for s in SOLVERS), flush=True)
    for what in ("best", "evaluations"):
        figures[what] = {s: sum(figures[name][what][s] for name in CURVES) for s in SOLVERS}
        print(f"  {'all, ' + what:30}" + "".join(f"{figures[what][s]:12}" for s in SOLVERS))
    print(f"  before: {', '.join(f'{name} {count}' for name, count in BEFORE.items())}")
    enough = figures["best"]["neuropil"] >= max(figures["best"].values())
    print(f"  at least the better of SciPy's: {'yes' if enough else 'NO'}")
    report("random_starts", figures | {"before": BEFORE}, json)
