import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from neuropil.cli import plan
from neuropil.cli.run_data import open_again, open_splits
from neuropil.cli.settings import Settings
from neuropil.datasets.fingerprint import fingerprint
from neuropil.runs.recipes import default_recipes
from neuropil.runs.run_folder import Run
from neuropil.training import Trainer
from neuropil.training.threads import use_threads

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
    assert "resume with: neuropil resume run" in result.err
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
        checkpoints = table.parent / "run" / "checkpoints"
        while process.poll() is None and not list(checkpoints.glob("step-*.pt")):
            time.sleep(0.005)
        process.kill()
    if Run.open("run").status == "running":
        assert neuropil("resume", "run", "--quiet").code == 0
    assert_same(Run.open("run"), whole)


def test_a_run_killed_before_its_first_checkpoint_begins_again(neuropil, copied, trained):
    run = copied("table-run", finished="running")
    shutil.rmtree(run / "checkpoints")
    assert "no checkpoint" in neuropil("resume", run).err  # the first weights are gone
    (run / "history.csv").unlink()
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
        "from pathlib import Path; from neuropil.runs.run_facts import lock_folder;"
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


# What is missing is done


@pytest.fixture(name="bars")
def run_in_two_parts(pictures):
    """The options of a training at two sizes."""
    network = "Convolution(2, 3) >> Relu() >> GlobalPooling() >> Softmax(2)"
    return ("--data", pictures, "--network", network, "--then", "10:2", "--out", "run", *QUICK)


class Stop(BaseException):
    """Ends a command where a kill would, as nothing in the code catches it."""


def stopping(monkeypatch, place: str):
    def stop(*_, **__):
        raise Stop

    monkeypatch.setattr(place, stop)


def test_finished_is_written_after_the_report(neuropil, table, monkeypatch):
    with monkeypatch.context() as patch:
        stopping(patch, "neuropil.report.write_report")
        with pytest.raises(Stop):
            neuropil("train", "--data", table, "--out", "run", *QUICK)
    run = Run.open("run")
    assert run.status == "running"
    assert not run.report.exists()
    assert "neuropil resume run" in neuropil("predict", "run", table).err
    assert neuropil("resume", "run", "--quiet").code == 0
    again = Run.open("run")
    assert (again.status, again.figures) == ("finished", run.figures)
    assert again.report.exists()


def test_a_fault_in_the_report_costs_no_network(neuropil, table, monkeypatch):
    def broken(*_, **__):
        raise TypeError

    with monkeypatch.context() as patch:
        patch.setattr("neuropil.report.write_report", broken)
        with pytest.raises(TypeError):
            neuropil("train", "--data", table, "--out", "run", *QUICK)
    assert neuropil("predict", "run", table).code == 0
    assert neuropil("report", "run").code == 0
    assert Run.open("run").report.exists()


@pytest.mark.parametrize("named", ["run", "run-first"])
def test_the_second_part_comes_by_resuming_either_folder(neuropil, bars, monkeypatch, named):
    with monkeypatch.context() as patch:
        stopping(patch, "neuropil.cli.training_run.begin_second")
        with pytest.raises(Stop):
            neuropil("train", *bars)
    assert Run.open("run-first").status == "finished"
    assert neuropil("resume", named, "--quiet").code == 0
    second = Run.open("run")
    assert (second.status, second.settings["image_size"]) == ("finished", 10)
    assert "is finished" in neuropil("resume", named).out


def test_a_second_part_that_was_interrupted_is_resumed_by_the_first(neuropil, bars):
    assert neuropil("train", *bars).code == 0
    second = Run.open("run")
    weights = (second.path / "weights.safetensors").read_bytes()
    second.status = "running"
    second.save()
    assert neuropil("resume", "run-first", "--quiet").code == 0
    assert Run.open("run").status == "finished"
    assert (second.path / "weights.safetensors").read_bytes() == weights


def test_a_first_part_is_found_by_the_name_of_the_whole(neuropil, bars, monkeypatch):
    with monkeypatch.context() as patch:
        stopping(patch, "neuropil.cli.training_run.finish")
        with pytest.raises(Stop):
            neuropil("train", *bars)
    assert Run.open("run-first").status == "running"
    assert neuropil("resume", "run", "--quiet").code == 0
    assert Run.open("run").status == "finished"


