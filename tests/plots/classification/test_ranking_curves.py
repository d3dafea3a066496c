"""The curves of a ranking against scikit-learn, read back from the pictures."""

import numpy as np
import pytest
from sklearn import metrics as peers

from neuropil.plots import precision_recall_curve, roc_curve
from neuropil.plots.classification.ranking_curves import MOST_POINTS


def drawn(seed, examples=200, digits=1):
    """Return scores with ties, and members of a class of one tenth."""
    generator = np.random.default_rng(seed)
    members = generator.random(examples) < 0.1
    return (generator.normal(size=examples) + 2 * members).round(digits), members.astype(int)


def curve_of(figure):
    """Return the line and the point that a figure shows."""
    _, line, *point = figure.axes[0].lines
    return line.get_xydata(), point[0].get_xydata()[0] if point else None


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_roc_curve_is_scikit_learns(seed):
    scores, members = drawn(seed)
    line, point = curve_of(roc_curve(scores, members, threshold=1.05))
    alarms, recall, _ = peers.roc_curve(members, scores, drop_intermediate=False)
    np.testing.assert_allclose(line, np.stack([alarms, recall], axis=1))
    said = scores > 1.05
    assert point == pytest.approx((said[members == 0].mean(), said[members == 1].mean()))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_steps_of_precision_have_the_area_that_is_written(seed):
    scores, members = drawn(seed)
    figure = precision_recall_curve(scores, members, threshold=1.05)
    line, point = curve_of(figure)
    area = (np.diff(line[:, 0]) * line[1:, 1]).sum()
    assert area == pytest.approx(peers.average_precision_score(members, scores), abs=1e-12)
    assert figure.axes[0].texts[0].get_text() == f"area {area:.3g}"
    said = scores > 1.05
    expected = peers.recall_score(members, said), peers.precision_score(members, said)
    assert point == pytest.approx(expected)


def test_a_long_curve_keeps_its_shape_with_few_points():
    scores, members = drawn(0, 20_000, 9)
    line, _ = curve_of(roc_curve(scores, members))
    assert len(line) <= MOST_POINTS + 2
    area = np.trapezoid(line[:, 1], line[:, 0])
    assert area == pytest.approx(peers.roc_auc_score(members, scores), abs=2e-3)


def test_a_threshold_above_all_scores_has_no_precision():
    _, point = curve_of(precision_recall_curve([0.1, 0.9], [0, 1], threshold=0.95))
    assert point is None


def test_nan_is_refused():
    with pytest.raises(ValueError, match="roc_curve: a score is NaN"):
        roc_curve([0.1, np.nan], [0, 1])
