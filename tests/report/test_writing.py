"""A report is written whole or not at all, and nothing in a name gets out of its place."""

import errno
import os

import matplotlib as mpl
import pytest
import torch

from neuropil import datasets
from neuropil.datasets import Classes, Dataset, PicturePreparation, Splits
from neuropil.layers import Flatten, Input, Linear, Relu, Softmax
from neuropil.report import write_report
from neuropil.text import visible
from neuropil.training import History

HISTORY = History([{"epoch": 1, "loss": 1.0, "<b>f</b>": 0.5}])
NASTY = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style></svg><b>",
    "$x$ & $y$",
    "\x00\x01\x1b line\nbreak",
    "caf\udce9",
    "日本語 🙂",
    "a" * 300,
]


@pytest.fixture
def nasty():
    inputs = (torch.arange(64 * 16) % 256).to(torch.uint8).reshape(64, 1, 4, 4)
    names = [f"{NASTY[k % 8]}/{k}.png" for k in range(64)]
    data = Dataset(inputs, torch.arange(64) % 8, names=names)
    return Splits(
        data[:32],
        data[32:40],
        data[40:],
        preparation=PicturePreparation((1, 4, 4), Classes(NASTY)),
        source="/data/<script>alert(2)</script>",
        notes=["<script>alert(3)</script> was left alone"],
    )


def test_names_stay_text(nasty, report):
    page = report(
        Input(1, 4, 4) >> Flatten() >> Softmax(8),
        nasty,
        HISTORY,
        settings={
            "<i>": "<script>alert(4)</script>",
            "nested": {"a": ["<u>", None, True, 0.5]},
        },
        versions={"neuropil": "<em>"},
        figures={"test": {"<s>metric</s>": 0.5}},
        run="runs/<script>; rm -rf ~",
    )
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"script", "u", "em", "s", "iframe"}
    assert not any(name.startswith("on") for _, found in page.elements for name in found)
    for text in ("<script>alert(1)</script>", "$x$ & $y$", "日本語 🙂", "a" * 300):
        assert text in page.text_of("results")
    for number in (2, 3):
        assert f"<script>alert({number})</script>" in page.text_of("data")
    assert "<script>alert(4)</script>" in page.text_of("settings")
    assert "nested: a<u>, none, yes, 0.5" in page.text_of("settings")
    assert "'runs/<script>; rm -rf ~'" in page.text_of("use")
    assert "\x00" not in page.source
    titles = {f["title"] for f in page.all("span") if f.get("class") == "file"}
    assert titles
    assert titles <= {visible(name) for name in nasty.test.names}
    alternatives = {image["alt"] for image in page.all("img")}
    assert {f"A training picture: {visible(name)}" for name in NASTY} <= alternatives
    # A browser is told to load and run nothing, should anything slip through all the same.
    policies = [m["content"] for m in page.all("meta") if "http-equiv" in m]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'; img-src data:"]


def test_names_of_columns_words_and_targets_stay_text(report):
    words = tuple(NASTY[:4])
    target = datasets.Numbers((19.5,), (11.5,), NASTY[0])
    preparation = datasets.TablePreparation(
        (
            datasets.NumberColumn(NASTY[1], 0.0, indicator=True),
            datasets.TextColumn(NASTY[2], words, indicator=False),
        ),
        target,
        names=(NASTY[1], NASTY[2], NASTY[0]),
    )
    raw = {NASTY[1]: [str(k) for k in range(39)] + ["?"], NASTY[2]: list(words) * 10}
    data = Dataset(preparation.encode(raw), torch.arange(40.0))
    splits = Splits(data[:20], None, data[20:], preparation=preparation, source=f"a/{NASTY[1]}")
    page = report(Input(6) >> Relu(3) >> Linear(1), splits, HISTORY)
    assert not {tag for tag, _ in page.elements} & {"script", "iframe", "form"}
    assert not any(name.startswith("on") for _, found in page.elements for name in found)
    # The only pictures of this page are drawings: a name has not become one.
    assert not page.all("img")
    head = ["", "true", "predicted", "error", NASTY[1], NASTY[2]]
    shown = {row[-1] for row in page.table(*head)}
    assert shown
    assert shown <= set(words)
    assert all(word in page.text_of("data") for word in words)
    assert page.text.startswith(f"{NASTY[1]}: Neuropil report")
    assert f"{NASTY[2]}={NASTY[0]}"[:20] in page.text_of("network")
    assert NASTY[0][:16] in page.text_of("results")  # cut, on the axes of drawings
    for section in ("summary", "data", "use"):
        assert NASTY[0] in page.text_of(section), section