def test_a_report_is_made_again(neuropil, table, monkeypatch, copied):
    seen = {}

    def write(path, *_, **options):
        seen.update(options)
        path.write_text("again")

    run = copied("table-run")
    (run / "report.html").unlink()
    monkeypatch.setattr("neuropil.report.write_report", write)
    result = neuropil("report", run)
    assert (result.code, result.out) == (0, f"{run / 'report.html'}\n")
    assert (run / "report.html").read_text() == "again"
    assert seen["gradients"].epochs == [1, 2]
    assert seen["figures"] == Run.open(run).figures


# What was begun is what is resumed


def edited(folder, name: str, value: str) -> None:
    facts = folder / "run.json"
    plain = json.loads(facts.read_text())
    plain["settings"][name] = value
    facts.write_text(json.dumps(plain))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("lr", 0.5),
        ("seed", 7),
        ("epochs", 30),
        ("schedule", None),
        ("class_weight", "balanced"),
    ],
)
@pytest.mark.parametrize("kept", ["checkpoints", "none"])
def test_edited_settings_are_named(refused, copied, name, value, kept):
    run = copied("table-run", finished="running")
    edited(run, name, value)
    if kept == "none":
        shutil.rmtree(run / "checkpoints")
        (run / "history.csv").unlink()
        assert "the settings in" in refused("resume", run)
        return
    line = refused("resume", run)
    if name == "seed":  # the data are split by it, so they are others first of all
        assert "have changed since this run began" in line
    else:
        assert f"{name}={json.dumps(value)}, but the training was started with {name}=" in line
        assert f"neuropil train --network {run}" in line


def test_another_machine_may_use_other_threads(neuropil, copied):
    run = copied("table-run", finished="running")
    edited(run, "threads", 2)
    result = neuropil("resume", run, "--quiet")
    assert result.code == 0
    assert "threads=2, but the training was started with threads=1: the last bits" in result.err


def test_the_checkpoints_of_another_run_are_refused(neuropil, refused, table, trained, copied):
    run = copied("table-run", finished="running")
    assert neuropil("train", "--data", trained / "table.csv", "--out", "other", *QUICK,
                    "--seed", 1).code == 0  # fmt: skip
    shutil.rmtree(run / "checkpoints")
    shutil.copytree("other/checkpoints", run / "checkpoints")
    assert "seed" in refused("resume", run)


@pytest.mark.parametrize("part", ["train", "validation", "test"])
def test_a_changed_cell_of_any_part_is_noticed(neuropil, refused, table, part):
    assert neuropil("train", "--data", table, "--out", "run", *QUICK).code == 0
    splits = open_again(Run.open("run"))
    size = float(getattr(splits, part).inputs[0, 0])
    lines = table.read_text().splitlines()
    sizes = [float(line.split(",")[0]) for line in lines[1:]]
    row = 1 + sizes.index(pytest.approx(size, abs=0.01))
    # A trailing zero: the same number, and yet other bytes.
    lines[row] = lines[row].replace(",", "0,", 1)
    table.write_text("\n".join([*lines, ""]))
    assert "have changed since the training" in neuropil("evaluate", "run").err
    assert "have changed since the training" in neuropil("report", "run").err
    run = Run.open("run")
    run.status = "running"
    run.save()
    assert "have changed since this run began" in refused("resume", "run")


def test_other_versions_are_said(neuropil, copied):
    run = Run.open(copied("table-run", finished="running"))
    run.versions["torch"] = "1.0"
    run.save()
    assert "began with torch 1.0" in neuropil("resume", run.path, "--quiet").err


# Before a training


def test_a_folder_killed_before_it_began_is_free(neuropil, refused, table, monkeypatch):
    with monkeypatch.context() as patch:
        stopping(patch, "neuropil.runs.run_folder.Run.save")
        patch.setattr("neuropil.runs.run_folder.Run.discard", lambda run: None)
        with pytest.raises(Stop):
            neuropil("train", "--data", table, "--out", "run", *QUICK)
    assert not (table.parent / "run" / "run.json").exists()
    (table.parent / "run" / ".run.json.4711.tmp").write_text("half")
    assert "start it again with `neuropil train --out run`" in refused("resume", "run")
    assert neuropil("train", "--data", table, "--out", "run", *QUICK).code == 0
    assert not list(table.parent.glob("run/**/.*"))


