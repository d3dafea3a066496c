"""Points on pictures, read back from the pixels."""

import numpy as np
import pytest

from neuropil.plots import points
from neuropil.plots.landmarks.drawn_points import FOUND, TRUE

GREY = np.full((200, 400), 90, np.uint8)


def color(text):
    return tuple(int(text[place : place + 2], 16) for place in (1, 3, 5))


def places_of(picture, text):
    """Return the pixels of a colour, x before y."""
    rows, columns = np.nonzero((np.asarray(picture) == color(text)).all(-1))
    return np.stack([columns, rows], axis=1)


def test_visible_points_are_discs_and_hidden_ones_rings():
    picture = points(GREY, [[100, 50, 0.9], [300, 150, 0.1]])
    assert picture.size == (400, 200)
    assert picture.getpixel((100, 50)) == color(FOUND)
    assert picture.getpixel((300, 150)) == (90, 90, 90)
    near = places_of(picture, FOUND)
    assert (np.abs(near - [300, 150]).max(1) < 8).any()


def test_a_line_leads_to_the_true_point_and_missing_ones_are_left_out():
    truth = [[150, 50, 2], [20, 20, 0]]
    picture = points(GREY, [[100, 50], [300, 150]], truth=truth)
    line = places_of(picture, TRUE)
    assert ((line[:, 0] > 105) & (line[:, 0] < 145)).any()
    assert not (np.abs(line - [20, 20]).max(1) < 10).any()


def test_small_pictures_are_enlarged_and_points_with_them():
    picture = points(GREY[:50, :100], [[25, 10]])
    assert picture.size == (400, 200)
    assert picture.getpixel((100, 40)) == color(FOUND)


def test_names_are_written_if_they_are_few():
    plain, named = points(GREY, [[100, 50]]), points(GREY, [[100, 50]], ["nose"])
    assert (np.asarray(plain) != np.asarray(named)).any()
    many = [[10 * place, 50] for place in range(20)]
    names = [f"p{place}" for place in range(20)]
    assert (np.asarray(points(GREY, many)) == np.asarray(points(GREY, many, names))).all()


@pytest.mark.parametrize("found", [[1, 2, 3], [[1, 2, 3, 4]], [[np.nan, 2]]])
def test_what_is_not_points_is_refused(found):
    with pytest.raises(ValueError, match="points: found must have finite rows x, y"):
        points(GREY, found)
