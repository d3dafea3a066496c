"""Damaged files of arrays and pictures give results or one line, never a traceback."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.soak.fuzzing import failures


def test_some_hundred_damaged_files():
    assert list(failures(0, 200)) == []


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(1, 11))
def test_thousands_of_damaged_files_within_limits(seed):
    program = str(Path(__file__).with_name("fuzzing.py"))
    made = subprocess.run(
        [sys.executable, program, str(seed), "1000"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stdout + made.stderr
