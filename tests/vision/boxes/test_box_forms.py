"""Forms of boxes: conversions by hand, there and back, and refusals."""

import pytest
import torch

from neuropil.vision import to_centers, to_corners, to_pixels, to_relative

CORNERS = torch.tensor([[0.0, 0.0, 4.0, 2.0], [1.0, 3.0, 1.0, 9.0]])
CENTERS = torch.tensor([[2.0, 1.0, 4.0, 2.0], [1.0, 6.0, 0.0, 6.0]])


def test_corners_and_centers_by_hand():
    torch.testing.assert_close(to_centers(CORNERS), CENTERS)
    torch.testing.assert_close(to_corners(CENTERS), CORNERS)


def test_relative_boxes_are_parts_of_width_and_height():
    relative = torch.tensor([[0.0, 0.0, 0.5, 0.2], [0.125, 0.3, 0.125, 0.9]])
    torch.testing.assert_close(to_relative(CORNERS, (10, 8)), relative)
    torch.testing.assert_close(to_pixels(relative, (10, 8)), CORNERS)


@pytest.mark.parametrize(
    ("there", "back"), [(to_centers, to_corners), (to_corners, to_centers)]
)
def test_there_and_back(there, back):
    boxes = torch.rand(2, 3, 5, 4, dtype=torch.float64) * 100
    torch.testing.assert_close(back(there(boxes)), boxes)


def test_integers_become_floats_and_none_stay_none():
    assert to_centers(torch.tensor([[0, 0, 3, 1]])).tolist() == [[1.5, 0.5, 3, 1]]
    assert to_corners(torch.zeros(0, 4)).shape == (0, 4)


@pytest.mark.parametrize("convert", [to_corners, to_centers])
def test_other_than_four_numbers_a_box_are_refused(convert):
    with pytest.raises(ValueError, match=rf"{convert.__name__}: .* shape .*, got \(2, 5\)"):
        convert(torch.zeros(2, 5))


@pytest.mark.parametrize("size", [(0, 5), (1, 2, 3)])
def test_a_size_that_no_picture_has_is_refused(size):
    with pytest.raises(ValueError, match=r"height and width of the picture, got \("):
        to_relative(CORNERS, size)
