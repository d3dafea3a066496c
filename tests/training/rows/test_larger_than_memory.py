"""A set that does not fit in memory is trained on in bounded memory, and resumed bit by bit."""

import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent / "larger_than_memory.py"


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
@pytest.mark.parametrize(
    ("megabytes", "allowed"),
    [(4, math.inf), pytest.param(200, 150, marks=pytest.mark.soak)],
)
def test_files_are_trained_on_in_bounded_memory_and_resumed(tmp_path, megabytes, allowed):
    run = subprocess.run(
        [sys.executable, SCRIPT, tmp_path, str(megabytes)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert float(run.stdout) <= allowed
