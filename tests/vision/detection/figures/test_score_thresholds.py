"""Score thresholds: what they are best for, classes without boxes, and unseen pictures."""

import numpy as np
import pytest
import torch
from tests.vision.detection.detections import of_rows, random_answers, random_targets
from torch import Tensor

from neuropil.vision.detection.answer_rows import count_boxes, match_rows
from neuropil.vision.detection.figures.box_f1 import f1_figure
from neuropil.vision.detection.figures.score_thresholds import fit_thresholds, keep_above

HERE, THERE = (0, 0, 10, 10), (50, 50, 60, 60)


def simulate(pictures: int, seed: int) -> tuple[Tensor, Tensor]:
    """Return answers and targets of two classes that ask for different thresholds.

    Each picture has four boxes of class 0 and one of class 1. Nine of ten are found, and there
    are three false alarms of either class. The log-odds of the scores are normal: those of
    class 1 are higher by 2.
    """
    generator = torch.Generator().manual_seed(seed)
    places = torch.arange(11) * 20.0
    boxes = torch.stack([places, places, places + 10, places + 10], dim=1)
    number = torch.tensor([0, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1]).float()
    targets = torch.cat([boxes, number[:, None]], dim=1)[:5].repeat(pictures, 1, 1)
    odds = torch.randn(pictures, 11, generator=generator) + 2 * number - 2
    odds[:, :5] += 2.5
    found = torch.rand(pictures, 11, generator=generator) < torch.tensor([0.9] * 5 + [1.0] * 6)
    boxes = boxes.expand(pictures, -1, -1)
    answers = torch.cat(
        [boxes, odds.sigmoid()[..., None], number.expand_as(odds)[..., None]], 2
    )
    return torch.where(found[..., None], answers, torch.tensor([0.0] * 5 + [-1])), targets


def f1_in_hindsight(rows: Tensor, classes: int) -> list[float]:
    """Return the largest F1 of each class, over all scores as thresholds."""
    limits = torch.linspace(0, 1, 101).tolist()
    tried = [count_boxes(rows, [limit] * classes)[0] for limit in limits]
    figures = torch.stack([2 * c[:, 0] / (c[:, 1] + c[:, 2]) for c in tried])
    return figures.amax(dim=0).tolist()


@pytest.mark.parametrize("seed", range(5))
def test_they_are_nearly_the_best_for_other_pictures(seed):
    """They are fitted on as many pictures as small data have. F1 is at most 0.02 lower."""
    thresholds = fit_thresholds(*simulate(87, seed), 2).thresholds
    assert thresholds[1] > thresholds[0] + 0.2
    rows = match_rows(*simulate(500, seed + 100), [0.5])
    for number, best in enumerate(f1_in_hindsight(rows, 2)):
        assert f1_figure(rows, thresholds, number) > best - 0.02


def test_answers_without_any_box_overflow_nothing():
    answers = torch.tensor([[[0.0, 0, 9, 9, 0.8, 0], [4, 4, 9, 9, 0.7, 0]]])
    with np.errstate(over="raise"):
        found = fit_thresholds(answers, torch.full((1, 1, 5), -1.0), 2)
    assert found.thresholds == (0.5, 0.5)


def test_they_lie_between_right_and_wrong_answers():
    targets = of_rows([[(*HERE, 0)]] * 3, 5)
    answers = of_rows([[(*HERE, 0.8, 0), (*THERE, 0.4, 0)]] * 3, 6)
    fitted = fit_thresholds(answers, targets, 1)
    assert 0.5 < fitted.thresholds[0] < 0.7
    assert fitted.intervals == ((fitted.thresholds[0],) * 2,)


def test_the_interval_is_narrow_where_pictures_agree():
    few, many = (fit_thresholds(*simulate(count, 0), 2) for count in (10, 200))
    for fitted in (few, many):
        for threshold, (low, high) in zip(*fitted, strict=True):
            assert 0 < low < threshold < high < 1
    wide, narrow = ([high - low for low, high in each.intervals] for each in (few, many))
    assert narrow[0] < wide[0] / 2


def test_a_class_without_boxes_gets_the_threshold_of_all_together():
    targets = of_rows([[(*HERE, 0)]] * 3, 5)
    answers = of_rows([[(*HERE, 0.8, 0), (*THERE, 0.4, 0)]] * 3, 6)
    first, second = fit_thresholds(answers, targets, 2).thresholds
    assert first == second


def test_without_any_box_they_are_a_half():
    none = of_rows([[], []], 5)
    assert fit_thresholds(of_rows([[], []], 6), none, 2).thresholds == (0.5, 0.5)
    assert fit_thresholds(of_rows([[(*HERE, 0.9, 0)], []], 6), none, 1).thresholds == (0.5,)
    assert fit_thresholds(torch.zeros(0, 1, 6), torch.zeros(0, 1, 5), 1).thresholds == (0.5,)


def test_answers_that_are_not_finite_are_left_out():
    targets = of_rows([[(*HERE, 0)]] * 3, 5)
    answers = of_rows([[(*HERE, 0.8, 0), (*THERE, 0.4, 0)]] * 3, 6)
    expected = fit_thresholds(answers, targets, 1)
    spoilt = torch.cat([answers, torch.full((3, 1, 6), torch.nan)], dim=1)
    assert fit_thresholds(spoilt, targets, 1) == expected


def test_the_same_pictures_give_the_same_thresholds():
    assert fit_thresholds(*simulate(20, 1), 2) == fit_thresholds(*simulate(20, 1), 2)


def test_many_pictures_are_resampled_in_groups():
    fitted = fit_thresholds(*simulate(1300, 0), 2)
    expected = fit_thresholds(*simulate(400, 1), 2)
    assert fitted.thresholds == pytest.approx(expected.thresholds, abs=0.04)


@pytest.mark.parametrize("seed", range(3))
def test_kept_answers_are_matched_as_they_were_among_all(seed):
    """Figures at thresholds are those of the answers that are predicted."""
    thresholds = [0.3, 0.5, 0.7]
    targets = random_targets(seed)
    answers = random_answers(targets, seed)
    kept = keep_above(answers, thresholds)
    assert 0 < int((kept[..., 5] >= 0).sum()) < answers[..., 5].numel()
    among_all = count_boxes(match_rows(answers, targets, [0.5]), thresholds)
    alone = count_boxes(match_rows(kept, targets, [0.5]), [0.0] * 3)
    assert torch.equal(among_all, alone)
