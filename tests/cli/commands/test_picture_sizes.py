"""Pictures of many sizes from the command line: trained, evaluated, predicted, resumed."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from neuropil.core import Network
from neuropil.datasets.pictures import picture_set
from neuropil.runs.run_folder import Run

QUICK = ("--epochs", 2, "--threads", 1, "--quiet")


@pytest.fixture
def shapes(tmp_path):
    """Write pictures of two classes in many sizes, and return their folder."""
    random = np.random.default_rng(0)
    for label, shade in (("dark", 60), ("light", 200)):
        (tmp_path / "shapes" / label).mkdir(parents=True)
        for number in range(24):
            height, width = random.integers(8, 40, 2)
            pixels = random.integers(shade - 50, shade + 50, (height, width), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "shapes" / label / f"{number}.png")
    return tmp_path / "shapes"


@pytest.mark.parametrize("size", ["buckets", "native"])
def test_pictures_of_many_sizes_are_trained_evaluated_and_predicted(neuropil, shapes, size):
    trained = neuropil("train", "--data", shapes, "--image-size", size, "--out", "run", *QUICK)
    assert (trained.code, trained.out) == (0, "run\n"), trained.err
    facts = json.loads(Path("run/run.json").read_text())
    assert facts["settings"]["image_size"] == size
    assert facts["data"]["preparation"]["shape"] == [1, None, None]
    evaluated = json.loads(neuropil("evaluate", "run", "--json").out)
    assert evaluated["figures"] == facts["figures"]["test"]
    assert "nothing to resume" in neuropil("resume", "run").out


def test_pictures_on_disk_give_the_network_of_those_in_memory(neuropil, shapes, monkeypatch):
    for out, memory in (("memory", 2**30), ("disk", 0)):
        monkeypatch.setattr(picture_set, "MEMORY", memory)
        neuropil("train", "--data", shapes, "--image-size", 16, "--out", out, *QUICK)
    memory, disk = (Path(out, "weights.safetensors").read_bytes() for out in ("memory", "disk"))
    assert memory == disk
    figures = [
        json.loads(Path(out, "run.json").read_text())["figures"] for out in ("memory", "disk")
    ]
    assert figures[0] == figures[1]


def test_a_native_picture_has_one_prediction_alone_and_among_others(neuropil, shapes):
    neuropil("train", "--data", shapes, "--image-size", "native", "--out", "run", *QUICK)
    assert len(Network.load("run").input_shapes) == 2
    together = json.loads(neuropil("predict", "run", shapes / "dark", "--json").out)
    alone = json.loads(neuropil("predict", "run", shapes / "dark" / "7.png", "--json").out)
    (same,) = (row for row in together if row["name"] == "7.png")
    assert same.keys() == alone[0].keys()
    run = Run.open("run")
    one, all_of_them = (
        run.predict(run.read(paths).inputs)
        for paths in ([shapes / "dark" / "7.png"], [shapes / "dark"])
    )
    place = [row["name"] for row in together].index("7.png")
    torch.testing.assert_close(all_of_them[place], one[0], rtol=1e-6, atol=1e-6)


def test_a_broken_file_among_those_to_predict_is_set_aside(neuropil, shapes):
    neuropil("train", "--data", shapes, "--image-size", "native", "--out", "run", *QUICK)
    (shapes / "dark" / "3.png").write_bytes(b"broken")
    result = neuropil("predict", "run", shapes / "dark")
    assert len(result.out.splitlines()) == 23
    assert "set aside: 3.png cannot be used: it is not a picture." in result.err


def test_a_network_without_a_mask_is_refused_for_padded_pictures(refused, shapes):
    line = refused(
        "train", "--data", shapes, "--image-size", "native", "--network", "resnet20", *QUICK
    )
    assert (
        "pictures of their own sizes are padded, and the network does not take a mask" in line
    )


def test_another_size_is_refused_with_the_choices(refused, shapes):
    line = refused("train", "--data", shapes, "--image-size", "natural", *QUICK)
    assert line.startswith(
        "--image-size must be a number such as 32, or HEIGHTxWIDTH, or buckets"
    )
