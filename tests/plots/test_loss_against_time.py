"""The loss of several trainings against seconds and steps."""

import math

import numpy as np
import pytest

from neuropil.plots import loss_against_time
from neuropil.plots.theme import line_style
from neuropil.training import History


def a_history(losses, seconds=0.5, steps=10):
    return History(
        {"epoch": k, "steps": steps * k, "loss": loss, "seconds": seconds}
        for k, loss in enumerate(losses, 1)
    )


def test_seconds_add_up_and_steps_do_already():
    figure = loss_against_time({"a": a_history([4.0, 2.0, 1.0])})
    left, right = (axes.get_lines()[0] for axes in figure.axes)
    np.testing.assert_allclose(left.get_xydata(), [[0.5, 4], [1, 2], [1.5, 1]])
    np.testing.assert_allclose(right.get_xydata(), [[10, 4], [20, 2], [30, 1]])
    assert {axes.get_xscale() for axes in figure.axes} == {"log"}
    assert figure.axes[0].get_title(loc="left") == "loss against seconds"


def test_the_best_comes_first_and_all_lines_are_told_apart():
    histories = {f"optimiser {k}": a_history([9.0, 1.0 + k, 5.0]) for k in range(40)}
    figure = loss_against_time(dict(reversed(histories.items())))
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts[:2] == ["optimiser 0: 1", "optimiser 1: 2"]
    looks = [line_style(place) for place in range(40)]
    assert len({str(look) for look in looks}) == 40
    assert [line.get_color() for line in figure.axes[0].lines] == [x["color"] for x in looks]
    figure.canvas.draw()


def test_any_figure_and_gaps_in_it():
    history = History(
        {"steps": k, "seconds": 1.0, "validation_loss": v}
        for k, v in enumerate([math.inf, 1.0, None, 0.0], 1)
    )
    figure = loss_against_time({"a": history}, "validation_loss")
    np.testing.assert_allclose(
        figure.axes[0].get_lines()[0].get_ydata(), [math.nan, 1.0, math.nan, 1e-16]
    )
    assert figure.axes[1].get_title(loc="left") == "validation loss against steps"
    figure.canvas.draw()


def test_what_cannot_be_drawn_is_said():
    with pytest.raises(ValueError, match="at least one history"):
        loss_against_time({})
    with pytest.raises(ValueError, match="of 'a' is empty"):
        loss_against_time({"a": History()})
    with pytest.raises(ValueError, match="of 'a' has no 'seconds'; it has steps, loss"):
        loss_against_time({"a": History([{"steps": 1, "loss": 1.0}])})
