import csv
import json
import math
import pathlib

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from neuropil.datasets import Classes, Numbers
from neuropil.runs.regression import Regression, with_sensible_digits
from neuropil.runs.run_folder import Run
from neuropil.runs.tasks import task_for


def test_a_picture_gets_its_class_and_probability(neuropil, trained):
    file = trained / "bars" / "standing" / "04.png"
    result = neuropil("predict", trained / "bars-run", file)
    assert result.code == 0
    run = Run.open(trained / "bars-run")
    shares = run.predict(run.read([file]).inputs)[0]
    best = int(shares.argmax())
    assert result.out == f"04.png: {run.task.target.classes[best]} ({shares[best]:.3f})\n"


def test_several_files_get_a_line_each_and_the_likeliest_classes_in_order(neuropil, trained):
    result = neuropil("predict", trained / "bars-run", trained / "bars" / "lying", "--top", 5)
    lines = result.out.splitlines()
    assert len(lines) == 12
    shares = [float(part.split("(")[1].split(")")[0]) for part in lines[0].split(", ")]
    assert len(shares) == 2
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(1, abs=2e-3)


def test_a_broken_file_among_good_ones_is_named(neuropil, trained, tmp_path):
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "good.png")
    (tmp_path / "bad.png").write_bytes(b"no picture")
    result = neuropil("predict", trained / "bars-run", "good.png", "bad.png")
    assert result.code == 0
    assert "note: 1 file set aside: bad.png cannot be used" in result.err
    assert len(result.out.splitlines()) == 1


def test_json_holds_every_class(neuropil, trained):
    file = trained / "bars" / "standing" / "04.png"
    (plain,) = json.loads(neuropil("predict", trained / "bars-run", file, "--json").out)
    assert plain["name"] == "04.png"
    assert set(plain["probabilities"]) == {"lying", "standing"}
    assert plain["probabilities"][plain["class"]] == max(plain["probabilities"].values())


def test_a_table_is_written_with_the_predictions_behind_its_own_columns(neuropil, trained):
    table = trained / "table.csv"
    result = neuropil("predict", trained / "table-run", table, "--out", "out.csv")
    assert (result.code, result.out) == (0, "80 predictions in out.csv\n")
    with pathlib.Path("out.csv").open() as file:
        rows = list(csv.DictReader(file))
    with table.open() as file:
        given = list(csv.DictReader(file))
    assert [{k: row[k] for k in given[0]} for row in rows] == given
    assert {row["predicted level"] for row in rows} <= {"low", "high"}
    assert all(0.5 <= float(row["probability"]) <= 1 for row in rows)


def test_a_table_needs_no_target_column(neuropil, trained, tmp_path):
    (tmp_path / "new.csv").write_text("kind,size\na,1.5\nb,7.5\n")
    result = neuropil("predict", trained / "table-run", "new.csv")
    assert result.code == 0
    assert [line.split(":")[0] for line in result.out.splitlines()] == [
        "new.csv, row 2", "new.csv, row 3",
    ]  # fmt: skip


def test_numbers_are_given_in_their_own_units(neuropil, trained):
    run = Run.open(trained / "numbers-run")
    result = neuropil("predict", trained / "numbers-run", trained / "numbers.csv")
    values = [float(line.rsplit(" ", 1)[1]) for line in result.out.splitlines()]
    expected = run.predict(run.read([trained / "numbers.csv"]).inputs)
    error = run.figures["test"]["mean_absolute_error"]
    np.testing.assert_allclose(values, expected, atol=error / 10)
    assert 1000 < np.mean(values) < 5000


def test_numbers_go_into_a_table_and_into_json(neuropil, trained):
    command = ["predict", trained / "numbers-run", trained / "numbers.csv"]
    assert neuropil(*command, "--out", "out.csv").code == 0
    with pathlib.Path("out.csv").open() as file:
        rows = list(csv.DictReader(file))
    plain = json.loads(neuropil(*command, "--json").out)
    for row, one in zip(rows, plain, strict=True):
        assert float(row["predicted price"]) == pytest.approx(one["value"], rel=1e-5)


