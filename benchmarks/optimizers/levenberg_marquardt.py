"""Levenberg–Marquardt: solved starts and time beside torch-levenberg-marquardt, and memory.

1. The 1-5-1 tanh network on a sine, from 30 shared starts, until the sum of squared errors is
   0.002; the peer has its defaults, and once more its faster solver and its Jacobian of the
   whole batch. Then 1,000 starts of our own, and 64 starts at once beside one.
2. One step with 5,000 weights and 100,000 samples, and with 500 weights and 10⁴ to 10⁶ samples:
   the most memory above what the data and PyTorch take, each measured in a process of its own.
"""

from __future__ import annotations

import functools
import importlib
import subprocess
import sys
import time
import warnings
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from benchmarks.memory import peak, resident
from benchmarks.optimizers import sine
from benchmarks.timing import Timing, alternate, ratio, report
from neuropil.layers import Input, Linear, Tanh
from neuropil.optim import LevenbergMarquardt

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

SOLVED, STARTS, LIMIT, STEPS = 30, 1000, 500, 20
SIZES = [(5000, 100_000), (500, 10_000), (500, 100_000), (500, 1_000_000)]
PORTION = 4000


def main(json: str | None = None, rounds: int = 3, starts: int = STARTS) -> None:
    """Print solved starts, times and their ratio, then memory."""
    torch.set_num_threads(1)
    figures = {
        "sine": compare(rounds),
        "starts": many(starts),
        "restarts": restarts(rounds),
        "memory": {f"{weights} weights, {rows} rows": measured(weights, rows)
                   for weights, rows in SIZES},
    }  # fmt: skip
    report("levenberg_marquardt", figures, json)


def compare(rounds: int) -> dict[str, Any]:
    """Fit the sine from shared starts with each library in turn."""
    contestants = {
        "neuropil": ours,
        "torch-levenberg-marquardt": theirs,
        "  its cholesky, no vmap": lambda seed: theirs(
            seed, solve_method="cholesky", use_vmap=False
        ),
    }
    solved = {
        name: sum(run(seed) <= sine.GOAL for seed in range(SOLVED))
        for name, run in contestants.items()
    }
    timings = alternate(
        {
            name: lambda run=run: [run(seed) for seed in range(SOLVED)]
            for name, run in contestants.items()
        },
        rounds=rounds,
        warm_up=0,
    )
    print(f"1-5-1 on a sine, {SOLVED} starts, {rounds} rounds")
    figures: dict[str, Any] = {}
    for name, timing in timings.items():
        line = f"  {name:28} {solved[name]} of {SOLVED}, {timing.median / SOLVED:.4f} s a start"
        figures[name] = {"solved": solved[name], "seconds": timing.median / SOLVED}
        if name != "neuropil":
            both = ratio(timings["neuropil"], timing)
            figures[name]["ratio"] = both.median
            line += f", neuropil / this: {both}"
        print(line)
    return figures


def ours(seed: int) -> float:
    network = sine.start(seed)
    optimizer = LevenbergMarquardt(network.parameters())
    for _ in range(LIMIT):
        optimizer.step(lambda: sine.residuals(network))
        if 2 * optimizer.outcome.loss <= sine.GOAL or optimizer.outcome.done:
            break
    return sine.sse(network).item()


def theirs(seed: int, **options: Any) -> float:
    network = sine.start(seed)
    module = peer().LevenbergMarquardtModule(network, **options)
    for _ in range(LIMIT):
        _, loss, stopped, _ = module.training_step(sine.x, sine.y)
        if len(sine.x) * loss.item() <= sine.GOAL or stopped:
            break
    return sine.sse(network).item()


@functools.cache
def peer() -> ModuleType:
    """Return the peer, which loads torchvision."""
    from benchmarks.architectures import torchvision

    torchvision()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module("torch_levenberg_marquardt.training")


def many(starts: int) -> dict[str, int]:
    """Fit from many random starts: none may raise or end uphill."""
    solved = 0
    for seed in range(starts):
        network = sine.start(seed)
        before = sine.sse(network).item()
        optimizer = LevenbergMarquardt(network.parameters())
        for _ in range(LIMIT):
            optimizer.step(lambda network=network: sine.residuals(network))
            if 2 * optimizer.outcome.loss <= sine.GOAL or optimizer.outcome.done:
                break
        after = sine.sse(network).item()
        assert after <= before
        solved += after <= sine.GOAL
    print(f"{starts} starts: {solved} solved, none raised, none went uphill")
    return {"starts": starts, "solved": solved}


def restarts(rounds: int) -> dict[str, float]:
    """Take as many steps from 64 starts at once as from one."""

    def steps(count: int) -> None:
        network = sine.start(0)
        generator = torch.Generator().manual_seed(0)
        optimizer = LevenbergMarquardt(
            network.parameters(),
            restarts=count,
            draw=lambda: network.reset_parameters(generator),
        )
        for _ in range(STEPS):
            optimizer.step(lambda: sine.residuals(network))

    timings: dict[str, Timing] = alternate(
        {"64": lambda: steps(64), "1": lambda: steps(1)}, rounds=5 * rounds
    )
    both = ratio(timings["64"], timings["1"])
    print(f"{STEPS} steps: 64 starts at once / one start: {both}")
    return {"ratio": both.median, "low": both.low, "high": both.high}


def measured(weights: int, rows: int) -> dict[str, float]:
    """Take one step in a process of its own; return its time and memory."""
    module = "benchmarks.optimizers.levenberg_marquardt"
    command = [sys.executable, "-m", module, str(weights), str(rows)]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    megabytes, seconds, count, before, after = map(float, told.split())
    print(
        f"one step, {count:.0f} weights, {rows} rows: {megabytes:.0f} MB above the data, "
        f"{seconds:.1f} s, loss {before:.6g} to {after:.6g}"
    )
    return {"megabytes": megabytes, "seconds": seconds, "before": before, "after": after}


def one_step(weights: int, rows: int) -> None:
    """Print what one accepted step on random data takes, in megabytes and seconds."""
    hidden = weights // 50
    torch.manual_seed(0)
    network = Input(48) >> Tanh(hidden) >> Linear(1)
    X = torch.randn(rows, 48)
    y = X[:, :1].sin() + X[:, 1:2] * X[:, 2:3]

    def portions() -> Iterator[Tensor]:
        for some, wanted in zip(X.split(PORTION), y.split(PORTION), strict=True):
            yield (network(some) - wanted).flatten()

    small = Input(48) >> Tanh(2) >> Linear(1)  # what libraries load at first use is not ours
    warm_up = LevenbergMarquardt(small.parameters())
    warm_up.step(lambda: small(X[:200]).flatten() - y[:200, 0])
    held, start = resident(), time.perf_counter()
    optimizer = LevenbergMarquardt(network.parameters())
    before = optimizer.step(portions).item()
    seconds = time.perf_counter() - start
    count = sum(p.numel() for p in network.parameters())
    print((peak() - held) / 1e6, seconds, count, before, optimizer.outcome.loss)


if __name__ == "__main__":
    one_step(*map(int, sys.argv[1:]))
