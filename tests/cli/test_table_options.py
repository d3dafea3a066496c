"""Tables from the command line: several targets, dates, and splits by a column."""

import csv
import json
import os
import signal
from datetime import datetime, timedelta

import numpy as np
import pytest

from neuropil.cli.run_data import open_again
from neuropil.runs.run_folder import Run
from neuropil.training import Trainer

QUICK = ("--network", "Relu(8)>>Linear({})", "--epochs", "3", "--threads", "1", "--quiet")


def quick(outputs: int = 1) -> list[str]:
    """Return options of a short training."""
    return [option.format(outputs) for option in QUICK]


@pytest.fixture(name="series")
def table_of_days(tmp_path):
    """Return a table of days with a patient, a place and three numbers."""
    random = np.random.default_rng(0)
    path = tmp_path / "series.csv"
    lines = ["day,patient,place,load,count,temp"]
    for n in range(120):
        day = datetime(2023, 1, 1) + timedelta(days=n)
        load, count, temp = random.normal([n / 10, n % 7, 20])
        lines.append(
            f"{day:%d.%m.%Y},p{n % 15},{'AB'[n % 2]},{load:.3f},{count:.3f},{temp:.3f}"
        )
    path.write_text("\n".join([*lines, ""]))
    return path


def rows_of(path):
    """Return the rows of a CSV file."""
    return list(csv.DictReader(path.read_text().splitlines()))


def stop_in_epoch(monkeypatch, epoch: int) -> None:
    """Send Ctrl-C to this process in an epoch."""
    fit = Trainer.fit

    def interrupted(self, *arguments, **options):
        class Interrupt(type(self.progress)):
            def epoch(self, status, record):
                if record["epoch"] == epoch:
                    os.kill(os.getpid(), signal.SIGINT)

        self.progress = Interrupt()
        return fit(self, *arguments, **options)

    monkeypatch.setattr(Trainer, "fit", interrupted)


def test_several_targets_have_a_column_and_figures_each(neuropil, series, tmp_path):
    command = ["train", "--data", series, "--target", "load,temp", "--out", "run"]
    assert neuropil(*command, *quick(2)).code == 0
    run = Run.open("run")
    assert run.settings["target"] == "load,temp"
    assert list(run.figures["test"]) == [
        "loss", "r2", "r2 of load", "mean_absolute_error of load", "r2 of temp",
        "mean_absolute_error of temp",
    ]  # fmt: skip
    figures = run.figures["test"]
    assert figures["r2"] == pytest.approx((figures["r2 of load"] + figures["r2 of temp"]) / 2)
    evaluated = json.loads(neuropil("evaluate", "run", "--json").out)
    assert evaluated["figures"] == pytest.approx(run.figures["test"])
    assert "R² of temp" in neuropil("evaluate", "run").out
    # New rows need no target, and their columns may be in another order.
    rows = rows_of(series)[:4]
    new = tmp_path / "new.csv"
    with new.open("w") as file:
        writer = csv.DictWriter(
            file, ["count", "day", "place", "patient"], extrasaction="ignore"
        )
        writer.writeheader()
        writer.writerows(rows)
    assert neuropil("predict", "run", new, "--out", "out.csv").code == 0
    written = rows_of(tmp_path / "out.csv")
    assert list(written[0])[-2:] == ["predicted load", "predicted temp"]
    said = json.loads(neuropil("predict", "run", series, "--json").out)
    for row, answer in zip(written, said, strict=False):
        for name in ("load", "temp"):
            assert float(row[f"predicted {name}"]) == pytest.approx(
                answer["value"][name], abs=1e-3
            )
    assert "load " in neuropil("predict", "run", new).out


@pytest.mark.parametrize("column", ["day", "patient"])
def test_a_split_by_a_column_is_that_of_the_resumed_run(neuropil, series, monkeypatch, column):
    command = ["train", "--data", series, "--split-by", column, *quick()]
    assert neuropil(*command, "--out", "whole").code == 0
    with monkeypatch.context() as patch:
        stop_in_epoch(patch, 2)
        assert neuropil(*command, "--out", "run").code == 130
    assert neuropil("resume", "run", "--quiet").code == 0
    run, whole = Run.open("run"), Run.open("whole")
    assert run.settings["split_by"] == column
    assert run.figures == whole.figures
    weights = [(r.path / "weights.safetensors").read_bytes() for r in (run, whole)]
    assert weights[0] == weights[1]
    inputs = [each.name for each in run.preparation.columns]
    assert ("day" in inputs, "patient" in inputs) == (True, column == "day")
    again = open_again(run)
    assert run.was_trained_on(again)
    evaluated = json.loads(neuropil("evaluate", "run", "--json").out)
    assert evaluated["figures"] == pytest.approx(run.figures["test"])


def test_a_run_of_an_earlier_version_lacks_the_option(neuropil, series):
    assert neuropil("train", "--data", series, "--out", "run", *quick()).code == 0
    file = Run.open("run").path / "run.json"
    facts = json.loads(file.read_text())
    del facts["settings"]["split_by"]
    file.write_text(json.dumps(facts))
    assert neuropil("evaluate", "run").code == 0


def test_notes_name_the_option_as_it_is_typed(neuropil, series):
    notes = neuropil("train", "--data", series, "--out", "run", *quick()[:-1]).err
    assert "set --split-by to 'day' to train on the earliest rows" in notes


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--split-by", "dya"], "has no column 'dya' to split by. Did you mean 'day'?"),
        (["--split-by", "place"], "column 'place': 2 distinct values in 120 rows cannot be"),
        (
            ["--target", "place,temp"],
            "'place' holds classes, and a network predicts one column",
        ),
        (["--target", "temp,tmp"], "has no column 'tmp'. Did you mean 'temp'?"),
    ],
)
def test_what_cannot_be_is_one_line(refused, series, options, line):
    assert line in refused("train", "--data", series, *options, "--out", "run", *quick())


def test_a_wrong_column_to_split_by_is_all_that_the_error_is_about(refused, series):
    line = refused("train", "--data", series, "--split-by", "dya", "--out", "run", *quick())
    assert line.endswith("Did you mean 'day'?")


def test_the_handwritten_digits_have_no_columns(refused):
    line = refused("train", "--split-by", "day", "--out", "run", "--quiet")
    assert line == "--split-by needs --data: it does not apply to the handwritten digits."


def test_names_of_targets_are_text_and_not_markup(neuropil, tmp_path):
    path = tmp_path / "odd.csv"
    rows = [f"{n},{n % 7 / 10},{n / 10}" for n in range(60)]
    path.write_text("\n".join(["x,[bold]a,b of [/red]", *rows]))
    targets = "[bold]a,b of [/red]"
    result = neuropil(
        "train", "--data", path, "--target", targets, "--out", "run", *quick(2)[:-1]
    )
    assert result.code == 0
    assert "R² of [bold]a" in result.out
    assert "MAE of b of [/red]" in result.out
