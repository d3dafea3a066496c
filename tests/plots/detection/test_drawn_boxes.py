"""Boxes on a picture, read back from its pixels."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from neuropil import plots
from neuropil.plots.detection.drawn_boxes import MOST_COVERED, best_place, common, font_of
from neuropil.plots.palette import class_palette

GREY = np.full((300, 500, 3), 128, np.uint8)
NASTY = "<b>$\\frac{$\x1b[31m\n\u202e\udc80 日本"


def color(number, count=2):
    """Return the colour of a class as bytes."""
    return tuple(int(class_palette(count)[number][k : k + 2], 16) for k in (1, 3, 5))


def pixels(*arguments, **options):
    return np.asarray(plots.boxes(*arguments, **options))


def test_the_line_has_the_colour_of_the_class_and_the_picture_keeps_its_size():
    drawn = pixels(
        GREY, [[20, 60, 200, 160, 0.91, 1], [250, 100, 400, 250, 0.5, 0]], ["a", "b"]
    )
    assert drawn.shape == GREY.shape
    assert tuple(drawn[110, 20]) == tuple(drawn[160, 110]) == color(1)
    assert tuple(drawn[150, 400]) == color(0)
    assert tuple(drawn[110, 110]) == (128, 128, 128)
    assert (GREY == 128).all()


def test_padding_is_skipped_and_boxes_that_count_for_nothing_have_their_class():
    bare = pixels(GREY, [])
    np.testing.assert_array_equal(pixels(GREY, [[-1.0] * 5, [0, 0, 0, 0, -1]]), bare)
    np.testing.assert_array_equal(bare, GREY)
    drawn = pixels(GREY, [[20, 60, 200, 160, -3]], ["a", "b"])
    assert tuple(drawn[110, 20]) == color(1)


def test_true_boxes_are_dashed():
    drawn = pixels(GREY, [], ["a", "b"], truth=[[20, 60, 200, 160, 1]])
    side = [tuple(each) for each in drawn[60:161, 20].tolist()]
    assert {color(1)} < set(side)
    assert 0.3 < np.mean([each == color(1) for each in side]) < 0.7


def test_a_small_picture_is_enlarged_by_a_whole_factor():
    tiny = np.zeros((16, 24), np.uint8)
    tiny[3, 5] = 255
    drawn = pixels(tiny, [[10, 4, 20, 12, 0.5, 0]])
    assert drawn.shape == (16 * 17, 24 * 17, 3)
    assert (drawn[3 * 17 : 4 * 17, 5 * 17 : 6 * 17] == 255).all()
    assert tuple(drawn[8 * 17, 10 * 17]) == color(0)


def test_names_stay_inside_and_hostile_ones_are_drawn():
    outside = [[-90, -50, 30, 20, 0.3, 0], [480, 280, 900, 900, 0.2, 0], [5, 5, 2, 2, 0.1, 0]]
    drawn = pixels(GREY, outside, [NASTY])
    assert drawn.shape == GREY.shape
    assert (drawn != 128).any()


def test_a_picture_of_pillow_is_left_as_it_is():
    picture = Image.new("CMYK", (450, 300))
    assert plots.boxes(picture, [[5, 5, 50, 50, 0]]).mode == "RGB"
    assert picture.mode == "CMYK"


def test_tensors_are_drawn_as_arrays():
    rows = [[20, 60, 200, 160, 0.91, 1]]
    boxes = torch.tensor(rows, requires_grad=True)
    for picture in (GREY, GREY[..., 0]):
        first = torch.from_numpy(picture.reshape(300, 500, -1)).permute(2, 0, 1)
        assert (pixels(first, boxes) == pixels(picture, rows)).all()


corner = st.floats(-20, 520)
PLACES = st.lists(st.tuples(corner, corner, corner, corner), min_size=1, max_size=40)


@settings(max_examples=25)
@given(PLACES, st.floats(10, 150))
def test_names_hardly_cover_each_other(drawn, width):
    tags = []
    for x1, y1, x2, y2 in drawn:
        box = (min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2))
        place = best_place(box, width, 14, (500, 400), tags)
        if place is not None:
            assert place[0] >= 0 <= place[1]
            assert place[2] <= 500 >= place[3]
            areas = common(np.array(place), np.array(tags).reshape(-1, 4))
            assert (areas <= MOST_COVERED * width * 14).all()
            tags.append(place)
    assert tags


def test_where_a_name_has_no_room_the_score_is_written_or_nothing():
    crowd = [[200 + k, 150, 260 + k, 180, 0.5, 0] for k in range(40)]
    drawn = plots.boxes(GREY, crowd, ["a name that is long"])
    assert drawn.size == (500, 300)
    assert font_of(12) is font_of(12)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((GREY, [[1, 2, 3]]), r"rows x₁, y₁, x₂, y₂, class"),
        ((GREY, [[0, 0, 9, 9, 0.5, 7]], ["a"]), "with 1 classes"),
        ((GREY, [[0, 0, np.nan, 9, 0.5, 0]], ["a"]), "nan"),
        ((GREY.astype(float), []), "float64 of shape"),
        ((GREY[..., :2], []), r"uint8 of shape \(300, 500, 2\)"),
    ],
)
def test_wrong_input_is_one_line(arguments, message):
    with pytest.raises(ValueError, match=message) as caught:
        plots.boxes(*arguments)
    assert "\n" not in str(caught.value)
