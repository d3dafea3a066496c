"""The report on landmarks, from points that were made up."""

import functools

import numpy as np
import pytest
import torch
from tests.report.conftest import Page
from tests.report.sections.detection.made_up import SIDE, splits_of, subject_of

from neuropil.datasets import Points
from neuropil.report.training_report import training_report
from neuropil.vision import normalized_mean_error
from neuropil.vision.landmarks.task import Landmarks

NASTY = "<b>nose"
NAMES = ["left_eye", "right_eye", NASTY]


def labels(pictures, seed=0):
    """Return the points of faces, the last picture without any known eye."""
    random = np.random.default_rng(seed)
    found = []
    for _ in range(pictures):
        x, y = random.uniform(2, 10, 2)
        found.append([[x + 20, y, 2], [x, y, 1], [x + 10, y + 10, 2]])
    found[-1][0][2] = 0
    return found


@functools.cache
def a_subject():
    """Return a subject whose answers are off by two pixels, and by ten in one picture."""
    target = Points(NAMES)
    own = labels(30)
    splits = splits_of(target, own, own[:3], own)
    truth = splits.test.targets.double()
    answers = torch.cat([truth[..., :2] + torch.tensor([2.0, 0]), truth[..., 2:] - 1], dim=-1)
    answers[4, 2, 0] += 8
    figure = normalized_mean_error(answers, truth, eyes=target.eyes)
    figures = {"loss": 1.0, "normalized_mean_error": figure}
    task = Landmarks(target, size=(SIDE, SIDE))
    return subject_of(splits, task, answers, {"train": figures, "test": figures})


@functools.cache
def a_page():
    return Page(training_report(a_subject()))


def test_the_headline_has_the_error_and_what_it_is_a_part_of():
    text = a_page().text_of("summary").replace("\u202f", " ")
    # 29 pictures count: 2 pixels of 20, and (2 + 2 + 10)/3 in one of them.
    error = a_subject().figures["test"]["normalized_mean_error"]
    assert error == pytest.approx((28 * 0.1 + 14 / 60) / 29)
    assert text.startswith(
        f"{error:#.3g} of the distance between the eyes is how far the points"
    )
    assert "Always predicting the mean of the training points would be off by" in text
    assert "Half of the pictures are off by at most 0.100" in text
    assert "The hardest point is “<b>nose”" in text
    assert (
        "100 % of the 30 hidden points, and 0 % of the visible ones, are predicted to be"
        in text
    )


def test_each_point_has_a_row():
    page = a_page()
    rows = {row[0]: row[1:] for row in page.table("point", "pictures", "mean error")}
    assert list(rows) == NAMES
    assert [row[0] for row in rows.values()] == ["29", "29", "29"]
    assert rows["left_eye"][1] == "0.100"
    assert NASTY not in page.source


def test_pictures_are_shown_worst_first_with_the_point_that_is_worst():
    text = a_page().text_of("mistakes").replace("\u202f", " ")
    assert "The 12 held-out pictures with the largest errors of 30, worst first" in text
    assert "mean error 0.233; <b>nose off by 0.500" in text
    below = a_page().text_of("pictures")
    assert "10 held-out pictures, in the order of the data" in below
    assert "Rings are points that are probably hidden." in below


def test_of_many_points_the_worst_come_first_and_rings_are_explained_if_there_are_any():
    names = [f"point_{number}" for number in range(30)]
    spread = [[[number, number, 2] for number in range(1, 31)]] * 12
    splits = splits_of(Points(names), spread, spread[:3], spread)
    truth = splits.test.targets.double()
    answers = torch.cat([truth[..., :2], torch.ones_like(truth[..., :1])], dim=-1)
    answers[:, 7, 0] += 9
    answers[:, 3, 0] += 5
    task = Landmarks(Points(names), size=(SIDE, SIDE))
    page = Page(training_report(subject_of(splits, task, answers, {"train": {}, "test": {}})))
    rows = [row[0] for row in page.table("point", "pictures", "mean error")]
    assert rows[:2] == ["point_7", "point_3"]
    assert set(rows) == set(names)
    assert "All 30 points, the worst first." in page.text_of("results")
    assert "Rings" not in page.text_of("pictures")
