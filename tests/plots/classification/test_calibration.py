"""Reliability against scikit-learn and against the definition of the error."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve

from neuropil.plots import calibration, reliability, wilson_interval


def drawn(seed, examples=300, classes=4):
    generator = np.random.default_rng(seed)
    probabilities = generator.dirichlet(np.full(classes, 0.4), examples)
    targets = np.array([generator.choice(classes, p=p) for p in probabilities])
    return probabilities, targets


@given(st.integers(0, 10_000), st.integers(1, 20))
def test_the_binary_curve_is_scikit_learns(seed, bins):
    probabilities, targets = drawn(seed, 60, 2)
    found = reliability(probabilities[:, 1], targets, bins)
    share, confidence = calibration_curve(targets, probabilities[:, 1], n_bins=bins)
    np.testing.assert_allclose(found.share, share)
    np.testing.assert_allclose(found.confidence, confidence)


@pytest.mark.parametrize("bins", [2, 5, 10])
def test_what_lies_between_two_bins_is_in_the_lower_as_in_scikit_learn(bins):
    probabilities, targets = np.arange(11) / 10, np.array([0, 1, 1, 0, 1, 0, 0, 1, 1, 0, 1])
    found = reliability(probabilities, targets, bins)
    share, confidence = calibration_curve(targets, probabilities, n_bins=bins)
    np.testing.assert_allclose(found.share, share)
    np.testing.assert_allclose(found.confidence, confidence)


@given(st.integers(0, 10_000))
def test_the_error_is_the_sum_over_the_bins(seed):
    probabilities, targets = drawn(seed, 80)
    sure, said = probabilities.max(axis=1), probabilities.argmax(axis=1)
    expected = 0.0
    for low in np.arange(10) / 10:
        inside = (sure > low) & (sure <= low + 0.1)
        if inside.any():
            right = (said == targets)[inside].mean()
            expected += inside.sum() / 80 * abs(right - sure[inside].mean())
    assert reliability(probabilities, targets).error == pytest.approx(expected)


def test_a_perfect_and_a_boastful_network():
    targets = np.array([0, 1, 1, 0])
    assert reliability(np.eye(2)[targets], targets).error == 0
    assert reliability(np.eye(2)[1 - targets], targets).error == 1


def test_the_picture_shows_the_points_and_their_intervals():
    probabilities, targets = drawn(0)
    found = reliability(probabilities, targets)
    above, below = calibration(probabilities, targets).axes
    intervals, points = above.collections
    np.testing.assert_allclose(points.get_offsets(), np.c_[found.confidence, found.share])
    for segment, right, count in zip(
        intervals.get_segments(), found.right, found.counts, strict=True
    ):
        np.testing.assert_allclose(segment[:, 1], wilson_interval(int(right), int(count)))
    assert [bar.get_height() for bar in below.patches] == found.counts.tolist()


def test_the_axes_say_what_is_drawn():
    probabilities, targets = drawn(0, classes=2)
    for given_ones, across, up in (
        (probabilities, "confidence of the network", "share that is correct"),
        (probabilities[:, 1], "probability of class 1", "share that is class 1"),
    ):
        above, below = calibration(given_ones, targets).axes
        assert (below.get_xlabel(), above.get_ylabel()) == (across, up)


@pytest.mark.parametrize(
    ("probabilities", "targets", "reason"),
    [
        ([[0.2, 0.8]], [0, 1], r"got the shapes \(1, 2\) and \(2,\)"),
        ([[0.2, 1.8]], [0], "between 0 and 1"),
        ([[np.nan, 0.8]], [0], "between 0 and 1"),
        ([[0.2, 0.8]], [2], "from 0 to 1"),
        ([[0.2, 0.8]], [0.5], "class numbers"),
        ([], [], "got the shapes"),
    ],
)
def test_what_is_no_prediction_is_refused(probabilities, targets, reason):
    with pytest.raises(ValueError, match=reason):
        calibration(probabilities, targets)


def test_no_bins_are_refused():
    with pytest.raises(ValueError, match="at least one bin"):
        reliability([[0.2, 0.8]], [1], bins=0)
