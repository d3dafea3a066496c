"""Boxes as one tensor, and boxes that move along with their pictures."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from neuropil.datasets import Boxes, DataError

PETS = Boxes(["cat", "dog"])
SIDES = st.floats(1, 30)
BOX = st.tuples(
    st.floats(0, 60), st.floats(0, 40), SIDES, SIDES, st.sampled_from([0, 1, -2, -3])
)


def corners(rows: list[tuple[float, ...]]) -> list[list[float]]:
    """Return boxes from their first corner and their sides."""
    return [[x, y, x + width, y + height, number] for x, y, width, height, number in rows]


def move(boxes: list[list[float]], matrix: list[list[float]], size: tuple[int, int]) -> Tensor:
    """Return the boxes of one picture after a change."""
    return PETS.move(PETS.collate([boxes], "here"), torch.tensor([matrix]), size)[0]


def test_pictures_without_boxes_are_all_padding():
    assert PETS.collate([[], torch.zeros(0, 5)], "here").tolist() == [[[-1] * 5], [[-1] * 5]]
    assert PETS.collate([], "here").shape == (0, 1, 5)


def test_rows_may_be_padded_already():
    once = PETS.collate([[[0, 0, 2, 2, 1]], [[1, 1, 2, 3, 0], [0, 0, 4, 4, -3]]], "here")
    assert once.dtype == torch.float32
    assert torch.equal(PETS.collate(once, "here"), once)


@pytest.mark.parametrize(
    "row",
    [
        [4, 0, 2, 2, 0],
        [0, 3, 2, 3, 0],
        [0, 0, 2, 2, 2],
        [0, 0, 2, 2, -4],
        [0, 0, 2, 2, 0.5],
        [0, 0, float("nan"), 2, 0],
        [0, 0, float("inf"), 2, 0],
    ],
)
def test_a_row_that_is_not_a_box_is_named(row):
    with pytest.raises(
        DataError, match=r"here, example 1: box 1 is \(.*a class number below 2"
    ):
        PETS.collate([[], [[0, 0, 1, 1, 0], row]], "here")


def test_classes_are_found_by_number():
    assert Boxes.fit([[[0, 0, 1, 1, 1]], [], [[0, 0, 1, 1, -5]]], "here").classes == (
        "0",
        "1",
        "2",
        "3",
    )
    assert Boxes.fit([[[0, 0, 1, 1, 0]]], "here", classes=["cat"], name="pet") == Boxes(
        ["cat"], "pet"
    )
    assert PETS.outputs == 7


@pytest.mark.parametrize("labels", [[], [[]], [[[0, 0, 1, 1, -2]]]])
def test_no_box_to_find_is_refused(labels):
    with pytest.raises(DataError, match="here has no boxes: there is nothing to learn"):
        Boxes.fit(labels, "here")


def test_a_box_moves_by_the_matrix_and_is_cut_off_at_the_border():
    box = [[2.0, 3.0, 12.0, 13.0, 1.0]]
    half = [[0.5, 0.0, 0.0], [0.0, 0.25, 0.0]]
    assert move(box, half, (10, 10)).tolist() == [[1, 0.75, 6, 3.25, 1]]
    flipped = [[-1.0, 0.0, 20.0], [0.0, 1.0, 0.0]]
    assert move(box, flipped, (20, 20)).tolist() == [[8, 3, 18, 13, 1]]
    turned = [[0.0, -1.0, 20.0], [1.0, 0.0, 0.0]]
    assert move(box, turned, (20, 20)).tolist() == [[7, 2, 17, 12, 1]]
    shifted = [[1.0, 0.0, -6.0], [0.0, 1.0, 0.0]]
    assert move(box, shifted, (20, 20)).tolist() == [[0, 3, 6, 13, 1]]
    eighth = 2**0.5 / 2
    rotated = move(
        [[-1.0, -1.0, 1.0, 1.0, 0.0]], [[eighth, -eighth, 5], [eighth, eighth, 5]], (9, 9)
    )
    torch.testing.assert_close(
        rotated[0, :4], torch.tensor([5, 5, 5, 5]) + 2**0.5 * torch.tensor([-1, -1, 1, 1])
    )


@pytest.mark.parametrize(
    ("left", "kept"),
    [(-7.0, True), (-7.9, True), (-8.0, False), (-10.0, False), (-50.0, False)],
)
def test_a_box_that_is_mostly_outside_becomes_padding(left, kept):
    box = [[0.0, 0.0, 10.0, 10.0, -3.0]]
    moved = move(box, [[1.0, 0.0, left], [0.0, 1.0, 0.0]], (20, 20)).tolist()
    assert (moved[0][4] == -3) is kept
    assert kept or moved == [[-1] * 5]


def test_a_box_thinner_than_a_pixel_becomes_padding():
    thin = [[0.0, 0.0, 4.0, 40.0, 0.0], [0.0, 0.0, 3.9, 40.0, 0.0]]
    moved = move(thin, [[0.25, 0.0, 0.0], [0.0, 0.25, 0.0]], (20, 20))
    assert moved.tolist() == [[0, 0, 1, 10, 0], [-1] * 5]


@settings(deadline=None, max_examples=60, derandomize=True)
@given(
    st.lists(st.lists(BOX, max_size=4), min_size=1, max_size=3),
    st.floats(0.2, 3),
    st.floats(-9, 9),
)
def test_moved_boxes_are_boxes_inside_the_picture(pictures, scale, shift):
    targets = PETS.collate([corners(rows) for rows in pictures], "here")
    matrix = torch.tensor([[[scale, 0.1, shift], [-0.1, scale, shift]]]).expand(
        len(pictures), -1, -1
    )
    moved = PETS.move(targets, matrix, (40, 60))
    assert moved.shape == targets.shape
    there = moved[..., 4] != -1
    assert torch.equal(PETS.collate(moved, "here"), moved)
    assert (moved[~there] == -1).all()
    assert torch.equal(moved[there][:, 4], targets[there][:, 4])
    assert (moved[there][:, :4] >= 0).all()
    assert (moved[there][:, [1, 3]] <= 40).all()
    assert (moved[there][:, [0, 2]] <= 60).all()
