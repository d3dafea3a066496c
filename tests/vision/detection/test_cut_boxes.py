"""Boxes that augmentation cuts off."""

import pytest
import torch

from neuropil.datasets import Boxes
from neuropil.vision.detection.task import Detection

TASK = Detection(Boxes(["cat", "dog"]))
SIZE = (20, 40)


def moved_class(shift, number=1):
    """Return the class of a box 10 pixels wide after a shift to the left."""
    box = torch.tensor([[[2.0, 3, 12, 13, number]]])
    matrix = torch.tensor([[[1.0, 0, -shift], [0, 1, 0]]])
    return TASK.move(box, matrix, SIZE)[0, 0, 4].item()


@pytest.mark.parametrize(("shift", "number"), [(0, 1), (2, 1), (3, 1), (3.5, -3), (9, -3)])
def test_a_box_of_which_much_is_outside_counts_neither_for_nor_against(shift, number):
    assert moved_class(shift) == number


def test_a_box_that_is_almost_outside_is_dropped_and_one_that_counts_for_nothing_stays_so():
    assert moved_class(11) == -1
    assert moved_class(3.5, number=-2) == -2
    assert moved_class(0, number=-1) == -1


def test_a_turned_box_that_is_inside_counts():
    box = torch.tensor([[[10.0, 5, 18, 9, 0]]])
    quarter = torch.tensor([[[0.0, -1, 20], [1, 0, 0]]])
    assert TASK.move(box, quarter, SIZE).tolist() == [[[11.0, 10.0, 15.0, 18.0, 0.0]]]
