"""The task of segmentation: masks in files, and networks on any backbone."""

import json
import math

import numpy as np
import pytest
import torch
from PIL import Image
from pycocotools import mask as coco
from tests.datasets.annotations.label_writers import write_picture
from tests.datasets.masks.mask_writers import write_masks

from neuropil import datasets
from neuropil.cli import main
from neuropil.datasets import Masks, PredictionInputs
from neuropil.runs.run_folder import Run
from neuropil.vision import decode_runs
from neuropil.vision.segmentation.segmentation_network import segmentation_network
from neuropil.vision.segmentation.task import Segmentation

# Pycocotools does not know NumPy's `copy`.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")

CELLS = Segmentation(Masks(["background", "cell", "wall"], (0, 7, 9)))
NETWORK = "Convolution(4, 3, padding='same') >> Relu() >> Convolution(2, 1)"


def masks(*rows):
    return torch.tensor(rows, dtype=torch.uint8)


def test_masks_of_several_sizes_are_joined_and_placed():
    joined = CELLS.join([masks([[1, 2]]), masks([[1], [0]])])
    assert joined.tolist() == [[[1, 2], [255, 255]], [[1, 255], [0, 255]]]
    given = PredictionInputs(torch.zeros(2, 3, 1, 2), ["a", "b"], sizes=[(2, 4), (1, 1)])
    placed = CELLS.place(masks([[1, 2]], [[2, 0]]), given)
    assert placed[0].tolist() == [[1, 1, 2, 2], [1, 1, 2, 2]]
    assert placed[1].tolist() == [[0, 255, 255, 255], [255] * 4]
    assert CELLS.sentence(placed[0], {}, 1) == "50.0% cell, 50.0% wall"
    assert CELLS.sentence(placed[1], {}, 1) == "nothing"


def test_rows_and_records_hold_the_masks():
    mask = masks([[1, 2, 255], [0, 1, 255], [255, 255, 255]])
    (row,) = CELLS.rows(mask, ["7.png"])
    assert [each["class"] for each in row["masks"]] == ["cell", "wall"]
    assert decode_runs(row["masks"][0]).tolist() == [[1, 0], [0, 1]]
    records = list(CELLS.records(mask, ["7.png"]))
    assert [(each["image_id"], each["category_id"], each["area"]) for each in records] == [
        (7, 1, 2),
        (7, 2, 1),
    ]
    assert coco.decode(records[1]["segmentation"]).tolist() == [[0, 1], [0, 0]]
    assert CELLS.columns(mask, {}) == {"class": ["cell", "wall"], "pixels": [2.0, 1.0]}
    assert CELLS.lines(mask) == [0, 0]


def test_mistakes_tell_what_is_missed():
    true = masks([[1, 1], [0, 0]], [[1, 1], [2, 0]], [[0, 0], [0, 0]])
    found = masks([[1, 1], [0, 0]], [[1, 0], [2, 2]], [[0, 0], [0, 1]])
    first, second = CELLS.mistakes(found, true)
    assert (first.example, first.size) == (2, 1)
    assert (second.example, second.size) == (1, pytest.approx(1 - 2 / 3))
    assert second.kind == (
        "cell: Dice 0.67, 1 pixel missed, 0 too many, wall: Dice 0.67, 0 pixels missed, 1 too "
        "many"
    )


def test_a_set_without_the_class_has_no_figure():
    outputs = torch.randn(2, 3, 4, 4)
    outputs[:, 0] = 9
    gathered = [m.gather(outputs, torch.zeros(2, 4, 4).byte()) for m in CELLS.metrics()]
    values = [m.compute(each) for m, each in zip(CELLS.metrics(), gathered, strict=True)]
    assert all(map(math.isnan, values))
    figures = dict.fromkeys(("dice", "iou", "dice_per_picture"))
    assert CELLS.verdict(figures, torch.zeros(2), "2 tests") == (
        "no pixels of cell or wall in the 2 tests"
    )


@pytest.mark.parametrize("name", ["resnet20", "squeezenet", "mobilenet"])
def test_a_backbone_gives_a_score_for_each_pixel(name):
    with torch.device("meta"):
        network = segmentation_network(3, (3, 45, 70), name)
    CELLS.check(network)
    assert network(torch.zeros(1, 3, 45, 70, device="meta")).shape == (1, 3, 45, 70)


def test_a_backbone_learns_and_is_saved(tmp_path):
    network = segmentation_network(2, (1, 40, 52), "resnet20")
    network.save(tmp_path / "net")
    from neuropil import Network

    pictures = torch.randn(2, 1, 40, 52)
    again = Network.load(tmp_path / "net")
    assert torch.equal(again.eval()(pictures), network.eval()(pictures))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Return a run trained for a moment on masks of 0 and 255."""
    folder = tmp_path_factory.mktemp("run")
    data = write_masks(folder / "data", 20)
    options = ["--network", NETWORK, "--epochs", "1", "--threads", "1", "--quiet"]
    assert main(["train", "--data", str(data), *options, "--out", str(folder / "run")]) == 0
    return Run.open(folder / "run")


def test_masks_are_written_as_pictures_that_can_be_read_as_masks(run, tmp_path, capsys):
    for number, size in enumerate([(12, 16), (24, 40)]):
        write_picture(tmp_path / "new" / "images" / f"{number}.jpg", size, number)
    out = tmp_path / "new" / "masks"
    given = ["predict", str(run.path), str(tmp_path / "new" / "images")]
    assert main([*given, "--out", str(out)]) == 0
    read = run.read([tmp_path / "new" / "images"])
    answers = run.predict(read)
    for number, size in enumerate([(12, 16), (24, 40)]):
        written = np.asarray(Image.open(out / f"{number}.png"))
        assert written.shape == size
        expected = answers[number, : size[0], : size[1]].numpy()
        assert np.array_equal(written, expected * 255)
    assert datasets.open(tmp_path / "new", validation=0, test=0).target.values == (0, 255)
    assert main([*given, "--out", str(tmp_path / "masks.json")]) == 0
    records = json.loads((tmp_path / "masks.json").read_text())
    assert sum(each["area"] for each in records) == int((answers == 1).sum())
    assert main([*given, "--out", str(tmp_path / "masks.csv")]) == 0
    assert (tmp_path / "masks.csv").read_text().startswith("name,class,pixels\n")


def test_masks_of_pictures_that_differ_in_the_suffix_have_files_of_their_own(run, tmp_path):
    for number, suffix in enumerate(("png", "jpg")):
        write_picture(tmp_path / "new" / f"a.{suffix}", (12, 16), number)
    write_picture(tmp_path / "new" / "b.jpg", (12, 16), 2)
    out = tmp_path / "out"
    assert main(["predict", str(run.path), str(tmp_path / "new"), "--out", str(out)]) == 0
    assert sorted(path.name for path in out.iterdir()) == ["a.jpg.png", "a.png", "b.png"]


def test_the_figures_stand_in_the_run(run):
    assert list(run.figures["test"]) == ["loss", "dice", "iou", "dice_per_picture"]
