"""F1 of boxes: counts worked by hand, and intervals."""

import math

import pytest
import torch
from tests.vision.detection.detections import of_rows
from tests.vision.detection.figures.test_score_thresholds import simulate

from neuropil.runs.figures.ranking_interval import f1_interval
from neuropil.vision.detection.answer_rows import count_boxes, match_rows
from neuropil.vision.detection.figures.box_f1 import f1_figure, f1_intervals

HERE, THERE = (0, 0, 10, 10), (50, 50, 60, 60)


def test_a_case_worked_by_hand():
    """Class 0: two boxes, one is found, one false alarm. Class 1: found. Class 2: no box."""
    targets = of_rows([[(*HERE, 0), (*THERE, 0)], [(*HERE, 1), (*THERE, -2)]], 5)
    answers = of_rows(
        [
            [(*HERE, 0.9, 0), (*HERE, 0.8, 0), (*THERE, 0.3, 0)],
            [(*HERE, 0.9, 1), (*THERE, 0.9, 0), (*THERE, 0.9, 2)],
        ],
        6,
    )
    rows = match_rows(answers, targets, [0.5])
    assert count_boxes(rows, [0.5] * 3)[0].tolist() == [[1, 2, 2], [1, 1, 1], [0, 1, 0]]
    assert f1_figure(rows, [0.5] * 3, 0) == pytest.approx(2 / 4)
    assert f1_figure(rows, [0.2] * 3, 0) == pytest.approx(4 / 5)
    assert f1_figure(rows, [0.5] * 3, 1) == 1
    assert math.isnan(f1_figure(rows, [0.5] * 3, 2))
    assert f1_figure(rows, [0.5] * 3) == pytest.approx((0.5 + 1) / 2)
    assert f1_figure(rows, [0.95] * 3) == 0
    by_picture = count_boxes(rows, [0.5] * 3, 2)
    assert by_picture[:, 0].tolist() == [[1, 2, 2], [0, 0, 0]]


def test_answers_that_are_not_finite_give_no_figure():
    targets, answers = of_rows([[(*HERE, 0)]], 5), of_rows([[(*HERE, torch.nan, 0)]], 6)
    assert math.isnan(f1_figure(match_rows(answers, targets, [0.5]), [0.5]))
    assert f1_intervals(answers, targets, [0.5], ["cat"]) == {}


def test_intervals_hold_the_figure_of_many_pictures_as_often_as_they_say():
    thresholds, names = [0.4, 0.7], ["f1", "f1 of cat", "f1 of dog"]
    many = match_rows(*simulate(3000, 7), [0.5])
    truth = [f1_figure(many, thresholds, number) for number in (None, 0, 1)]
    held = torch.zeros(3)
    for seed in range(40):
        intervals = f1_intervals(*simulate(40, seed), thresholds, ["cat", "dog"])
        ends = [intervals[name] for name in names]
        held += torch.tensor(
            [low <= t <= high for t, (low, high) in zip(truth, ends, strict=True)]
        )
    assert (held / 40 >= 0.9).all()


def test_a_perfect_figure_of_few_boxes_is_not_sure():
    targets, answers = of_rows([[(*HERE, 0)]] * 4, 5), of_rows([[(*HERE, 0.9, 0)]] * 4, 6)
    found = f1_intervals(answers, targets, [0.5, 0.5], ["cat", "dog"])
    assert found["f1 of cat"] == f1_interval(4, 4, 4)
    assert "f1 of dog" not in found
    assert found["f1"][0] < 0.9
    assert found["f1"][1] == 1


def test_without_boxes_there_is_no_interval():
    none = of_rows([[], []], 5)
    assert f1_intervals(of_rows([[(*HERE, 0.9, 0)], []], 6), none, [0.5], ["cat"]) == {}
