"""Damaged run folders and expressions give results or one line, never a traceback."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.soak.run_fuzzing import expressions, files


def test_some_damaged_run_folders():
    assert list(files(0, 60)) == []


def test_some_hundred_expressions():
    assert list(expressions(0, 300)) == []


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(1, 11))
@pytest.mark.parametrize(("kind", "count"), [("files", 1000), ("expressions", 2000)])
def test_thousands_within_limits(kind, count, seed):
    program = str(Path(__file__).with_name("run_fuzzing.py"))
    made = subprocess.run(
        [sys.executable, program, kind, str(seed), str(count)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stdout + made.stderr
