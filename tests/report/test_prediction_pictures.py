"""Pictures with predicted boxes in a folder, and boxes in the form of COCO."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from neuropil.cli import main
from neuropil.datasets import Boxes, Dataset, PicturePreparation, Splits, read_for_prediction
from neuropil.plots.palette import class_palette
from neuropil.report.prediction_pictures import inner_name, write_pictures
from neuropil.runs.run_folder import Run
from neuropil.vision.detection.task import Detection

TARGET = Boxes(["cat", "dog"])


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Return a run whose network is not trained: what it sees is no matter here."""
    task = Detection(TARGET, strides=[8], anchors=[[[8, 8]]], thresholds=[0.5, 0.5])
    inputs = torch.zeros(4, 3, 16, 24, dtype=torch.uint8)
    data = Dataset(inputs, TARGET.collate([[[2, 2, 9, 9, 1]]] * 4, "here"))
    splits = Splits(
        data, None, data, preparation=PicturePreparation((3, 16, 24), TARGET), source="drawn"
    )
    network = task.network((3, 16, 24))
    run = Run.create(tmp_path_factory.mktemp("runs") / "run", network, splits, task, {})
    run.status = "finished"
    run.save()
    return run


@pytest.fixture
def pictures(tmp_path):
    """Return a folder with pictures of other sizes than the network takes."""
    folder = tmp_path / "given"
    (folder / "deep").mkdir(parents=True)
    Image.new("RGB", (480, 420), (90, 90, 90)).save(folder / "00009.jpg")
    grey = np.linspace(0, 60000, 500 * 440).reshape(440, 500).astype(np.uint16)
    Image.fromarray(grey).save(folder / "deep" / "b.png")
    turned = Image.new("RGB", (410, 450))
    exif = turned.getexif()
    exif[0x0112] = 6
    turned.save(folder / "turned.png", exif=exif)
    Image.new("CMYK", (500, 410)).save(folder / "ink.tif")
    return folder


def test_pictures_have_the_size_of_their_files_and_the_boxes_in_their_colours(
    run, pictures, tmp_path
):
    given = read_for_prediction(run.preparation, [pictures])
    assert sorted(given.names) == ["00009.jpg", "deep/b.png", "ink.tif", "turned.png"]
    answers = torch.zeros(4, 2, 6)
    answers[..., 5] = -1
    answers[:, 0] = torch.tensor([100.0, 150, 300, 250, 0.9, 1])
    write_pictures(tmp_path / "out", run, given, answers)
    sizes = {}
    for path in sorted((tmp_path / "out").rglob("*.*")):
        with Image.open(path) as image:
            sizes[path.relative_to(tmp_path / "out").as_posix()] = image.size
            if path.suffix == ".png":
                color = "#{:02x}{:02x}{:02x}".format(*np.asarray(image)[200, 100])
                assert color == class_palette(2)[1]
    assert sizes == {
        "00009.jpg": (480, 420), "deep/b.png": (500, 440), "ink.tif.png": (500, 410),
        "turned.png": (450, 410),
    }  # fmt: skip
    with Image.open(tmp_path / "out" / "deep" / "b.png") as image:
        assert np.asarray(image)[-1, -1, 0] == 255


def test_boxes_of_pictures_of_one_name_have_their_whole_names():
    boxes = torch.tensor([[[0.0, 0, 9, 9, 0.8, 0]]] * 3)
    names = ["old/1.png", "new/1.png", "2.png"]
    found = Detection(TARGET, strides=[8], anchors=[[[8, 8]]]).records(boxes, names)
    assert [each["image_id"] for each in found] == ["old/1.png", "new/1.png", 2]


def test_the_command_line_writes_a_folder_and_says_what_is_in_its_way(
    run, pictures, tmp_path, capsys
):
    command = ["predict", str(run.path), str(pictures), "--out", str(tmp_path / "out")]
    assert main(command) == 0
    assert f"4 pictures in {tmp_path / 'out'}" in capsys.readouterr().out
    assert len(list((tmp_path / "out").rglob("*.*"))) == 4
    assert main(command) == 2
    assert "out already exists: name a new folder with --out" in capsys.readouterr().err


def test_boxes_are_written_in_the_form_of_coco(run, pictures, tmp_path, monkeypatch):
    answers = torch.zeros(4, 3, 6)
    answers[..., 5] = -1
    answers[0, 0] = torch.tensor([10.0, 20, 40.5, 30, 0.9, 1])
    answers[3, :2] = torch.tensor([[0.0, 0, 9, 9, 0.8, 0], [1, 1, 5, 5, 0.7, 0]])
    monkeypatch.setattr(Run, "predict", lambda *_: answers)
    out = tmp_path / "boxes.json"
    assert main(["predict", str(run.path), str(pictures), "--out", str(out)]) == 0
    first, *others = json.loads(out.read_text())
    assert first == {
        "image_id": 9, "file_name": "00009.jpg", "category_id": 2, "category": "dog",
        "bbox": [10, 20, 30.5, 10], "score": 0.9,
    }  # fmt: skip
    assert [each["bbox"] for each in others] == [[0, 0, 9, 9], [1, 1, 4, 4]]
    assert {each["image_id"] for each in others} == {"turned"}
    out = tmp_path / "boxes.csv"
    assert main(["predict", str(run.path), str(pictures), "--out", str(out)]) == 0
    lines = out.read_text().splitlines()
    assert lines[0] == "name,predicted class,score,x1,y1,x2,y2"
    assert lines[1:] == [
        "00009.jpg,dog,0.9,10,20,40.5,30", "turned.png,cat,0.8,0,0,9,9",
        "turned.png,cat,0.7,1,1,5,5",
    ]  # fmt: skip


def test_arrays_are_drawn_as_the_network_gets_them(run, tmp_path):
    np.save(tmp_path / "two.npy", np.zeros((2, 3, 16, 24), np.uint8))
    given = read_for_prediction(run.preparation, [tmp_path / "two.npy"])
    answers = torch.tensor([[[2.0, 2, 20, 12, 0.9, 1]]] * 2)
    write_pictures(tmp_path / "out", run, given, answers)
    names = [path.name for path in sorted((tmp_path / "out").iterdir())]
    assert len(names) == 2
    with Image.open(tmp_path / "out" / names[0]) as image:
        assert image.size == (24 * 17, 16 * 17)


@pytest.mark.parametrize(
    ("name", "inner"),
    [
        ("../../etc/x.png", "etc/x.png"),
        ("/data/cats/1.JPG", "data/cats/1.JPG"),
        ("scan.tiff", "scan.tiff.png"),
        ("two.npy, row 1", "two.npy, row 1.png"),
    ],
)
def test_no_picture_is_written_outside_the_folder(name, inner):
    assert inner_name(name).as_posix() == inner
