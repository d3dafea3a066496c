"""Two processes together do what one does alone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

SCRIPT = Path(__file__).parent / "together.py"
# torchrun imports PyTorch three times more.
EXTENDED = pytest.mark.extended


@pytest.fixture(scope="module", params=["fork", pytest.param("torchrun", marks=EXTENDED)])
def results(request, tmp_path_factory):
    """What the trainings gave in one process, and in each of two."""
    folder = tmp_path_factory.mktemp("together")
    run = subprocess.run(
        [sys.executable, SCRIPT, request.param, folder],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return folder


def read(path):
    return torch.load(path, weights_only=True)


@pytest.mark.parametrize("training", ["usual", "accumulated", "streamed", "far", "custom"])
def test_two_processes_train_like_one(results, training):
    alone = read(results / "alone" / "rank0.pt")[training]
    for rank in (0, 1):
        together = read(results / "two" / f"rank{rank}.pt")[training]
        for key, weight in alone["weights"].items():
            torch.testing.assert_close(together["weights"][key], weight, rtol=0, atol=1e-6)
        assert len(together["history"]) == len(alone["history"])
        for ours, theirs in zip(together["history"], alone["history"], strict=True):
            assert ours == pytest.approx(theirs, abs=1e-6)


def test_both_hold_the_same_bits(results):
    first, second = (read(results / "two" / f"rank{rank}.pt") for rank in (0, 1))
    for training, result in first.items():
        for key, weight in result["weights"].items():
            assert torch.equal(weight, second[training]["weights"][key])


def test_a_training_of_two_is_resumed_bit_by_bit(results):
    for rank in (0, 1):
        (record,) = read(results / "two" / f"rank{rank}.pt")["resumed"]["history"]
        assert record == {"same": True, "steps": 80}


def test_only_the_first_shows_progress(results):
    assert len(list((results / "two").glob("shown*"))) == 1
