"""The command line under torchrun: one run folder, one voice, one end."""

import json
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from safetensors.torch import load_file
from tests.scripts import run_script

from neuropil.cli.terminal.process_group import rank
from neuropil.runs.run_folder import Run
from neuropil.training import History

SCRIPT = Path(__file__).parent / "group_commands.py"
RESUME = "resume with: torchrun --nproc-per-node 2 -m neuropil resume"


class Said(NamedTuple):
    codes: list[int]
    out: list[str]
    err: list[str]


@pytest.fixture(scope="module", name="folder")
def run_commands(tmp_path_factory):
    """Run all commands, and return the folder with what came of them."""
    folder = tmp_path_factory.mktemp("group")
    run_script(SCRIPT, folder, COLUMNS="100")
    return folder


@pytest.fixture(name="said")
def read_output(folder):
    """Return a function that reads what both processes said."""

    def read(name: str) -> Said:
        where = folder / name
        codes = json.loads((where / "codes.json").read_text())
        out = [(where / f"out{rank}").read_text() for rank in (0, 1)]
        # Torch's own warnings about sockets are not ours.
        lines = [
            (where / f"err{rank}").read_text().splitlines(keepends=True) for rank in (0, 1)
        ]
        err = ["".join(line for line in own if not line.startswith("[")) for own in lines]
        return Said(codes, out, err)

    return read


def weights(run: Path) -> dict[str, torch.Tensor]:
    return load_file(run / "weights.safetensors")


def test_two_processes_write_one_run_and_one_of_them_speaks(folder, said):
    codes, out, err = said("trained")
    assert codes == [0, 0]
    assert "Together 2 processes of 1 thread, which divide every batch among them" in out[0]
    assert "Next     neuropil predict run table.csv" in out[0]
    assert out[1] == ""
    assert "epoch 4/4" in err[0]
    assert err[1] == ""
    assert Run.open(folder / "run").status == "finished"
    assert (folder / "run" / "report.html").is_file()


def test_the_weights_are_those_of_one_process(folder):
    ours, single = weights(folder / "run"), weights(folder / "single")
    assert list(ours) == list(single)
    for key, value in single.items():
        difference = (ours[key].double() - value.double()).norm()
        assert difference <= 1e-6 * value.double().norm(), key
    histories = [History.load(folder / name / "history.csv") for name in ("run", "single")]
    for own, alone in zip(*histories, strict=True):
        assert own["validation_loss"] == pytest.approx(alone["validation_loss"], rel=1e-6)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("exists", "run already exists: name a new folder with --out"),
        ("failed", "the second process found an error."),
    ],
)
def test_an_error_ends_both_with_one_message_and_one_code(said, name, words):
    codes, out, err = said(name)
    assert codes == [2, 2]
    errors = [line for line in "".join(err).splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert words in errors[0]
    assert "Traceback" not in "".join(err)
    assert out[1] == ""


def test_other_commands_are_for_the_first_process(said):
    codes, out, err = said("predicted")
    assert codes == [0, 0]
    assert len(out[0].splitlines()) == 300
    assert (out[1], err[1]) == ("", "")


def test_a_killed_process_ends_the_other_which_says_how_to_resume(folder, said):
    codes, _, err = said("killed")
    assert codes == [2, -9]
    last = err[0].splitlines()[-1]
    assert last.startswith("error: another process of this training has ended")
    assert last.endswith(f"{RESUME} killed-run")


def test_the_resumed_training_ends_as_if_none_had_been_killed(folder, said):
    assert said("resumed").codes == [0, 0]
    whole, resumed = weights(folder / "run"), weights(folder / "killed-run")
    assert all(torch.equal(value, resumed[key]) for key, value in whole.items())


def test_shard_needs_several_processes(refused):
    assert refused("train", "--shard") == (
        "--shard needs several processes: torchrun --nproc-per-node 2 -m neuropil train "
        "--shard …"
    )


@pytest.mark.parametrize(("own", "count"), [("5", "2"), ("abc", "2"), ("0", "x"), ("-1", "2")])
def test_a_rank_outside_the_group_is_refused(monkeypatch, own, count):
    monkeypatch.setenv("RANK", own)
    monkeypatch.setenv("WORLD_SIZE", count)
    with pytest.raises(ValueError, match=f"RANK={own} and WORLD_SIZE={count}: the first must"):
        rank()
