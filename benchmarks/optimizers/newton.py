"""Newton's method on the small network that fits a sine, beside SR1 and BFGS.

Ten starts in double precision, one thread; a run ends when the sum of squared errors is 0.002,
or after 500 steps. Starts solved stand beside the time, steps and evaluations of the loss.
"""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any

import torch

from benchmarks.optimizers import sine
from benchmarks.timing import alternate, ratio, report
from neuropil.optim import Hessian, QuasiNewton

if TYPE_CHECKING:
    from collections.abc import Callable

STARTS = 10
MOST_STEPS = 500
METHODS: dict[str, Callable[..., Any]] = {
    "Newton": Hessian,
    "Newton, Hessian-free": lambda params: Hessian(params, hessian_free=True),
    "SR1": lambda params: QuasiNewton(params, update="sr1"),
    "BFGS": lambda params: QuasiNewton(params, update="bfgs"),
}
PEER = "SR1"


def main(json: str | None = None, rounds: int = 5) -> None:
    """Fit from all starts in turn, and print what was solved, and how fast."""
    torch.set_num_threads(1)
    runs: dict[str, list[dict[str, float]]] = {}

    def noted(name: str, fit: Callable[[int], dict[str, float]]) -> Callable[[], None]:
        def run() -> None:
            runs[name] = [fit(seed) for seed in range(STARTS)]

        return run

    contestants = {name: noted(name, lambda seed, n=name: ours(n, seed)) for name in METHODS}
    timings = alternate(contestants, rounds=rounds)
    figures: dict[str, Any] = {}
    print(f"1-5-1 tanh network on a sine, {STARTS} starts, {rounds} alternated rounds")
    print(f"{'':22} solved      ms a start   steps   evaluations   time / {PEER}")
    for name, timing in timings.items():
        solved = sum(run["sse"] <= sine.GOAL for run in runs[name])
        steps = statistics.median(run["steps"] for run in runs[name])
        evaluations = statistics.median(run["evaluations"] for run in runs[name])
        each = 1000 * timing.median / STARTS
        both = ratio(timing, timings[PEER])
        print(
            f"{name:22} {solved:2} of {STARTS} {each:13.1f} {steps:7.0f} {evaluations:13.0f}   "
            f"{both}"
        )
        figures[name] = {
            "solved": solved,
            "milliseconds": each,
            "steps": steps,
            "evaluations": evaluations,
            "ratio": both.median,
        }
    report("newton", {"starts": STARTS, "rounds": rounds, "methods": figures}, json)


def ours(name: str, seed: int) -> dict[str, float]:
    """Fit from one start with an optimiser of ours."""
    network = sine.start(seed)
    optimizer = METHODS[name](network.parameters())
    for _ in range(MOST_STEPS):
        optimizer.step(lambda: sine.sse(network))
        if optimizer.outcome.loss <= sine.GOAL or optimizer.outcome.done:
            break
    outcome = optimizer.outcome
    return {
        "sse": sine.sse(network).item(),
        "steps": outcome.steps,
        "evaluations": outcome.evaluations,
    }
