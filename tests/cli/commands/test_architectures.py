"""The zoo from the command line: listed, summed up, fine-tuned, trained at two sizes."""

import io
import json
import re
from pathlib import Path

import pytest
import torch
from rich.console import Console
from safetensors.torch import load_file, save_file
from tests.datasets.annotations.label_writers import write_yolo

from neuropil.analysis import zoo
from neuropil.architectures import resnet20
from neuropil.architectures.published.zoo_table import zoo_table
from neuropil.cli.commands.architectures import show
from neuropil.core import Network

ZOO = zoo_table()


@pytest.fixture(name="weights")
def weights_of_ten_classes(tmp_path):
    torch.manual_seed(0)
    save_file(dict(resnet20().state_dict()), tmp_path / "ten.safetensors")
    return tmp_path / "ten.safetensors"


def test_the_zoo_is_listed(neuropil):
    rows = json.loads(neuropil("architectures", "--json").out)
    assert {row["name"] for row in rows} == {*ZOO}
    (field,) = (r["receptive_field"] for r in rows if r["name"] == "mixture_of_experts")
    assert field is None
    listed = neuropil("architectures").out
    assert "resnet50" in listed
    assert "25,557,032" in listed


@pytest.fixture(scope="module")
def rows():
    return zoo()


@pytest.mark.parametrize("width", [80, 100, 120, 200])
def test_nothing_of_the_zoo_is_cut(rows, width):
    output = io.StringIO()
    show(Console(file=output, width=width, force_terminal=True, no_color=True), rows)
    text = re.sub(r"\x1b\[[0-9;]*m", "", output.getvalue())
    lines = text.splitlines()
    assert max(map(len, lines)) <= width
    assert "…" not in text
    for row in rows:
        line = next(line for line in lines if line.startswith(f"{row.name} "))
        figure = f"{row.accuracy.split()[0]} %"
        assert figure in line
        assert row.source + "*" * bool(row.weights) in line
    assert ("Paper" in lines[0]) == (width >= 190)


def test_a_summary_keeps_its_lines(neuropil):
    lines = neuropil("summary", "mixture_of_experts").out.splitlines()
    (line,) = (line for line in lines if line.startswith("stage1"))
    assert "MixtureOfExperts((Convolution" in line.replace("( ", "(")
    assert "383,372" in line


def test_an_architecture_is_summed_up_as_it_is_on_paper(neuropil):
    out = neuropil("summary", "resnet18").out
    assert "Input(3, 224, 224)" in out
    assert "11,689,512" in out
    small = neuropil("summary", "resnet18", "--input", "1,32,32", "--outputs", 10).out
    assert "Softmax(10)" in small
    assert "stage1.convolution2" in neuropil("summary", "resnet18", "--depth", 1).out


def test_weights_are_fine_tuned_with_the_front_frozen(neuropil, pictures, weights):
    options = ("--network", "resnet20", "--weights", weights, "--freeze", "stage2")
    result = neuropil(
        "train", "--data", pictures, "--image-size", 16, *options, "--epochs", 1, "--out", "run"
    )
    assert result.code == 0, result.err
    assert "softmax1 keeps its random weights" in result.out + result.err
    given, have = load_file(weights), Network.load("run").state_dict()
    same = {name for name in given if torch.equal(given[name], have[name])}
    # The pictures are grey, so the first filters are adapted.
    moved = ("convolution1.", "residualblock5.", "residualblock6.", "stage3.", "softmax1.")
    assert {name for name in given if not name.startswith(moved)} <= same
    assert not {"stage3.convolution1.weight", "softmax1.weight"} & same


def test_a_detector_keeps_the_first_stage_of_published_weights(neuropil, weights, tmp_path):
    boxes = {str(number): [("cat", 5, 5, 30, 30)] for number in range(8)}
    folder = write_yolo(tmp_path / "boxes", boxes, ["cat"], (48, 64))
    train = ("train", "--data", folder, "--network", "resnet20", "--weights", weights)
    result = neuropil(*train, "--epochs", 1, "--out", "run")
    assert result.code == 0, result.err
    assert "The weights up to stage1 are frozen." in result.out + result.err
    given, have = load_file(weights), Network.load("run").state_dict()
    same = {name for name in given if name in have and torch.equal(given[name], have[name])}
    first = {"batchnorm1.bias", "stage1.convolution2.weight", "stage1.batchnorm1.weight"}
    assert first <= same
    assert "stage2.convolution2.weight" not in same
    assert json.loads(Path("run", "run.json").read_text())["settings"]["freeze"] == "stage1"
    assert neuropil(*train, "--epochs", 1, "--freeze", "none", "--out", "free").code == 0
    name = "stage1.convolution2.weight"
    assert not torch.equal(given[name], Network.load("free").state_dict()[name])


def test_training_goes_on_at_a_larger_size(neuropil, pictures):
    result = neuropil(
        "train", "--data", pictures, "--image-size", 8, "--then", "16:1", "--network",
        "Convolution(4, 3, padding=1) >> Relu() >> GlobalPooling() >> Softmax(2)",
        "--epochs", 1, "--out", "run", "--quiet",
    )  # fmt: skip
    assert result.code == 0, result.err
    assert Network.load("run-first").input_shape[1:] == (8, 8)
    assert Network.load("run").input_shape[1:] == (16, 16)
    facts = [json.loads(Path(name, "run.json").read_text()) for name in ("run-first", "run")]
    first, then = (fact["settings"]["lr"] for fact in facts)
    assert then == pytest.approx(first / 4)


def test_wrong_wishes_are_refused(refused, pictures, weights, tmp_path):
    train = ("train", "--data", pictures, "--image-size", 16)
    assert "--weights needs --network NAME" in refused(*train, "--weights", weights)
    assert "absent.npz not found" in refused(*train, "--weights", "absent.npz")
    (tmp_path / "cut.safetensors").write_bytes(weights.read_bytes()[:100])
    options = ("--network", "resnet20", "--weights")
    assert "is damaged" in refused(*train, *options, tmp_path / "cut.safetensors")
    assert "pickle" in refused(*train, *options, "model.pth")
    assert "absent.safetensors not found" in refused(*train, *options, "absent.safetensors")
    assert "Did you mean 'stage" in refused(
        *train, "--network", "resnet20", "--freeze", "stage9"
    )
    assert "--then must be SIZE:EPOCHS" in refused(*train, "--then", "64")
    said = refused(*train, "--then", "24:1")
    assert "GlobalPooling" in said
    assert "Did you mean 'resnet18'" in refused("summary", "resnet81")
    assert "needs a height of at least" in refused("summary", "alexnet", "--input", "3,8,8")
