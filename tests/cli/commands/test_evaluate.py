import json

import pytest
from tests.datasets.annotations.label_writers import write_yolo

from neuropil.runs.run_folder import Run


@pytest.mark.parametrize("name", ["table-run", "numbers-run", "bars-run"])
def test_the_test_part_gives_the_figures_of_the_run(neuropil, trained, name):
    result = neuropil("evaluate", trained / name, "--json")
    assert result.code == 0
    plain = json.loads(result.out)
    run = Run.open(trained / name)
    assert plain["examples"] == run.data["test"]
    assert plain["figures"] == pytest.approx(run.figures["test"])


def test_other_labelled_data_are_measured(neuropil, trained, tmp_path):
    (tmp_path / "new.csv").write_text("size,kind,level\n0.1,a,low\n7.9,b,high\n7.8,a,high\n")
    result = neuropil("evaluate", trained / "table-run", "--data", "new.csv")
    assert result.code == 0
    assert "new.csv: 3 examples" in result.out
    assert "accuracy" in result.out


def test_data_that_have_changed_are_noted(neuropil, trained, copied):
    run = copied("table-run")
    facts = run / "run.json"
    facts.write_text(facts.read_text().replace("blake2b:", "blake2b:0"))
    assert "have changed since the training" in neuropil("evaluate", run).err


def test_a_run_without_a_test_part_falls_back_on_its_validation(neuropil, table):
    options = ["--test", "0", "--epochs", "1", "--threads", "1", "--quiet"]
    assert neuropil("train", "--data", table, "--out", "run", *options).code == 0
    assert "validation part of" in neuropil("evaluate", "run").out


def test_a_run_that_held_nothing_back_asks_for_data(neuropil, refused, table):
    options = ["--test", "0", "--validation", "0", "--epochs", "1", "--threads", "1", "--quiet"]
    assert neuropil("train", "--data", table, "--out", "run", *options).code == 0
    assert set(Run.open("run").figures) == {"train"}
    assert "give labelled data with --data" in refused("evaluate", "run")


def test_data_that_the_run_was_trained_on_are_said(neuropil, trained, tmp_path):
    copy = tmp_path / "renamed.csv"
    copy.write_bytes((trained / "table.csv").read_bytes())
    for data in (trained / "table.csv", copy):
        result = neuropil("evaluate", trained / "table-run", "--data", data)
        assert result.code == 0
        assert "is the data of the training (56 train, 8 validation, 16 test)" in result.err
    copy.write_text("\n".join(copy.read_text().splitlines()[:30]))
    assert neuropil("evaluate", trained / "table-run", "--data", copy).err == ""
    result = neuropil("evaluate", trained / "bars-run", "--data", trained / "bars")
    assert "is the data of the training" in result.err


def test_the_test_part_of_the_training_data_was_not_trained_on(neuropil, tmp_path):
    names = [*(f"train/{number}" for number in range(6)), "test/0", "test/1"]
    boxes = {name: [("cat", 2, 2, 20, 20)] for name in names}
    data = write_yolo(tmp_path / "cats", boxes, ["cat"])
    network = (
        "Convolution(12, 8, stride=8) >> BoxGrid(1, anchors=[[(9, 9), (8, 8)]], strides=[8])"
    )
    train = ("train", "--data", data, "--network", network, "--epochs", 1, "--out", "run")
    assert neuropil(*train).code == 0
    result = neuropil("evaluate", "run", "--data", data)
    assert "2 examples" in result.out
    assert "optimistic" not in result.err
