"""Classic networks from the command line, and as models of runs."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from neuropil import datasets
from neuropil.runs.classic_model import ClassicModel
from neuropil.runs.run_folder import Run


@pytest.mark.parametrize("name", ["lvq", "SOFM(grid=(8, 8))", "FuzzyART(vigilance=0.8)", "rbm"])
def test_it_is_fitted_measured_and_used(neuropil, name):
    result = neuropil("train", "--network", name, "--out", "run", "--quiet")
    assert result.code == 0, result.err
    run = Run.open("run")
    assert run.status == "finished"
    assert run.figures["test"]["accuracy"] > 0.4
    measured = json.loads(neuropil("evaluate", "run", "--json").out)["figures"]
    assert measured == pytest.approx(run.figures["test"])
    digits = datasets.load_handwritten_digits()
    shares = run.predict(digits.test.inputs[:20])
    assert shares.shape == (20, 10)
    torch.testing.assert_close(shares.sum(1), torch.ones(20), rtol=0, atol=1e-5)
    assert neuropil("summary", "run").out.lower().startswith(name.lower()[:3])


def test_numbers_are_predicted_in_their_own_units(neuropil, numbers):
    result = neuropil("train", "--data", numbers, "--network", "grnn", "--out", "run", "-q")
    assert result.code == 0, result.err
    assert Run.open("run").figures["test"]["r2"] > 0.8
    out = neuropil("predict", "run", numbers, "--out", "out.csv")
    assert out.code == 0, out.err
    rows = list(csv.DictReader(Path("out.csv").read_text().splitlines()))
    wanted = np.array([float(row["price"]) for row in rows])
    given = np.array([float(row["predicted price"]) for row in rows])
    assert np.corrcoef(wanted, given)[0, 1] > 0.9


@pytest.mark.slow
def test_the_report_shows_what_was_learnt(neuropil):
    neuropil("train", "--network", "lvq", "--out", "run", "--quiet")
    page = Path("run/report.html").read_text("utf-8")
    assert "LVQ(random_state=0)" in page
    assert "Its prototypes" in page
    assert 'id="training"' not in page


def test_the_same_seed_gives_the_same_map(neuropil):
    for out in ("one", "two"):
        neuropil("train", "--network", "kohonen", "--seed", 3, "--out", out, "--quiet")
    one, two = (Run.open(out).network().estimator for out in ("one", "two"))
    np.testing.assert_array_equal(one.weights_, two.weights_)


@pytest.mark.parametrize(
    ("network", "said"),
    [
        ("SOFM(gird=(3, 3))", "SOFM has no option 'gird'. Did you mean 'grid'"),
        ("SOFM(grid=open('x'))", "must be a name or a call with plain values"),
        ("SOFM(**{})", "must be a name or a call with plain values"),
        ("cmac", "CMAC predicts numbers, but these targets are classes"),
        ("sofm(grid=0)", "grid"),
        ("SOFM(grid=(3000, 3000))", "`grid` must be at most 1,000,000 here"),
        ("discretebam", "DiscreteBAM"),
        ("hebbrule", "HebbRule associates patterns with signals"),
        (
            "SOFM(grid=(1000000000, 1000000000))",
            "`grid` must be at most 1,000,000",
        ),
        ("RBM(n_hidden=1000000000000)", "`n_hidden` must be at most 1,000,000"),
        ("SOFM(grid=10**9)", "must be a name or a call with plain values"),
        (f"SOFM(grid={'(' * 500}", "must be a name or a call with plain values"),
        (f"SOFM(grid={'-' * 9999}1)", "must be a name or a call with plain"),
        ("SOFM(init={[]: 1})", "must be a name or a call with plain values"),
        (f"LVQ(init={'x' * 99999!r})", "`init` must be 'kmeans' or 'sample'"),
        ("rbm(lr='x')", "`lr` must be a number in (0, inf), got 'x'"),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nothing(refused, tmp_path, network, said):
    line = refused("train", "--network", network, "--out", "run")
    assert said in line
    assert len(line) < 400
    assert not (tmp_path / "run").exists()


def test_options_of_training_by_gradients_are_refused(refused, tmp_path):
    for network, option, value, said in (
        ("sofm", "--loss", "huber", "pass the options of SOFM in its call"),
        ("modernhopfieldnetwork", "--lr", "0.5", "has no parameter lr: leave"),
    ):
        assert said in refused("train", "--network", network, option, value, "--out", "run")
        assert not (tmp_path / "run").exists()


def test_classes_are_for_classifiers(refused, numbers):
    said = refused("train", "--data", numbers, "--network", "lvq", "--out", "run")
    assert "LVQ predicts classes, but these targets are numbers" in said


def test_a_killed_fit_begins_again_and_a_killed_report_does_not(neuropil, monkeypatch):
    neuropil("train", "--network", "lvq", "--out", "run", "--quiet")
    whole = Run.open("run")
    for left in ("nothing", "the fitted network"):
        run = Run.open("run")
        run.status = "running"
        run.save()
        if left == "nothing":
            (run.path / "history.csv").unlink()
        else:
            monkeypatch.setattr(ClassicModel, "fit", None)
        assert neuropil("resume", "run", "--quiet").code == 0
        again = Run.open("run")
        assert again.status == "finished"
        assert again.figures == whole.figures


def test_a_run_folder_that_names_a_function_runs_nothing(neuropil, refused):
    neuropil("train", "--network", "lvq", "--out", "run", "--quiet")
    file = Path("run/model.json")
    plain = json.loads(file.read_text())
    text = "open('canary', 'w')"
    plain["network"] = {
        "type": "neuropil.core.layer.function",
        "options": {"text": text},
    }
    file.write_text(json.dumps(plain))
    Path("digit.png").touch()
    said = "model.json is damaged: 'neuropil.core.layer.function' is not a classic network"
    for command in (
        ["evaluate", "run"],
        ["summary", "run"],
        ["predict", "run", "digit.png"],
    ):
        assert said in refused(*command)
    assert not Path("canary").exists()
