"""Timing two things fairly: in turn, in one process, again and again."""

from __future__ import annotations

import gc
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True)
class Timing:
    """Seconds that something took, round by round.

    Attributes:
        name: What was timed.
        seconds: One figure a round, per repetition.
    """

    name: str
    seconds: list[float]

    @property
    def minimum(self) -> float:
        """The least disturbed round."""
        return min(self.seconds)

    @property
    def median(self) -> float:
        """The middle round."""
        return statistics.median(self.seconds)


@dataclass(frozen=True)
class Ratio:
    """The paired ratio of two timings, round by round.

    Attributes:
        median: The middle ratio.
        low: The lower end of its 95 % interval (bootstrap over rounds).
        high: The upper end.
    """

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.3f} [{self.low:.3f}, {self.high:.3f}]"


def alternate(
    contestants: Mapping[str, Callable[[], object]],
    *,
    rounds: int,
    repetitions: int = 1,
    warm_up: int = 1,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, Timing]:
    """Time each contestant once a round, in an order that turns with the rounds.

    Args:
        contestants: What to run, by name.
        rounds: How often each is timed.
        repetitions: Calls within one timing, whose mean counts.
        warm_up: Calls of each before the first round.
        clock: What reads the time. `time.thread_time` leaves other programs out, and is fair
            where all contestants run on one thread.
    """
    names = list(contestants)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for run in contestants.values():
        for _ in range(warm_up):
            run()
    # What lives already is set aside: each collection between two timings would go through it.
    gc.freeze()
    for turn in range(rounds):
        shift = turn % len(names)
        for name in names[shift:] + names[:shift]:
            seconds[name].append(timed(contestants[name], repetitions, clock))
    gc.unfreeze()
    return {name: Timing(name, seconds[name]) for name in names}


def timed(
    run: Callable[[], object],
    repetitions: int,
    clock: Callable[[], float] = time.perf_counter,
) -> float:
    """Return the mean seconds of a call, with the garbage collector at rest."""
    gc.collect()
    gc.disable()
    try:
        start = clock()
        for _ in range(repetitions):
            run()
        return (clock() - start) / repetitions
    finally:
        gc.enable()


def ratio(ours: Timing, peer: Timing, *, draws: int = 2000) -> Ratio:
    """Return ours over the peer's, paired by round, with a bootstrap interval."""
    pairs = [a / b for a, b in zip(ours.seconds, peer.seconds, strict=True)]
    rng = random.Random(0)
    medians = sorted(statistics.median(rng.choices(pairs, k=len(pairs))) for _ in range(draws))
    return Ratio(statistics.median(pairs), medians[draws // 40], medians[-draws // 40 - 1])


def first_use(code: str, prepare: str = "from neuropil.classic import *") -> float:
    """Return the processor's seconds that statements take with nothing compiled before.

    Args:
        code: The statements, with rows X and classes y at hand.
        prepare: What to import before the clock starts.
    """
    prepared = (
        f"import time, numpy as np\n{prepare}\n"
        "X, y = np.random.default_rng(0).normal(size=(200, 4)), np.arange(200) % 2\n"
        f"start = time.thread_time()\n{code}\nprint(time.thread_time() - start)"
    )
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run(
            [sys.executable, "-c", prepared],
            env={**os.environ, "NUMBA_CACHE_DIR": folder},
            capture_output=True,
            text=True,
            check=True,
        )
    return float(run.stdout)


def machine() -> dict[str, Any]:
    """Return what the figures depend on."""
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "machine": platform.machine(),
        "processor": processor(),
        "threads": torch.get_num_threads(),
        "date": time.strftime("%Y-%m-%d"),
    }


def processor() -> str:
    """Return the processor's name where the system tells it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())


def report(name: str, figures: dict[str, Any], path: str | None) -> None:
    """Write the figures of a benchmark as JSON, if asked to."""
    if path is not None:
        Path(path).write_text(
            json.dumps({"benchmark": name, "machine": machine(), **figures}, indent=1) + "\n"
        )
