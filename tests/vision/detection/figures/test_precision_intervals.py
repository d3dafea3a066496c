"""Intervals of average precision, against pycocotools on resampled pictures."""

import numpy as np
import pytest
import torch

from neuropil.vision.detection.answer_rows import CLASS, match_rows
from neuropil.vision.detection.figures.average_precision import average_precision_of_boxes
from neuropil.vision.detection.figures.precision_intervals import (
    precision_intervals,
    precisions,
    resampled_precisions,
)

CLASSES = ("cat", "dog", "<b>")


def a_detector(pictures=30, boxes=4, answers=9, seed=0):
    """Return answers that are sometimes right, and true boxes; the last class has none."""
    random = np.random.default_rng(seed)
    corners = random.uniform(0, 80, (pictures, boxes, 2))
    true = np.concatenate([corners, corners + random.uniform(8, 30, corners.shape)], 2)
    targets = np.concatenate([true, random.integers(-3, 2, (pictures, boxes, 1))], 2)
    moved = true[:, random.integers(0, boxes, answers)] + random.normal(
        0, 2, (pictures, answers, 4)
    )
    scores = random.choice([0.2, 0.5, 0.7, 0.9], (pictures, answers, 1))
    found = np.concatenate([moved, scores, random.integers(-1, 2, (pictures, answers, 1))], 2)
    return torch.from_numpy(found), torch.from_numpy(targets)


def test_the_figure_itself_is_that_of_pycocotools():
    answers, targets = a_detector()
    rows = match_rows(answers, targets).numpy()
    expected = average_precision_of_boxes(answers, targets, 2).by_class.numpy()
    for number in range(2):
        own = rows[rows[:, CLASS] == number]
        found = resampled_precisions(own, np.ones((1, len(targets))))
        np.testing.assert_allclose(found[0], expected[number], atol=1e-12)


def test_a_picture_drawn_twice_counts_as_two_pictures():
    answers, targets = a_detector(pictures=6)
    # Without ties: which of two equal scores comes first depends on the order of the pictures.
    answers[..., 4] += 1e-3 * torch.arange(answers[..., 4].numel()).view(answers.shape[:2])
    places = [0, 0, 0, 2, 4, 4]
    times = np.bincount(places, minlength=6)[None].astype(float)
    rows = match_rows(answers, targets).numpy()
    expected = average_precision_of_boxes(answers[places], targets[places], 2).by_class
    for number in range(2):
        found = resampled_precisions(rows[rows[:, CLASS] == number], times)
        np.testing.assert_allclose(found[0], expected[number], atol=1e-12)


def test_intervals_hold_the_figures_and_classes_without_boxes_have_none():
    answers, targets = a_detector()
    intervals = precision_intervals(answers, targets, CLASSES)
    figures = average_precision_of_boxes(answers, targets, 3)
    assert list(intervals) == [
        "ap", "ap50", "ap75", "ap of cat", "ap50 of cat", "ap of dog", "ap50 of dog",
    ]  # fmt: skip
    values = [figures.ap, figures.ap50, figures.ap75, figures.by_class[0].mean()]
    for value, (low, high) in zip(values, intervals.values(), strict=False):
        assert 0 <= low < value < high <= 1
    assert intervals == precision_intervals(answers, targets, CLASSES)


def test_more_pictures_give_a_shorter_interval():
    widths = []
    for pictures in (20, 160):
        low, high = precision_intervals(*a_detector(pictures), CLASSES)["ap50"]
        widths.append(high - low)
    assert widths[0] > 1.8 * widths[1]


@pytest.mark.parametrize("kind", ["no boxes", "no answers", "not finite"])
def test_nothing_to_measure_and_nothing_found(kind):
    answers, targets = a_detector(pictures=5)
    if kind == "no answers":
        answers[..., 5] = -1
        low, high = precision_intervals(answers, targets, CLASSES)["ap"]
        assert low == 0
        assert 0 < high < 0.5
        return
    if kind == "no boxes":
        targets[..., 4] = -1
    else:
        answers[0, 0, 4], answers[0, 0, 5] = np.nan, 1
    assert precision_intervals(answers, targets, CLASSES) == {}


def test_no_picture_with_a_box_drawn_is_unknown():
    answers, targets = a_detector(pictures=4)
    rows = match_rows(answers, targets).numpy()
    boxes = np.array([3, 0, 0, 0])
    assert np.isnan(precisions(rows[:0], boxes, np.array([[0.0, 2, 1, 1]]))).all()
