"""``neuropil study``: its output, its files, and what it refuses."""

import json
from pathlib import Path

import numpy as np
import pytest

from neuropil.study import TRICKS

OPTIONS = (
    *("--network", "Relu(5) >> Softmax(2)", "--epochs", 2, "--threads", 1, "--test", 0.4),
    *("--budget", "60s", "--seeds", 2, "--tricks", "tanh,half_width", "--out", "found"),
)


@pytest.fixture
def table(tmp_path):
    """Return a table of two classes that a line does not divide."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 2))
    rows = (f"{a:.4f},{b:.4f},{'out' if a * a + b * b > 1.4 else 'in'}" for a, b in x)
    path = tmp_path / "rings.csv"
    path.write_text("a,b,kind\n" + "\n".join(rows) + "\n", "utf-8")
    return path


def test_the_plan_the_gains_and_the_page_are_told(neuropil, table):
    result = neuropil("study", table, *OPTIONS)
    assert result.code == 0, result.err
    assert (
        "Plan: the baseline and 2 changes, 2 seeds at most: 6 trainings or fewer" in result.err
    )
    assert "tanh in place of ReLU" in result.out
    assert "Half the filters and units" in result.out
    assert "study.html" in result.out
    found = json.loads(Path("found/study.json").read_text("utf-8"))
    page = Path("found/study.html").read_text("utf-8")
    for line in found["recommendation"]:
        assert line in result.out
    for each in found["variants"]:
        assert each["title"] in page


def test_the_same_command_continues_and_json_is_the_file(neuropil, table):
    first = neuropil("study", table, *OPTIONS, "--quiet")
    assert (first.code, first.out) == (0, "found\n")
    again = neuropil("study", table, *OPTIONS, "--json")
    assert json.loads(again.out) == json.loads(Path("found/study.json").read_text("utf-8"))


def test_all_tricks_are_listed(neuropil):
    result = neuropil("study", "--tricks", "list")
    assert result.code == 0
    for trick in TRICKS:
        assert trick.name in result.out


def test_another_question_does_not_replace_the_results(neuropil, refused, table):
    assert neuropil("study", table, *OPTIONS, "--quiet").code == 0
    line = refused("study", table, *OPTIONS, "--seeds", 3)
    assert "another study" in line


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--tricks", "elo"), "Did you mean"),
        (("--budget", "soon"), "budget must be a time"),
        (("--outcome", "acuracy"), "Did you mean 'accuracy'"),
        (("--network", "sofm"), "fitted at once"),
        (("--seeds", 0), "seeds"),
        (("--smallest", -1), "smallest"),
        (("--storage", "mysql://host/base"), "mysql"),
    ],
)
def test_what_does_not_suit_is_one_line(refused, table, options, words):
    assert words in refused("study", table, *OPTIONS, *options)


def test_an_unknown_trick_is_told_before_the_data_are_read(refused, tmp_path):
    broken = tmp_path / "broken.csv"
    broken.write_text("a,b\n1\n", "utf-8")
    assert "Did you mean 'elu'" in refused("study", broken, "--tricks", "elo")
