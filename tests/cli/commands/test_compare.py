"""``neuropil compare``: what differs between runs."""

import json
import re

import pytest

from neuropil.report.comparison import Comparison
from neuropil.runs.run_folder import Run


@pytest.fixture
def wider(neuropil, trained, tmp_path):
    """Return a second run on the table, with another network."""
    options = ["--network", "Relu(5) >> Softmax(2)", "--epochs", 3, "--threads", 1, "-q"]
    table = trained / "table.csv"
    assert neuropil("train", "--data", table, "--out", "wider", *options).code == 0
    return tmp_path / "wider"


def test_the_table_has_what_differs_and_the_figures(neuropil, trained, wider):
    result = neuropil("compare", trained / "table-run", wider)
    assert (result.code, result.err) == (0, "")
    lines = [line.strip() for line in result.out.splitlines()]
    (network,) = (line for line in lines if line.startswith("network"))
    assert "Relu(5) >> Softmax(2)" in network
    runs = [Run.open(path) for path in (trained / "table-run", wider)]
    assert not any(line.startswith("seed") for line in lines)
    for run in runs:
        assert f"{run.figures['test']['loss']:.4f}" in result.out
    sizes = [sum(p.numel() for p in run.network().parameters()) for run in runs]
    assert all(f"{size:,}" in result.out for size in sizes)
    assert "On 16 test examples" in result.out


def test_the_best_is_the_highest_accuracy_and_the_lowest_loss(trained, wider):
    found = Comparison([Run.open(trained / "table-run"), Run.open(wider)])
    assert found.best("accuracy", [0.5, None, 0.75]) == 0.75
    assert found.best("loss", [0.5, 0.25]) == 0.25
    assert found.best("accuracy", [0.5, 0.5]) is None
    assert found.best("seconds", [0.5, 0.75]) is None


def test_json_has_an_entry_for_each_run(neuropil, trained, wider):
    plain = json.loads(neuropil("compare", trained / "table-run", wider, "--json").out)
    assert [run["run"] for run in plain] == [str(trained / "table-run"), str(wider)]
    assert plain[1]["figures"] == Run.open(wider).figures
    assert [run["epochs"] for run in plain] == [2, 3]
    assert {"network", "epochs"} <= plain[0]["settings"].keys()


def test_a_page_has_the_table_and_the_curves(neuropil, trained, wider):
    result = neuropil("compare", trained / "table-run", wider, "--out", "page.html")
    assert result.code == 0
    page = (wider.parent / "page.html").read_text()
    assert page.count("<svg") == 4  # loss and accuracy, in training and validation
    assert page.count("<strong>") >= 4
    assert not re.search(r"(src|href)=.?https?:", page)
    assert "Relu(5) &gt;&gt; Softmax(2)" in page


def test_runs_on_other_examples_are_said(neuropil, trained, tmp_path):
    table = (trained / "table.csv").read_text()
    (tmp_path / "table.csv").write_text(table.replace("0.1,b,low\n", ""))
    options = ["--epochs", 1, "--threads", 1, "-q"]
    command = ["train", "--data", "table.csv", "--out", "other", *options]
    assert neuropil(*command).code == 0
    result = neuropil("compare", trained / "table-run", "other")
    assert "note: other was measured on other examples than table-run" in result.err


def test_runs_that_predict_something_else_are_refused(refused, trained):
    line = refused("compare", trained / "table-run", trained / "numbers-run")
    assert "cannot be compared: one is for classification" in line
    assert "the other for regression of" in line
    line = refused("compare", trained / "table-run", trained / "bars-run")
    assert "cannot be compared" in line
    assert "two runs" in refused("compare", trained / "table-run")
    command = ["compare", trained / "table-run", trained / "table-run"]
    assert ".html" in refused(*command, "--out", "a.pdf")
