"""A run that is killed, whenever that is, and resumed ends like one that nobody killed."""

from pathlib import Path

import pytest
from tests.scripts import run_script


def kills(folder, how: str) -> str:
    script = Path(__file__).with_name("kills.py")
    return run_script(script, folder, how, timeout=3600, COLUMNS="100")


def test_runs_killed_before_a_file_takes_its_place_change_no_bit(tmp_path):
    assert kills(tmp_path, "short").endswith("8 of 8 are the same\n")


@pytest.mark.soak
def test_a_hundred_kills_change_no_bit(tmp_path):
    assert kills(tmp_path, "100").endswith("100 of 100 are the same\n")
