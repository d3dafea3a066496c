"""Quasi-Newton and conjugate gradients beside SciPy and pytorch-minimize.

First the functions of Moré, Garbow and Hillstrom: how many are solved and with how many
evaluations, by every update and formula, against SciPy's BFGS and CG. Then a small network on a
sine: time until the sum of squared errors is small enough, from the same starts.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torchmin import Minimizer

from benchmarks.optimizers.more_garbow_hillstrom import PROBLEMS, Problem
from benchmarks.optimizers.scipy_peer import minimized
from benchmarks.optimizers.sine import GOAL, sse, start
from benchmarks.timing import alternate, ratio, report
from neuropil.optim import ConjugateGradient, QuasiNewton
from neuropil.optim.second_order.conjugate_gradient import FORMULAS

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

TOLERANCE = 1e-8  # of the gradient's largest entry, for all
MAX_STEPS = 1000
FIT_STEPS = 3000
UPDATES = ("bfgs", "dfp", "psb", "sr1", "lbfgs")
SEEDS = range(30)


@dataclass(frozen=True)
class Run:
    """What one method did on one function."""

    value: float
    evaluations: int


def solved(problem: Problem, value: float) -> bool:
    """Tell whether a value is one of the published minima, or 10⁻⁸ of the start's for 0."""
    small = 1e-8 * min(1.0, float(problem.value(problem.at_start())))
    return any(abs(value - m) <= 1e-5 * m + small for m in problem.minima)


def by_scipy(method: str) -> Callable[[Problem], Run]:
    def run(problem: Problem) -> Run:
        options = {"gtol": TOLERANCE, "maxiter": MAX_STEPS}
        found, evaluations = minimized(problem.value, problem.start, method, **options)
        return Run(float(found.fun), evaluations)

    return run


def by_us(kind: type, **options: Any) -> Callable[[Problem], Run]:
    def run(problem: Problem) -> Run:
        x = torch.nn.Parameter(problem.at_start())
        optimizer = kind([x], tolerance=TOLERANCE, **options)
        outcome = optimizer.minimize(lambda: problem.value(x), max_steps=MAX_STEPS)
        return Run(outcome.loss, outcome.evaluations)

    return run


def functions() -> dict[str, Any]:
    """Solve every function by every method; print a table and return its figures."""
    methods = {"SciPy BFGS": by_scipy("BFGS")}
    methods |= {name: by_us(QuasiNewton, update=name) for name in UPDATES}
    methods |= {"SciPy CG": by_scipy("CG")}
    methods |= {name: by_us(ConjugateGradient, formula=name) for name in FORMULAS}
    print(
        f"{len(PROBLEMS)} functions of Moré, Garbow and Hillstrom, gradient to {TOLERANCE:g},"
    )
    print(f"at most {MAX_STEPS} steps; evaluations of function and gradient, all and median:")
    figures: dict[str, Any] = {}
    for name, method in methods.items():
        runs = {problem: method(problem) for problem in PROBLEMS}
        missed = [p.name for p, run in runs.items() if not solved(p, run.value)]
        counts = [run.evaluations for run in runs.values()]
        figures[name] = {
            "solved": len(PROBLEMS) - len(missed),
            "evaluations": sum(counts),
            "median": statistics.median(counts),
            "missed": missed,
        }
        print(
            f"  {name:18}{figures[name]['solved']:3} solved {sum(counts):7} "
            f"{statistics.median(counts):6g}  {'misses ' * bool(missed)}{', '.join(missed)}",
            flush=True,
        )
    for peer, ours in (("SciPy BFGS", UPDATES), ("SciPy CG", tuple(FORMULAS))):
        best = max(figures[name]["solved"] for name in ours)
        enough = best >= figures[peer]["solved"]
        print(f"  best of ours solves as many as {peer}: {'yes' if enough else 'NO'} ({best})")
    return figures


class Reached(Exception):  # noqa: N818 - a success
    """The error is small enough."""


def fit(seed: int, make: Callable[[Any], Any]) -> tuple[bool, int]:
    """Train from one start until the error is small enough: whether it is, and evaluations."""
    network = start(seed)
    optimizer = make(list(network.parameters()))
    theirs = isinstance(optimizer, Minimizer)
    evaluations = 0

    def closure() -> Tensor:
        nonlocal evaluations
        evaluations += 1
        if theirs:
            optimizer.zero_grad()
        loss = sse(network)
        if loss.item() <= GOAL:
            raise Reached
        return loss

    try:
        if theirs:
            optimizer.step(closure)
        else:
            optimizer.minimize(closure, max_steps=FIT_STEPS)
    except Reached:
        return True, evaluations
    return False, evaluations


def contestants() -> dict[str, Callable[[Any], Any]]:
    ours = {name: maker(QuasiNewton, update=name) for name in UPDATES}
    ours |= {name: maker(ConjugateGradient, formula=name) for name in FORMULAS}
    limits = {"gtol": TOLERANCE, "max_iter": FIT_STEPS}
    peers = {
        f"pytorch-minimize {name.upper()}": maker(Minimizer, method=name, options=limits | more)
        for name, more in (("bfgs", {"xtol": 0.0}), ("cg", {}))
    }
    return ours | peers


def maker(kind: type, **options: Any) -> Callable[[Any], Any]:
    return lambda params: kind(params, **options)


def sine(rounds: int) -> dict[str, Any]:
    """Fit the sine from all starts by every method; time the best against the peer's."""
    print(f"\n1-5-1 tanh network on a sine, {len(SEEDS)} starts, until the error is {GOAL}:")
    every = contestants()
    figures: dict[str, Any] = {}
    for name, make in every.items():
        runs = [fit(seed, make) for seed in SEEDS]
        missed = [seed for seed, (reached, _) in zip(SEEDS, runs, strict=True) if not reached]
        evaluations = sum(count for _, count in runs)
        figures[name] = {"evaluations": evaluations, "missed": missed}
        print(
            f"  {name:22}{len(SEEDS) - len(missed):3} solved {evaluations:7} evaluations"
            f"{'  misses seeds ' * bool(missed)}{', '.join(map(str, missed))}",
            flush=True,
        )
    for peer, family in (("pytorch-minimize BFGS", UPDATES), ("pytorch-minimize CG", FORMULAS)):
        best = min(family, key=lambda name: cost(figures[name]))
        pair = {name: all_starts(every[name]) for name in (best, peer)}
        timings = alternate(pair, rounds=rounds)
        found = ratio(timings[best], timings[peer])
        each = {name: timing.median / len(SEEDS) * 1e3 for name, timing in timings.items()}
        print(
            f"  {best} over {peer}: {found} ({each[best]:.1f} ms a start against "
            f"{each[peer]:.1f}); at most its time: {'yes' if found.median <= 1 else 'NO'}"
        )
        figures[f"{best} / {peer}"] = {"ratio": found.median, "ms": each}
    return figures


def cost(figures: dict[str, Any]) -> tuple[int, int]:
    return len(figures["missed"]), figures["evaluations"]


def all_starts(make: Callable[[Any], Any]) -> Callable[[], object]:
    return lambda: [fit(seed, make) for seed in SEEDS]


def main(json: str | None = None, rounds: int = 3) -> None:
    """Solve the functions, then fit the sine."""
    torch.set_num_threads(1)
    found = functions()
    report("quasi_newton", {"functions": found, "sine": sine(rounds)}, json)
