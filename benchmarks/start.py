"""How long the first result takes, beside the import of PyTorch alone, in fresh processes.

A new user waits for `neuropil train`. One epoch on the digits is mostly what it loads, so the
import of PyTorch, which nothing can avoid, is the measure.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.timing import Timing, ratio, report

MOST = 3.3
IMPORT = [sys.executable, "-c", "import torch"]


def main(json: str | None = None, rounds: int = 7) -> None:
    """Time both and print their seconds and the ratios, by the clock and by the processor."""
    seconds: dict[str, list[tuple[float, float]]] = {"import torch": [], "neuropil train": []}
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(-1, rounds):  # the first round fills the caches of the disk
            train = [sys.executable, "-m", "neuropil", "train", "--epochs", "1"]
            train += ["--out", str(Path(folder, f"run{turn}")), "--quiet"]
            for name, command in (("import torch", IMPORT), ("neuropil train", train)):
                taken = run(command)
                if turn >= 0:
                    seconds[name].append(taken)
    figures: dict[str, Any] = {"most": MOST}
    for place, clock in enumerate(("clock", "processor")):
        loaded, trained = (
            Timing(name, [pair[place] for pair in pairs]) for name, pairs in seconds.items()
        )
        found = ratio(trained, loaded)
        figures[clock] = {
            "import": loaded.seconds,
            "train": trained.seconds,
            "ratio": found.median,
            "ratio of the fastest": trained.minimum / loaded.minimum,
        }
        print(
            f"{clock:<9}  import torch {loaded.median:.2f} s, neuropil train --epochs 1 "
            f"{trained.median:.2f} s: ratio {found}, of the fastest "
            f"{trained.minimum / loaded.minimum:.2f}; at most {MOST}"
        )
    report("start", figures, json)


def run(command: list[str]) -> tuple[float, float]:
    """Run a command and return its seconds by the clock and by the processor.

    Raises:
        CalledProcessError: When it fails.
    """
    # An installed package is compiled; without this, a checkout may be compiled in every run.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    nothing = subprocess.DEVNULL
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=nothing, stderr=nothing, env=environment)
    _, status, used = os.wait4(process.pid, 0)
    taken = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return taken, used.ru_utime + used.ru_stime
