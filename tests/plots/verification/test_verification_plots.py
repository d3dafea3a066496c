"""The numbers that plots of verification show."""

import numpy as np
import pytest
from scipy.special import ndtri
from tests.vision.faces.simulated_people import chord, draw_people, on_circle

from neuropil.plots import det_curve, distance_histogram, verification_roc
from neuropil.vision import verification_curve

CURVE = verification_curve(on_circle(0, 30, 20, 90), ["a", "a", "b", "b"])
MANY = verification_curve(*draw_people(0, people=20, noise=0.4))


def test_the_roc_begins_at_one_pair_and_ends_with_all():
    axes = verification_roc(CURVE, chord(30) + 1e-6).axes[0]
    _, line, point = axes.lines
    assert line.get_xdata().tolist() == [0.25, 0.25, 0.5, 0.5, 0.75, 0.75, 1]
    assert line.get_ydata().tolist() == [0, 0, 0, 0.5, 0.5, 1, 1]
    assert line.get_drawstyle() == "steps-post"
    assert (point.get_xdata()[0], point.get_ydata()[0]) == (0.5, 0.5)


def test_the_trade_off_is_in_normal_deviates():
    axes = det_curve(MANY, 0.8).axes[0]
    diagonal, line, point = axes.lines
    wrong, right = MANY.accepted_within(0.8)
    assert point.get_xdata()[0] == pytest.approx(ndtri(wrong))
    assert point.get_ydata()[0] == pytest.approx(ndtri(1 - right))
    assert axes.texts[0].get_text() == f"equal error rate {MANY.equal_error_rate:.3g}"
    # The curve crosses the diagonal at the equal error rate.
    gap = line.get_xdata() - line.get_ydata()
    crossing = line.get_xdata()[np.argmin(np.abs(gap))]
    assert crossing == pytest.approx(ndtri(MANY.equal_error_rate), abs=0.1)
    assert diagonal.get_xdata() == pytest.approx(ndtri([1e-4, 0.5]))


def test_the_axes_of_the_trade_off_hold_the_threshold():
    axes = det_curve(MANY, 0.1).axes[0]
    assert MANY.accepted_within(0.1) == (0, 0)
    ends = axes.get_xlim()
    assert ends == axes.get_ylim() == pytest.approx(ndtri([1e-4, 0.95]))
    point = axes.lines[2]
    assert (point.get_xdata()[0], point.get_ydata()[0]) == ends


def test_the_bars_hold_all_pairs():
    axes = distance_histogram(MANY, 0.7).axes[0]
    _, genuine, _, impostors = axes.patches
    for kind, accepted in ((genuine, MANY.true_accepts), (impostors, MANY.false_accepts)):
        shares, edges, _ = kind.get_data()
        assert shares.sum() == pytest.approx(1)
        below = np.r_[0, accepted][np.searchsorted(MANY.distances, edges[10], side="right")]
        assert shares[:10].sum() == pytest.approx(below)
    assert list(axes.lines[0].get_xdata()) == [0.7, 0.7]


def test_equal_embeddings_are_drawn():
    curve = verification_curve(np.ones((4, 2)), [0, 0, 1, 1])
    for plot in (verification_roc, det_curve, distance_histogram):
        plot(curve, 0.5).canvas.draw()
