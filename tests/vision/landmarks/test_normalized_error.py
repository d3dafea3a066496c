"""The normalised mean error, by hand, by NumPy, and by what must not matter."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.datasets.augmentation.batches import seeded

from neuropil.vision import normalized_mean_error

EYES = [(0, 1), (2, 3)]


def labels(seed, pictures=5, points=6):
    """Return points, and answers near them, in double precision."""
    draw = seeded(seed)
    targets = torch.rand(pictures, points, 3, generator=draw, dtype=torch.float64) * 60
    targets[..., 2] = 2
    answers = targets + torch.randn(pictures, points, 3, generator=draw, dtype=torch.float64)
    return answers, targets


@settings(deadline=None, max_examples=30, derandomize=True)
@given(st.integers(0, 1000))
def test_it_is_the_error_by_the_distance_between_the_eyes(seed):
    answers, targets = labels(seed)
    a, t = answers.numpy(), targets.numpy()[..., :2]
    between = np.linalg.norm(t[:, [0, 2]].mean(1) - t[:, [1, 3]].mean(1), axis=1)
    off = np.linalg.norm(a[..., :2] - t, axis=2).mean(1)
    found = normalized_mean_error(answers, targets, eyes=EYES)
    assert found == pytest.approx((off / between).mean())


@settings(deadline=None, max_examples=30, derandomize=True)
@given(st.integers(0, 1000), st.floats(0.2, 5), st.floats(0, 6))
def test_moving_turning_and_enlarging_everything_change_nothing(seed, scale, angle):
    answers, targets = labels(seed)
    turn = torch.tensor(
        [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
    ).double()

    def moved(points):
        places = scale * points[..., :2] @ turn.T + 7
        return torch.cat([places, points[..., 2:]], dim=-1)

    before, after = (
        normalized_mean_error(*pair, eyes=EYES)
        for pair in ((answers, targets), (moved(answers), moved(targets)))
    )
    assert after == pytest.approx(before)


def test_without_eyes_it_is_the_error_by_the_diagonal_of_the_box():
    targets = torch.tensor([[[10.0, 10, 2], [13, 14, 1], [99, 99, 0]]])
    answers = torch.tensor([[[10.0, 10], [13, 13], [0, 0]]])
    assert normalized_mean_error(answers, targets) == pytest.approx(0.5 / 5)


def test_pictures_without_a_size_count_for_nothing():
    targets = torch.tensor(
        [[[10.0, 10, 2], [20, 10, 2], [5, 5, 2]], [[1.0, 1, 2], [0, 0, 0], [5, 5, 2]]]
    )
    answers = targets[..., :2] + torch.tensor([1.0, 0])
    assert normalized_mean_error(answers, targets, eyes=[(0, 1)]) == pytest.approx(0.1)
    assert math.isnan(normalized_mean_error(answers[1:], targets[1:], eyes=[(0, 1)]))
    # An eye whose partner is missing would shift the mean of its side.
    both = torch.tensor([[[0.0, 0, 2], [10, 0, 2], [0, 30, 2], [10, 30, 0]]])
    off = both[..., :2] + torch.tensor([1.0, 0])
    assert normalized_mean_error(off, both, eyes=[(0, 1), (2, 3)]) == pytest.approx(0.1)


def test_one_point_alone_is_measured_by_the_diagonal_of_the_picture():
    targets, answers = torch.tensor([[[3.0, 4, 2]]]), torch.tensor([[[3.0, 9]]])
    assert normalized_mean_error(answers, targets, diagonal=50.0) == pytest.approx(0.1)


def test_an_answer_that_is_not_a_number_gives_no_figure():
    answers, targets = labels(0)
    answers[2, 1, 0] = math.nan
    assert math.isnan(normalized_mean_error(answers, targets, eyes=EYES))


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"answers \(N, P, 2\) and targets \(N, P, 3\), got"):
        normalized_mean_error(torch.zeros(2, 3, 2), torch.zeros(2, 4, 3))
