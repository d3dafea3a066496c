"""Intervals of areas and of F1: how often they hold the truth, and perfect figures."""

import numpy as np
import pytest
from sklearn import metrics as peers

from neuropil.runs.figures.ranking_interval import (
    average_precision_interval,
    f1_interval,
    roc_auc_interval,
)


def test_they_hold_the_truth_as_often_as_they_say():
    """Of 200 samples of 20 examples of a class and 480 others, beside 200,000 of both."""
    generator = np.random.default_rng(0)
    members = np.arange(500) < 20
    many = generator.random(200_000) < 0.04
    scores = generator.normal(size=len(many)) + 2 * many
    truth = (
        peers.roc_auc_score(many, scores),
        peers.average_precision_score(many, scores),
        peers.f1_score(many, scores > 2),
    )
    held = np.zeros(3)
    for _ in range(200):
        drawn = generator.normal(size=500) + 2 * members
        said = drawn > 2
        intervals = (
            roc_auc_interval(peers.roc_auc_score(members, drawn), 20, 480),
            average_precision_interval(peers.average_precision_score(members, drawn), 20),
            f1_interval(int((said & members).sum()), int(said.sum()), 20),
        )
        held += [
            low <= true <= high for true, (low, high) in zip(truth, intervals, strict=True)
        ]
    assert (held / 200 >= 0.93).all()


@pytest.mark.parametrize(
    "interval",
    [roc_auc_interval(1.0, 20, 100), average_precision_interval(1.0, 20), f1_interval(9, 9, 9)],
)
def test_a_perfect_figure_is_not_certain(interval):
    low, high = interval
    assert high == 1
    assert 0.7 < low < 0.999


def test_none_found_is_not_certain_either():
    low, high = f1_interval(0, 3, 20)
    assert low == 0
    assert 0.1 < high < 0.4
