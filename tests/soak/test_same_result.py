"""The same seed gives the same result, whatever else the machine does."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from neuropil.runs.run_folder import Run

BUSY = "while True: pass"


def trained(folder: Path, number: int) -> tuple[bytes, str, int]:
    """Train in a process of its own, every second one beside a busy core."""
    command = [sys.executable, "-m", "neuropil", "train", "--epochs", "2", "--quiet"]
    environment = {k: v for k, v in os.environ.items() if k != "OMP_NUM_THREADS"}
    environment["PYTHONHASHSEED"] = str(number)
    out = folder / f"run{number}"
    busy = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(number % 2)]
    try:
        subprocess.run([*command, "--out", out], env=environment, check=True)
    finally:
        for process in busy:
            process.kill()
            process.wait()
    run = Run.open(out)
    weights = (out / "weights.safetensors").read_bytes()
    return weights, str(run.figures), run.settings["threads"]


@pytest.mark.soak
def test_twenty_runs_end_with_one_result(tmp_path):
    assert len({trained(tmp_path, number) for number in range(20)}) == 1