def test_pictures_go_into_a_table_by_their_names(neuropil, trained):
    folder = trained / "bars" / "lying"
    assert neuropil("predict", trained / "bars-run", folder, "--out", "out.csv").code == 0
    with pathlib.Path("out.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == [f"{n:02}.png" for n in range(12)]
    columns = {"name", "predicted class", "probability"}
    assert set(rows[0]) == columns | {"probability of lying", "probability of standing"}
    for row in rows:
        own = row[f"probability of {row['predicted class']}"]
        assert row["probability"] == own


def test_pictures_in_folders_are_named_by_their_path_in_what_was_given(neuropil, trained):
    command = ["predict", trained / "bars-run", trained / "bars", "--out", "out.json"]
    assert neuropil(*command).code == 0
    names = [row["name"] for row in json.loads(pathlib.Path("out.json").read_text())]
    assert names == [f"{of}/{n:02}.png" for of in ("lying", "standing") for n in range(12)]


def test_a_file_has_the_same_answers_in_every_format(neuropil, trained):
    command = ["predict", trained / "table-run", trained / "table.csv", "--out"]
    for suffix in ("csv", "parquet", "json"):
        assert neuropil(*command, f"out.{suffix}").code == 0
    rows = pd.read_parquet("out.parquet")
    own = dict.fromkeys(("size", "kind", "level"), str)  # the cells as they are in the table
    pd.testing.assert_frame_equal(rows, pd.read_csv("out.csv", dtype=own), check_dtype=False)
    plain = json.loads(pathlib.Path("out.json").read_text())
    shares = [row["probabilities"]["low"] for row in plain]
    np.testing.assert_allclose(rows["probability of low"], shares, rtol=1e-9)
    assert list(rows["predicted level"]) == [row["class"] for row in plain]


def test_predicting_a_table_of_predictions_replaces_none_of_its_columns(neuropil, trained):
    run = trained / "table-run"
    assert neuropil("predict", run, trained / "table.csv", "--out", "once.csv").code == 0
    assert neuropil("predict", run, "once.csv", "--out", "twice.csv").code == 0
    once, twice = pd.read_csv("once.csv"), pd.read_csv("twice.csv")
    pd.testing.assert_frame_equal(twice[list(once)], once)
    assert list(twice["predicted level 2"]) == list(once["predicted level"])


def test_the_table_that_is_read_is_not_written_over(refused, trained, tmp_path):
    table = tmp_path / "new.csv"
    table.write_text((trained / "table.csv").read_text())
    before = table.read_text()
    line = refused("predict", trained / "table-run", table, "--out", table)
    assert "--out must name another file than the input" in line
    assert table.read_text() == before


def test_many_pictures_that_are_changed_alike_are_one_note(neuropil, trained, tmp_path):
    (tmp_path / "new").mkdir()
    for number, size in enumerate([(20, 10), (30, 30), (12, 9)]):
        Image.new("L", size, 20).save(tmp_path / "new" / f"{number}.png")
    for name in ("bad.png", "worse.png"):
        (tmp_path / "new" / name).write_bytes(b"no picture")
    result = neuropil("predict", trained / "bars-run", "new")
    assert len(result.out.splitlines()) == 3
    notes = result.err.splitlines()
    assert notes[0] == "note: 3 files, such as 0.png: resized to 8×8 (it is 10×20)."
    assert notes[1].startswith("note: 2 files set aside: bad.png cannot be used")
    assert len(notes) == 2


def test_a_file_of_another_format_is_refused_before_anything_is_read(refused, trained):
    line = refused("predict", trained / "table-run", "nothing.csv", "--out", "out.xlsx")
    assert line == "--out must name a .csv or .parquet or .json file, got 'out.xlsx'."


def test_of_equal_shares_the_first_classes_are_named():
    shares = torch.full((40,), 0.025)
    task = task_for(Classes([f"class {k}" for k in range(40)]))
    said = task.sentence(shares, {}, 3)
    assert said == "class 0 (0.025), class 1 (0.025), class 2 (0.025)"


@pytest.mark.parametrize(
    ("value", "error", "shown"),
    [
        (1235411.4213, 52.3, "1235411"),
        (1235411.4213, 0.52, "1235411.42"),
        (999999994.5317, 0.7, "999999994.53"),
        (0.123456789, 0.0021, "0.1235"),
        (-5.26, 5000.0, "-5"),
        (1.23456e-9, 2e-12, "1.2346e-09"),
        (3.25, None, "3.25"),
        (3.25, 0.0, "3.25"),
        (1.5e20, 10.0, "1.5e+20"),
        (1e16 + 1640, 36.0, "10000000000001640"),
        (math.inf, 36.0, "inf"),
    ],
)
def test_numbers_get_the_digits_that_their_error_leaves(value, error, shown):
    assert with_sensible_digits(value, error) == shown


def test_each_of_several_numbers_gets_the_digits_of_its_own_error():
    task = Regression(Numbers((0.0, 0.0), (1.0, 1e-9)))
    figures = {"train": {"mean_absolute_error": 1.0}, "test": {"mean_absolute_error": None}}
    assert task.format_numbers([1234567.89, 1.5e-8], figures) == ["1234567.9", "1.5e-08"]
    assert task.format_numbers([1234567.89, 1.5e-8], {}) == ["1234567.89", "1.5e-08"]


@pytest.fixture
def far(tmp_path, neuropil):
    """Return a run on targets far from zero, and its table."""
    rows = [f"{n / 10},{1e9 + 10 * (n / 10)}" for n in range(-40, 40)]
    (tmp_path / "far.csv").write_text("\n".join(["x,y", *rows, ""]))
    network = ["--network", "Linear(1)", "--optimizer", "LevenbergMarquardt"]
    command = ["train", "--data", "far.csv", "--out", "far", *network, "--threads", "1", "-q"]
    assert neuropil(*command).code == 0
    return tmp_path


def test_targets_far_from_zero_are_predicted_within_one(neuropil, far):
    lines = neuropil("predict", far / "far", "far.csv").out.splitlines()
    values = [float(line.rsplit(" ", 1)[1]) for line in lines]
    np.testing.assert_allclose(values, [1e9 + n for n in range(-40, 40)], atol=1, rtol=0)
    assert neuropil("predict", far / "far", "far.csv", "--out", "out.csv").code == 0
    with pathlib.Path("out.csv").open() as file:
        written = [float(row["predicted y"]) for row in csv.DictReader(file)]
    np.testing.assert_allclose(written, values, atol=1, rtol=0)
    figures = Run.open(far / "far").figures["test"]
    assert figures["mean_absolute_error"] < 0.5


def test_every_row_gets_a_prediction_blank_cells_too(neuropil, trained, tmp_path):
    (tmp_path / "new.csv").write_text("kind,size\na,1.5\n,\nb,7.5\n")
    result = neuropil("predict", trained / "table-run", "new.csv")
    assert [line.split(":")[0] for line in result.out.splitlines()] == [
        f"new.csv, row {row}" for row in (2, 3, 4)
    ]
    assert neuropil("predict", trained / "table-run", "new.csv", "--out", "out.csv").code == 0
    assert len(pathlib.Path("out.csv").read_text().splitlines()) == 4


def test_the_encoding_and_the_header_are_kept_by_the_run(neuropil, tmp_path):
    rows = [f"{n},{'кот' if n < 20 else 'пёс'}" for n in range(40)]
    raw = "\n".join(["1,2", *rows, ""]).encode("cp1251")
    (tmp_path / "cats.csv").write_bytes(raw)
    command = [
        "train",
        "--data",
        "cats.csv",
        "--out",
        "run",
        "--epochs",
        2,
        "--threads",
        1,
        "-q",
    ]
    assert neuropil(*command).code == 2
    assert neuropil(*command, "--encoding", "cp1251", "--header").code == 0
    assert Run.open(tmp_path / "run").task.target.classes == ("кот", "пёс")
    result = neuropil("predict", "run", "cats.csv")
    assert result.out.splitlines()[0].startswith("cats.csv, row 2: ")
    assert neuropil("evaluate", "run").code == 0
    assert neuropil("evaluate", "run", "--data", "cats.csv").code == 0


@pytest.mark.parametrize("option", [("--header",), ("--encoding", "utf-8")])
def test_options_of_tables_need_a_table(refused, option):
    assert "needs --data" in refused("train", *option)


def test_a_folder_is_for_answers_that_have_a_place(refused, trained, tmp_path):
    line = refused("predict", trained / "table-run", trained / "table.csv", "--out", "pictures")
    assert line == (
        "--out must name a .csv, .parquet or .json file, got 'pictures': a folder is for "
        "answers that have a place in a picture, and those of a classification have none."
    )
    assert not (tmp_path / "pictures").exists()
