"""Intervals of areas and of F1: how often they hold the truth, and perfect figures."""

import numpy as np
import pytest
from sklearn import metrics as peers

from neuropil.runs.figures.ranking_interval import (
    average_precision_interval,
    f1_interval,
    placements,
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
            roc_auc_interval(drawn, members),
            average_precision_interval(peers.average_precision_score(members, drawn), 20),
            f1_interval(int((said & members).sum()), int(said.sum()), 20),
        )
        held += [
            low <= true <= high for true, (low, high) in zip(truth, intervals, strict=True)
        ]
    assert (held / 200 >= 0.93).all()


@pytest.mark.parametrize(
    "interval",
    [
        roc_auc_interval(np.arange(120.0), np.arange(120) >= 100),
        average_precision_interval(1.0, 20),
        f1_interval(9, 9, 9),
    ],
)
def test_a_perfect_figure_is_not_certain(interval):
    low, high = interval
    assert high == 1
    assert 0.7 < low < 0.999


def test_none_found_is_not_certain_either():
    low, high = f1_interval(0, 3, 20)
    assert low == 0
    assert 0.1 < high < 0.4


def test_a_few_members_with_very_low_scores_widen_the_interval_of_the_area():
    """As labels that are wrong make them: DeLong's variance sees what a formula of A misses."""
    generator = np.random.default_rng(0)

    def draw(count, share):
        members = np.arange(count) < share * count
        lost = members & (generator.random(count) < 0.15)
        return generator.normal(size=count) + 3.0 * (members & ~lost), members

    truth = peers.roc_auc_score(*draw(200_000, 0.04)[::-1])
    held = []
    for _ in range(200):
        low, high = roc_auc_interval(*draw(500, 0.04))
        held.append(low <= truth <= high)
    assert np.mean(held) >= 0.9


def test_the_middle_is_the_area_with_ties():
    generator = np.random.default_rng(0)
    scores, members = generator.integers(0, 9, 200) / 9, generator.random(200) < 0.3
    above, below = placements(scores, members)
    assert above.mean() == pytest.approx(peers.roc_auc_score(members, scores), abs=1e-12)
    assert below.mean() == pytest.approx(above.mean(), abs=1e-12)
