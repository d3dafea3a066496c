"""A set that does not fit in memory is trained on in bounded memory, and resumed bit by bit."""

import math
import sys
from pathlib import Path

import pytest
from tests.scripts import run_script

SCRIPT = Path(__file__).parent / "larger_than_memory.py"


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
@pytest.mark.parametrize(
    ("megabytes", "allowed"),
    [(4, math.inf), pytest.param(200, 150, marks=pytest.mark.soak)],
)
def test_files_are_trained_on_in_bounded_memory_and_resumed(tmp_path, megabytes, allowed):
    assert float(run_script(SCRIPT, tmp_path, megabytes, timeout=1200)) <= allowed
