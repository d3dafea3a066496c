"""A run that is killed, whenever that is, and resumed ends like one that nobody killed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


def kills(folder, how: str) -> str:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "100"}
    result = subprocess.run(
        [sys.executable, Path(__file__).with_name("kills.py"), folder, how],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_runs_killed_before_a_file_takes_its_place_change_no_bit(tmp_path):
    assert kills(tmp_path, "short").endswith("8 of 8 are the same\n")


@pytest.mark.soak
def test_a_hundred_kills_change_no_bit(tmp_path):
    assert kills(tmp_path, "100").endswith("100 of 100 are the same\n")
