"""Sides in names, and the scheme of 68 points."""

import pytest

from neuropil.datasets.points.point_names import eye_pairs, pairs_by_name
from neuropil.datasets.points.point_schemes import FACE68


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("left_eye", "right_eye"),
        ("eye_l", "eye_r"),
        ("L eye", "R eye"),
        ("leftEye", "rightEye"),
        ("EyeL", "EyeR"),
        ("lefteye", "righteye"),
        ("left_eye_inner_corner", "right_eye_inner_corner"),
    ],
)
def test_a_side_is_found_in_names_of_every_style(left, right):
    assert pairs_by_name(["nose", right, left]) == (((2, 1),), "")
    assert eye_pairs(["nose", right, left], [(2, 1)]) == ((2, 1),)


@pytest.mark.parametrize(
    ("names", "why"),
    [
        (["a", "b"], "no name tells left from right"),
        (["left_eye", "nose"], "'left_eye' has no partner on the other side"),
        (["left_eye", "right_eye", "right_ear"], "'right_ear' has no partner"),
        (["left_eye", "l_eye", "right_eye"], "'left_eye' and 'l_eye' name the same point"),
        (["left_right", "nose"], "no name tells left from right"),
        (["Auge", "眼"], "no name tells left from right"),
    ],
)
def test_names_that_do_not_pair_up_give_no_pair_and_the_reason(names, why):
    pairs, reason = pairs_by_name(names)
    assert pairs == ()
    assert why in reason


def test_brows_are_not_eyes():
    names = ["left_eyebrow", "right_eyebrow", "left_pupil", "right_pupil"]
    assert eye_pairs(names, pairs_by_name(names)[0]) == ((2, 3),)


def test_the_scheme_of_68_mirrors_as_published():
    # The index of each mirrored point, as in the 300-W annotations (Sagonas et al., 2013).
    published = [
        *range(16, -1, -1), *range(26, 16, -1), *range(27, 31), *range(35, 30, -1),
        45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40,
        *range(54, 47, -1), *range(59, 54, -1), *range(64, 59, -1), *range(67, 64, -1),
    ]  # fmt: skip
    pairs, reason = pairs_by_name(FACE68)
    mirrored = list(range(68))
    for left, right in pairs:
        mirrored[left], mirrored[right] = right, left
    assert mirrored == published
    assert reason == ""
    eyes = {place for pair in eye_pairs(FACE68, pairs) for place in pair}
    assert eyes == set(range(36, 48))
