"""What landmarks add to the contract of tasks."""

import json

import pytest
import torch
from tests.datasets.points.point_writers import write_arrays, write_table

from neuropil import datasets
from neuropil.cli import main
from neuropil.datasets import Points, PredictionInputs
from neuropil.datasets.augmentation import Compose, RandomAffine, RandomFlip, RandomShift
from neuropil.layers import Convolution, GlobalPooling, Input, Linear
from neuropil.runs.recipes.default_recipes import recipe
from neuropil.runs.tasks import task_for
from neuropil.vision.landmarks.task import Landmarks

FACE = Points(["left_eye", "right_eye", "nose"])
OUTPUTS = torch.tensor([[-0.5, 0, 9, 0.5, 0, -9, 0, 0.5, 9]])
TARGETS = torch.tensor([[[8.0, 12, 2], [24, 12, 1], [16, 20, 2]]])
PICTURES = {
    f"{number:02}": [(20 - number / 4, 8.5, 2), (6, 8.5, 1), (13, 15, 2)]
    for number in range(12)
}


def test_the_size_is_that_of_the_network_and_must_be_known():
    task = Landmarks(FACE)
    assert task.adapt_to(task.network((3, 24, 32))).size == (24, 32)
    free = Input(3, None, None) >> Convolution(4, 3) >> GlobalPooling("avg") >> Linear(9)
    with pytest.raises(ValueError, match="landmarks needs pictures of one size"):
        task.adapt_to(free)


def test_an_answer_in_words_in_rows_and_as_coco_has_it():
    task = Landmarks(FACE, size=(24, 32))
    answers = task.decode(OUTPUTS)
    assert task.sentence(answers[0], {}, 1) == (
        "left_eye (8.0, 12.0), right_eye (24.0, 12.0, hidden), nose (16.0, 18.0)"
    )
    (row,) = task.rows(answers, ["7.png"])
    assert row["points"]["nose"] == {"x": 16.0, "y": 18.0, "visible": pytest.approx(0.999877)}
    (record,) = task.records(answers, ["faces/7.png"])
    assert record["image_id"] == 7
    assert record["keypoints"] == [8, 12, 2, 24, 12, 1, 16, 18, 2]
    columns = task.columns(answers, {})
    assert [columns[f"right_eye_{axis}"] for axis in "xyv"] == [[24], [12], [1]]


def test_errors_are_parts_of_the_distance_between_the_eyes():
    task = Landmarks(FACE, size=(24, 32))
    figures = {metric.name: metric(OUTPUTS, TARGETS) for metric in task.metrics()}
    assert figures["normalized_mean_error"] == pytest.approx(2 / 16 / 3)
    assert figures["normalized_mean_error of nose"] == pytest.approx(2 / 16)
    assert figures["normalized_mean_error of left_eye"] == pytest.approx(0)
    assert task.verdict(figures, TARGETS, "9 examples") == (
        "points off by 4.2% of the distance between the eyes on average over the 9 examples"
    )
    (mistake,) = task.mistakes(task.decode(OUTPUTS), TARGETS)
    assert mistake.kind == "nose off by 0.125"
    many = Landmarks(Points([f"p{number}" for number in range(30)]))
    assert [metric.name for metric in many.metrics()] == ["normalized_mean_error"]
    assert "box around the points" in Landmarks(Points(["a", "b"])).unit
    assert "the picture" in Landmarks(Points(["a"])).unit


def test_points_are_placed_in_the_pixels_of_the_files():
    task = Landmarks(FACE, size=(24, 32))
    given = PredictionInputs(torch.zeros(1, 3, 24, 32), ["a"], sizes=[(48, 96)])
    placed = task.place(task.decode(OUTPUTS), given)
    assert placed[0, :, :2].tolist() == [[24, 24], [72, 24], [48, 36]]
    unknown = PredictionInputs(torch.zeros(1, 3, 24, 32), ["a"])
    assert torch.equal(task.place(task.decode(OUTPUTS), unknown), task.decode(OUTPUTS))


def test_pictures_are_mirrored_only_if_left_and_right_are_known(tmp_path):
    path = write_arrays(tmp_path / "arrays.npz", PICTURES, FACE.points)

    def steps(splits):
        augment = recipe(splits, task_for(splits.target)).augment
        return augment.steps if isinstance(augment, Compose) else [augment]

    named, unnamed = datasets.open(path, target=FACE.points), datasets.open(path)
    assert any(isinstance(step, RandomFlip) for step in steps(named))
    assert not any(isinstance(step, RandomFlip) for step in steps(unnamed))
    assert task_for(named.target).notes() == []
    (note,) = task_for(unnamed.target).notes()
    assert note.startswith(
        "Pictures are not mirrored, since no name tells left from right: name"
    )


def test_a_flip_without_known_sides_is_refused_before_the_training():
    task = Landmarks(Points(["a", "b"]))
    for augment in (RandomFlip(), Compose(RandomShift(2), RandomFlip())):
        with pytest.raises(ValueError, match="no name tells left from right: leave RandomFlip"):
            task.bind(augment)
    assert task.bind(RandomAffine(5)).move is not None
    assert task.bind(None) is None


def test_a_backbone_by_name_sees_heat_maps():
    network = Landmarks(FACE).named_network("squeezenet", (3, 48, 48))
    assert network.output_shape == (9,)
    with pytest.raises(ValueError, match="dense has no features"):
        Landmarks(FACE).named_network("dense", (3, 48, 48))


def test_predicted_tables_can_be_trained_on(tmp_path, capsys):
    path = write_table(tmp_path / "faces.csv", PICTURES, FACE.points)
    run = tmp_path / "run"
    net = "Convolution(4, 8, stride=8) >> Relu() >> Flatten() >> Linear(9)"
    quick = ["--network", net, "--epochs", "1", "--threads", "1", "--quiet", "--out", str(run)]
    assert main(["train", "--data", str(path), *quick]) == 0
    out = tmp_path / "found.csv"
    assert main(["predict", str(run), str(tmp_path), "--out", str(out)]) == 0
    again = datasets.open(out)
    assert again.target.points[:3] == FACE.points
    capsys.readouterr()
    assert main(["predict", str(run), str(path)]) == 0
    assert capsys.readouterr().out.count("left_eye (") == len(PICTURES)
    (tmp_path / "none.csv").write_text("image\n77.png\n")
    assert main(["predict", str(run), str(tmp_path / "none.csv")]) == 2
    assert (
        "trained on pictures, and the table names none in the folder" in capsys.readouterr().err
    )
    drawn = tmp_path / "drawn"
    assert main(["predict", str(run), str(tmp_path / "00.png"), "--out", str(drawn)]) == 0
    assert [each.name for each in drawn.iterdir()] == ["00.png"]
    capsys.readouterr()
    assert main(["predict", str(run), str(tmp_path / "00.png"), "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)[0]["points"]) == set(FACE.points)