@pytest.mark.parametrize("other", ["weights.safetensors", "notes.txt", "checkpoints/step-1.pt"])
def test_a_folder_with_anything_else_is_not_free(refused, table, other):
    folder = table.parent / "run"
    (folder / other).parent.mkdir(parents=True)
    (folder / other).write_text("mine")
    if other == "notes.txt":
        (folder / "checkpoints").mkdir()
    assert "already exists" in refused("train", "--data", table, "--out", "run", *QUICK)
    assert (folder / other).read_text() == "mine"


def interrupt(*_, **__):
    os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (
            "neuropil.cli.training_run.open_splits",
            "before the training began: nothing was saved",
        ),
        ("neuropil.cli.plan.make_plan", "before the training began: nothing was saved"),
        ("neuropil.runs.run_folder.Run.create", "before the training began: nothing was saved"),
        ("neuropil.cli.plan.trainer", "before the training began: nothing was saved"),
        ("neuropil.cli.finish.measure", "resume with: neuropil resume run"),
        ("neuropil.report.write_report", "resume with: neuropil resume run"),
    ],
)
def test_an_interruption_at_any_time_says_what_is_kept(
    neuropil, table, monkeypatch, place, said
):
    with monkeypatch.context() as patch:
        patch.setattr(place, interrupt)
        result = neuropil("train", "--data", table, "--out", "run", *QUICK)
    assert result.code == 130
    assert said in result.err
    assert "resume" in said or not (table.parent / "run").exists()
    if "resume" in said:
        assert neuropil("resume", "run", "--quiet").code == 0


def test_an_interruption_of_the_trials_costs_no_more_than_they_took(
    neuropil, table, monkeypatch
):
    monkeypatch.setattr(default_recipes, "TABLE_STEPS", 12)
    train = ["train", "--data", table, "--threads", "1", "--quiet", "--out"]
    assert neuropil(*train, "whole").code == 0
    with monkeypatch.context() as patch:
        interrupting(patch, 1)
        result = neuropil(*train, "run")
    assert result.code == 130
    assert "before the training began: nothing was saved" in result.err
    assert not (table.parent / "run").exists()
    assert neuropil(*train, "run").code == 0
    assert_same(Run.open("run"), Run.open("whole"))


def test_an_interruption_of_the_imports_says_it_too(neuropil, table, monkeypatch):
    """They take seconds, in which people notice that an option is wrong."""

    class Interrupting:
        def find_spec(self, name, *_):
            if name == "neuropil.cli.training_run":
                interrupt()

    monkeypatch.delitem(sys.modules, "neuropil.cli.training_run", raising=False)
    monkeypatch.setattr("sys.meta_path", [Interrupting(), *sys.meta_path])
    result = neuropil("train", "--data", table, *QUICK)
    assert (result.code, "nothing was saved" in result.err) == (130, True)


def test_an_interruption_before_the_command_says_it_too(neuropil, table, monkeypatch):
    """Typer makes it an exit code and says nothing."""
    monkeypatch.setattr("typer.core.TyperGroup.resolve_command", interrupt)
    result = neuropil("train", "--data", table, *QUICK)
    assert (result.code, "nothing was done" in result.err) == (130, True)


def test_an_interruption_between_the_parts_names_the_first(neuropil, bars, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("neuropil.cli.training_run.check_free", check_second)
        result = neuropil("train", *bars)
    assert (result.code, "resume with: neuropil resume run-first" in result.err) == (130, True)
    assert neuropil("resume", "run-first", "--quiet").code == 0
    assert Run.open("run").status == "finished"


def check_second(path):
    if path.name == "run" and path.with_name("run-first").exists():
        interrupt()


def test_other_commands_say_that_they_were_interrupted(neuropil, monkeypatch, trained):
    monkeypatch.setattr("neuropil.runs.run_folder.Run.open", interrupt)
    assert neuropil("evaluate", trained / "table-run")[::2] == (130, "interrupted\n")


def test_means_do_not_depend_on_the_threads_that_there_are(tmp_path):
    draw = np.random.default_rng(0)
    np.savez(tmp_path / "data.npz", x=draw.normal(size=(90_000, 1)), y=draw.normal(size=90_000))
    data = tmp_path / "data.npz"
    settings = Settings.from_plain({"data": data, "seed": 0, "validation": 0, "test": 0})
    prints = set()
    for threads in (1, 2, 8):
        with use_threads(threads):
            prints.add(fingerprint(open_splits(settings), data))
    assert len(prints) == 1
