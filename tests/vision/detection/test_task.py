"""What detection adds to the contract of tasks."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from neuropil.datasets import Boxes, PredictionInputs
from neuropil.layers import BoxGrid, Input, Linear
from neuropil.runs.tasks import task_from
from neuropil.vision.detection.task import Detection

CLASSES = Boxes(["cat", "dog"])


@pytest.fixture
def task():
    return Detection(CLASSES, anchors=[[(10, 10)], [(40, 30)]], thresholds=[0.3, 0.6])


def answers_of(*boxes):
    """Return boxes as the answers for one picture, with a row of padding."""
    return torch.tensor([[*boxes, (0.0, 0, 0, 0, 0, -1)]])


def test_boxes_below_the_threshold_of_their_class_are_not_chosen(task):
    given = answers_of((0, 0, 9, 9, 0.5, 0), (0, 0, 9, 9, 0.5, 1), (0, 0, 9, 9, 0.2, 0))
    assert task.chosen(given)[0, :, 5].tolist() == [0, -1, -1, -1]


def test_without_validation_the_threshold_is_one_half():
    assert Detection(CLASSES).thresholds == (0.5, 0.5)


def test_thresholds_that_validation_chose_have_intervals_and_survive_the_file(task):
    answers = answers_of((0, 0, 9, 9, 0.9, 0), (20, 20, 29, 29, 0.4, 1))
    targets = torch.tensor([[[0.0, 0, 9, 9, 0], [20, 20, 29, 29, 1]]])
    settled = task.settle(answers, targets)
    for threshold, (low, high) in zip(settled.thresholds, settled.intervals, strict=True):
        assert low <= threshold <= high
    assert task_from(settled.to_json(), CLASSES) == settled


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"thresholds": [0.5]}, "2 classes, and 1 thresholds"),
        ({"thresholds": [0.5, 2]}, "a threshold"),
        ({"strides": [8]}, "one list of anchors per stride"),
    ],
)
def test_plain_data_that_do_not_fit_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        Detection(CLASSES, **options)


def test_a_network_of_other_classes_is_refused(task):
    other = Input(3, 64, 64) >> BoxGrid(3, anchors=[[(9, 9)]], strides=[1])
    with pytest.raises(ValueError, match=r"boxes of 3 classes, the data has boxes of 2"):
        task.check(other)
    with pytest.raises(ValueError, match=r"gives other outputs, .* end it with BoxGrid\(2"):
        task.check(Input(3) >> Linear(4))


def test_strides_and_anchors_are_those_of_the_network(task):
    network = Input(3, 64, 64) >> BoxGrid(2, anchors=[[(9, 8), (20, 30)]], strides=[4])
    found = task.adapt_to(network)
    assert (found.strides, found.anchors) == ((4,), (((9.0, 8.0), (20.0, 30.0)),))
    assert found.thresholds == task.thresholds


def test_a_named_architecture_is_the_backbone(task):
    network = task.named_network("resnet20", (3, 64, 64))
    task.check(network)
    assert network.output_shape == (4, 4, 35)
    with pytest.raises(ValueError, match="dense has no features to build on: use "):
        task.named_network("dense", (3, 64, 64))


def test_anchors_come_from_the_training_boxes_and_are_told():
    boxes = torch.tensor(
        [[[0.0, 0, 10, 10, 0], [5, 5, 65, 65, 1]], [[2, 2, 12, 12, 0], [-1] * 5]]
    )
    task = Detection(CLASSES).adapt_to_labels(boxes)
    assert (task.strides, task.anchors) == ((8, 16), (((10, 10),), ((60, 60),)))
    (note,) = task.adapt_to(task.network((3, 64, 64))).notes()
    assert note.startswith("2 anchors for cells of 8 and 16 pixels: mean IoU 1.00")
    other = Input(3, 64, 64) >> BoxGrid(2, anchors=[[(9, 8)]], strides=[4])
    assert task.adapt_to(other).notes() == []


def test_boxes_are_placed_in_the_pixels_of_their_files(task):
    given = answers_of((10, 20, 30, 40, 0.9, 1))
    inputs = torch.zeros(1, 3, 60, 80)
    read = PredictionInputs(inputs, ["a.png"], sizes=[(120, 240)])
    placed = task.place(given, read)
    assert placed[0].tolist() == [
        pytest.approx([30, 40, 90, 80, 0.9, 1]),
        [0, 0, 0, 0, 0, -1],
    ]
    varied = SimpleNamespace(size_of=lambda place: (60, 80))
    assert torch.equal(
        task.place(given, PredictionInputs(varied, ["a"], sizes=[(120, 240)])), placed
    )
    assert task.place(given, PredictionInputs(inputs, ["a.png"])) is given


def test_boxes_in_words_rows_and_lines(task):
    boxes = (0, 0, 9, 9, 0.9, 1), (5, 5, 8, 8, 0.8, 0), (1, 1, 4.25, 4, 0.7, 1)
    answers = torch.cat([answers_of(*boxes), answers_of(*[(0, 0, 0, 0, 0, -1)] * 3)])
    assert task.sentence(answers[0], {}, 1) == "1 cat (0.80), 2 dog (0.70–0.90)"
    assert task.sentence(answers[1], {}, 1) == "nothing"
    digits = replace(task, target=replace(task.target, classes=("0", "1")))
    assert digits.sentence(answers[0], {}, 1) == "1 “0” (0.80), 2 “1” (0.70–0.90)"
    first, second = task.rows(answers, ["a.png", "b.png"])
    assert first["boxes"][2] == {"class": "dog", "score": 0.7, "box": [1, 1, 4.25, 4]}
    assert second == {"name": "b.png", "boxes": []}
    assert task.lines(answers) == [0, 0, 0]
    columns = task.columns(answers, {})
    assert columns["predicted class"] == ["dog", "cat", "dog"]
    assert columns["x2"] == [9, 8, 4.25]


def test_pictures_without_boxes_have_a_verdict(task):
    figures = dict.fromkeys(("ap", "ap50", "f1"))
    assert task.verdict(figures, torch.full((1, 1, 5), -1.0), "1 example") == (
        "no boxes in the 1 example"
    )


def test_outputs_that_are_not_finite_are_noticed(task):
    network = task.network((3, 32, 32))
    outputs = network(torch.zeros(2, 3, 32, 32)).detach()
    outputs[1, 0, 0, 3] = torch.nan
    answers = task.decode(outputs)
    assert answers[0].isfinite().all()
    assert not answers[1].isfinite().all()
    assert task.chosen(answers).isfinite().all()


def test_pictures_without_any_box_train(task):
    network = task.network((3, 32, 32))
    targets = torch.full((2, 3, 5), -1.0)
    loss = task.loss(network(torch.rand(2, 3, 32, 32)), targets)
    loss.sum().backward()
    assert loss.isfinite().all()
    gradients = [weight.grad for weight in network.parameters() if weight.grad is not None]
    assert all(gradient.isfinite().all() for gradient in gradients)