def test_the_same_result_gives_the_same_bytes_and_leaves_no_trace(tmp_path):
    digits = datasets.load_handwritten_digits()
    network = Input(1, 8, 8) >> Flatten() >> Softmax(10)
    network.train()
    settings, state = dict(mpl.rcParams), torch.get_rng_state()
    first = write_report(tmp_path / "a.html", network, digits, HISTORY, run="r").read_bytes()
    again = write_report(tmp_path / "b.html", network, digits, HISTORY, run="r").read_bytes()
    assert first == again
    assert dict(mpl.rcParams) == settings
    assert torch.equal(torch.get_rng_state(), state)
    assert network.training


def refused(tmp_path, network, splits, reason):
    path = tmp_path / "report.html"
    path.write_text("the old report")
    with pytest.raises(ValueError, match=reason):
        write_report(path, network, splits, HISTORY)
    assert path.read_text() == "the old report"
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.html"]


def test_a_network_that_gives_nan_is_refused(nasty, tmp_path):
    network = Input(1, 4, 4) >> Flatten() >> Softmax(8)
    with torch.no_grad():
        network.softmax1.weight.fill_(torch.nan)
    refused(tmp_path, network, nasty, "NaN or infinity for 24 of 24 examples")


def test_a_network_for_other_data_is_refused(nasty, tmp_path):
    refused(tmp_path, Input(1, 4, 4) >> Flatten() >> Softmax(3), nasty, "gives 3 .* have 8")
    refused(tmp_path, Input(1, 5, 5) >> Flatten() >> Softmax(8), nasty, r"shape \(N, 1, 5, 5\)")
    refused(tmp_path, Input(1, 4, 4) >> Softmax(), nasty, "gives 16 .* have 8")


def test_examples_without_targets_are_refused(nasty, tmp_path):
    part = Dataset(nasty.train.inputs)
    splits = Splits(nasty.train, None, part, preparation=nasty.preparation, source="x")
    network = Input(1, 4, 4) >> Flatten() >> Softmax(8)
    refused(tmp_path, network, splits, "held-out examples have no targets")


def test_a_full_disk_leaves_the_old_report(nasty, tmp_path, monkeypatch):
    def full(file):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = tmp_path / "report.html"
    path.write_text("the old report")
    # Where a file system finds out at the latest.
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_report(path, Input(1, 4, 4) >> Flatten() >> Softmax(8), nasty, HISTORY)
    assert path.read_text() == "the old report"
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.html"]


def test_notes_name_options_as_the_command_line_does(nasty, tmp_path):
    nasty.notes.append("Target 'y' holds 2 words: classification; set task= to override.")
    network = Input(1, 4, 4) >> Flatten() >> Softmax(8)
    written = write_report(tmp_path / "report.html", network, nasty, HISTORY)
    assert "set --task to override" in written.read_text("utf-8")


def test_a_folder_that_is_missing_is_an_error(nasty, tmp_path):
    network = Input(1, 4, 4) >> Flatten() >> Softmax(8)
    with pytest.raises(FileNotFoundError):
        write_report(tmp_path / "none" / "report.html", network, nasty, HISTORY)
    assert not list(tmp_path.iterdir())
