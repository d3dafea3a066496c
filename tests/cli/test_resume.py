import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from neuropil.cli import plan
from neuropil.training import Trainer
from neuropil.training.run import Run

QUICK = ("--epochs", "2", "--threads", "1", "--quiet")

LONG = ("--epochs", "40", *QUICK[2:])


def interrupting(monkeypatch, step: int):
    """Send Ctrl-C to this process during a step."""
    fit = Trainer.fit

    def interrupted(self, *arguments, **options):
        class Interrupt(type(self.progress)):
            def epoch(self, status, record):
                if record["epoch"] == step:
                    os.kill(os.getpid(), signal.SIGINT)

        self.progress = Interrupt()
        return fit(self, *arguments, **options)

    monkeypatch.setattr(Trainer, "fit", interrupted)


@pytest.fixture(name="whole")
def uninterrupted(neuropil, table):
    assert neuropil("train", "--data", table, "--out", "whole", *LONG).code == 0
    return Run.open("whole")


def columns(run: Run) -> list[dict]:
    """The history without the one column that depends on the clock."""
    return [{k: v for k, v in record.items() if k != "seconds"} for record in run.history()]


def assert_same(one: Run, other: Run) -> None:
    weights = [(run.path / "weights.safetensors").read_bytes() for run in (one, other)]
    assert weights[0] == weights[1]
    assert columns(one) == columns(other)
    assert one.figures == other.figures


def test_an_interrupted_training_goes_on_as_if_nothing_had_happened(
    neuropil, table, whole, monkeypatch
):
    with monkeypatch.context() as patch:
        interrupting(patch, 7)
        result = neuropil("train", "--data", table, "--out", "run", *LONG)
    assert result.code == 130
    assert "go on by: neuropil resume run" in result.err
    run = Run.open("run")
    assert run.status == "interrupted"
    assert len(run.history()) == 7
    said = neuropil("predict", "run", table).err
    assert "note: the training in run was interrupted" in said
    assert neuropil("resume", "run", "--quiet").code == 0
    assert_same(Run.open("run"), whole)


def test_a_killed_training_goes_on_as_if_nothing_had_happened(neuropil, table, whole):
    command = [
        sys.executable,
        "-m",
        "neuropil",
        "train",
        "--data",
        table,
        "--out",
        "run",
        *LONG,
    ]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, env=environment) as process:
        deadline = time.monotonic() + 60
        while not list(table.parent.glob("run/checkpoints/step-*.pt")):
            assert time.monotonic() < deadline
            time.sleep(0.005)
        process.kill()
    if Run.open("run").status == "running":
        assert neuropil("resume", "run", "--quiet").code == 0
    assert_same(Run.open("run"), whole)


def test_a_run_killed_before_its_first_checkpoint_begins_again(neuropil, copied, trained):
    run = copied("table-run", finished="running")
    shutil.rmtree(run / "checkpoints")
    recipe = plan.recipe_of(Run.open(run))
    assert recipe.epochs == 2
    assert neuropil("resume", run, "--quiet").code == 0
    assert Run.open(run).status == "finished"


def test_a_finished_run_has_nothing_to_resume(neuropil, trained):
    result = neuropil("resume", trained / "table-run")
    assert result.code == 0
    assert "is finished: there is nothing to resume." in result.out


def test_data_that_have_changed_are_noticed(refused, copied, trained, tmp_path):
    run = copied("table-run", finished="interrupted")
    data = trained / "table.csv"
    changed = data.read_text()
    try:
        data.write_text(changed.replace("0.1,b", "0.2,b", 1))
        line = refused("resume", run)
    finally:
        data.write_text(changed)
    assert "have changed since this run began" in line


def test_data_that_are_gone_are_named(refused, neuropil, table):
    assert neuropil("train", "--data", table, "--out", "run", *QUICK).code == 0
    facts = table.parent / "run" / "run.json"
    facts.write_text(facts.read_text().replace('"finished"', '"interrupted"'))
    table.unlink()
    assert "table.csv" in refused("resume", "run")


def test_no_two_processes_train_in_one_folder(refused, copied):
    run = Run.open(copied("table-run", finished="interrupted"))
    script = (
        "from pathlib import Path; from neuropil.training.run_facts import lock_folder;"
        f"lock_folder(Path({str(run.path)!r})); print('held', flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        line = refused("resume", run.path)
        other.kill()
    assert "another process is training" in line
