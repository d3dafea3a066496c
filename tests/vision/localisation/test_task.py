"""What localisation adds to the contract of tasks."""

import pytest
import torch
from tests.datasets.annotations.label_writers import write_picture, write_yolo

from neuropil import datasets
from neuropil.datasets import Boxes
from neuropil.layers import Convolution, GlobalPooling, Input, Linear
from neuropil.runs.tasks import task_for
from neuropil.vision.localisation.task import Localisation

CLASSES = Boxes(["cat", "dog"])


def test_pictures_of_several_things_are_refused():
    targets = torch.tensor([[[0.0, 0, 9, 9, 1], [5, 5, 9, 9, 0]], [[0, 0, 9, 9, 0], [-1] * 5]])
    with pytest.raises(ValueError, match="up to 2 boxes in 1 training picture: use --task"):
        task_for(CLASSES, "localisation", targets)
    assert task_for(CLASSES, "localisation", targets[1:]).name == "localisation"


def test_the_size_is_that_of_the_network_and_must_be_known():
    task = Localisation(CLASSES)
    assert task.adapt_to(task.network((3, 24, 32))).size == (24, 32)
    free = Input(3, None, None) >> Convolution(4, 3) >> GlobalPooling("avg") >> Linear(7)
    with pytest.raises(ValueError, match="needs pictures of one size"):
        task.adapt_to(free)


def test_pictures_of_several_sizes_get_the_median_one(tmp_path):
    boxes = {f"{number}": [("cat", 2, 2, 20, 20)] for number in range(6)}
    folder = write_yolo(tmp_path, boxes, ["cat"], (24, 32))
    write_picture(folder / "images" / "6.png", (48, 48), 6)
    write_picture(folder / "images" / "7.png", (40, 36), 7)
    for task, shape in (("localisation", (3, 24, 32)), (None, (3, None, None))):
        assert datasets.open(folder, task=task).input_shape == shape


def test_nothing_is_an_answer():
    task = Localisation(CLASSES, size=(24, 32))
    outputs = torch.tensor([[-1.0, 0, 0, 0, 0, 1, 2], [1.0, 0, 0, 0, 0, 1, 2]])
    answers = task.decode(outputs)
    assert answers[:, 0, 5].tolist() == [-1, 1]
    assert task.sentence(answers[0], {}, 1) == "nothing"
    targets = torch.tensor([[[-1.0] * 5], [[8.0, 6, 24, 18, 1]]])
    figures = {metric.name: metric(outputs, targets) for metric in task.metrics()}
    assert figures == {"accuracy": 1.0, "mean_iou": 1.0}
    assert not task.mistakes(answers, targets)
    assert task.verdict(figures, targets, "2 test examples") == (
        "100.0% of the 2 test examples classified correctly, with a mean IoU of 1.000"
    )
