"""Two processes together do what one does alone."""

import shutil
from pathlib import Path

import pytest
import torch
from tests.scripts import run_script

from neuropil.training.checkpoints.checkpoint import Checkpoints

SCRIPT = Path(__file__).parent / "together.py"
# torchrun imports PyTorch three times more.
EXTENDED = pytest.mark.extended


@pytest.fixture(scope="module", params=["fork", pytest.param("torchrun", marks=EXTENDED)])
def results(request, tmp_path_factory):
    """What the trainings gave in one process, and in each of two."""
    folder = tmp_path_factory.mktemp("together")
    run_script(SCRIPT, request.param, folder)
    return folder


def read(path):
    return torch.load(path, weights_only=True)


@pytest.mark.parametrize(
    "training",
    [
        *("usual", "accumulated", "weighted", "streamed", "by_rows", "fetched", "by_shards"),
        *("far", "custom", "normalised", "sharded", "moved"),
    ],
)
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


def test_one_process_finishes_the_sharded_training_of_two(results):
    alone = read(results / "alone" / "rank0.pt")["moved"]
    after = read(results / "after" / "rank0.pt")["moved"]
    for key, weight in alone["weights"].items():
        torch.testing.assert_close(after["weights"][key], weight, rtol=0, atol=1e-6)
    assert [record["steps"] for record in after["history"]] == [4, 8, 12, 16]


def test_a_sharded_checkpoint_is_a_file_and_a_folder_that_is_complete(results):
    names = sorted(path.name for path in (results / "two" / "sharded").iterdir())
    steps = ["step-000000014", "step-000000016"]
    assert names == [f"{step}{end}" for step in steps for end in (".pt", ".shards")]


def test_a_damaged_part_of_a_sharded_checkpoint_is_noticed(results, tmp_path):
    folder = shutil.copytree(results / "two" / "sharded", tmp_path / "copy")
    part = next((folder / "step-000000016.shards").iterdir())
    content = bytearray(part.read_bytes())
    content[-1] ^= 1
    part.write_bytes(content)
    with pytest.warns(UserWarning, match=r"damaged checkpoints \(step-000000016.pt\)"):
        state = Checkpoints(folder).load()
    assert state is not None
    assert state["steps"] == 14


def test_only_the_first_shows_progress(results):
    assert len(list((results / "two").glob("shown*"))) == 1
