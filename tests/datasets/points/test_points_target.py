"""The target of points: one tensor, moves, and mirrored pictures."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.datasets.augmentation.batches import seeded
from tests.datasets.augmentation.test_moved_targets import ANY, move_points

from neuropil.datasets import DataError, Points
from neuropil.datasets.augmentation import RandomFlip
from neuropil.datasets.preparation import read_target

FACE = Points(["left_eye", "right_eye", "nose"])
MIRROR = torch.tensor([[[-1.0, 0, 60], [0, 1, 0]]])


def test_labels_become_one_tensor_in_which_missing_points_are_zero():
    labels = [[[40, 20, 2], [10, 20, 1], [float("nan"), 7, 0]], [[1, 2, 2]] * 3]
    targets = FACE.collate(labels, "here")
    assert targets.tolist() == [[[40, 20, 2], [10, 20, 1], [0, 0, 0]], [[1, 2, 2]] * 3]
    assert FACE.collate([], "here").shape == (0, 3, 3)
    assert "5 points, 1 hidden, 1 missing besides; 3 points per picture" in FACE.describe(
        targets
    )
    assert "1 picture without a point" in FACE.describe(torch.zeros(1, 3, 3))


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([[[1, 2, 2]] * 2], r"example 0: points of shape \(2, 3\); 3 points of x, y"),
        ([[[1, 2, 2]] * 3, [[1, 2, 3]] * 3], "example 1: point 'left_eye' is .* 0 for missing"),
        ([[[1, float("inf"), 2]] * 3], "'left_eye' is .1, inf, 2."),
    ],
)
def test_labels_that_are_not_such_points_are_refused(labels, message):
    with pytest.raises(DataError, match=message):
        FACE.collate(labels, "here")


def test_a_target_of_labels_names_or_numbers_its_points_and_needs_some():
    assert Points.fit([[[1, 2, 2], [3, 4, 0]]], "here").points == ("point_1", "point_2")
    with pytest.raises(DataError, match="here has no points: there is nothing to learn"):
        Points.fit([[[1, 2, 0]]], "here")
    for names in ([], ["a", "a"]):
        with pytest.raises(DataError, match="distinct points"):
            Points(names)
    assert read_target({"target": FACE.to_json()}, "target") == FACE
    assert FACE.outputs == 9


def test_mirroring_swaps_left_and_right_and_twice_is_nothing():
    labels = FACE.collate([[[40, 20, 2], [10, 25, 1], [25, 30, 2]]], "here")
    once = FACE.move(labels, MIRROR, (50, 60))
    # What was the right eye, hidden, is the left eye of the mirrored face.
    assert once.tolist() == [[[50, 25, 1], [20, 20, 2], [35, 30, 2]]]
    assert torch.equal(FACE.move(once, MIRROR, (50, 60)), labels)


def test_turning_a_picture_by_180_degrees_swaps_nothing():
    labels = FACE.collate([[[40, 20, 2], [10, 25, 1], [25, 30, 2]]], "here")
    turn = torch.tensor([[[-1.0, 0, 60], [0, -1, 50]]])
    turned = FACE.move(labels, turn, (50, 60))
    assert turned.tolist() == [[[20, 30, 2], [50, 25, 1], [35, 20, 2]]]


def test_without_known_sides_a_mirrored_picture_is_refused_and_others_move():
    unnamed = Points(["point_1", "point_2", "point_3"])
    labels = unnamed.collate([[[40, 20, 2], [10, 25, 1], [25, 30, 2]]], "here")
    with pytest.raises(ValueError, match="no name tells left from right: leave the flip out"):
        unnamed.move(labels, MIRROR, (50, 60))
    shift = torch.tensor([[[1.0, 0, 5], [0, 1, 0]]])
    assert unnamed.move(labels, shift, (50, 60))[0, 0].tolist() == [45, 20, 2]


def test_points_that_leave_the_picture_become_missing():
    labels = FACE.collate([[[40, 20, 2], [10, 25, 1], [25, 30, 2]]], "here")
    shift = torch.tensor([[[1.0, 0, -15], [0, 1, 0]]])
    moved = FACE.move(labels, shift, (50, 60))
    assert moved.tolist() == [[[25, 20, 2], [0, 0, 0], [10, 30, 2]]]
    assert FACE.lost(labels, moved) == "1 point outside after the resize: not used."
    assert not FACE.lost(labels, labels)


@settings(deadline=None, max_examples=50, derandomize=True)
@given(ANY, st.integers(0, 1000))
def test_points_lie_where_the_matrix_of_any_step_puts_them(step, seed):
    # Both eyes are the same spot, so that a swap cannot be told.
    x, y = (torch.rand(2, 6, generator=seeded(seed)) * 20 + 5).unbind()
    labels = torch.stack([x, y, torch.full_like(x, 2)], dim=1)[:, None].expand(6, 3, 3)
    pictures = torch.zeros(6, 1, 30, 34)
    moved, found = step.bind(FACE.move)(pictures, labels, seeded(seed))
    _, places = step.bind(move_points)(pictures, labels[..., :2], seeded(seed))
    height, width = moved.shape[2:]
    inside = ((places >= 0) & (places <= torch.tensor([width, height]))).all(-1)
    assert torch.equal(found[..., 2] == 2, inside)
    torch.testing.assert_close(found[inside][:, :2], places[inside])


def test_a_flip_of_some_pictures_swaps_the_points_of_those_alone():
    labels = FACE.collate([[[40, 20, 2], [10, 25, 1], [25, 30, 2]]] * 20, "here")
    pictures = torch.arange(60.0).expand(20, 1, 50, 60)
    flipped, found = RandomFlip().bind(FACE.move)(pictures, labels, seeded(0))
    mirrored = flipped[:, 0, 0, 0] == 59
    assert 0 < mirrored.sum() < 20
    assert torch.equal(found[~mirrored], labels[~mirrored])
    assert torch.equal(
        found[mirrored], FACE.move(labels, MIRROR.expand(20, 2, 3), (50, 60))[mirrored]
    )
