"""Learning curves."""

import math

import numpy as np
import pytest

from neuropil.plots import learning_curves
from neuropil.training import History


def a_history(epochs, **columns):
    return History(
        {
            "epoch": k + 1,
            "steps": 10 * k,
            "seconds": 0.1,
            **{n: f(k) for n, f in columns.items()},
        }
        for k in range(epochs)
    )


def test_each_figure_has_its_axes_and_the_learning_rate_is_last():
    history = a_history(
        4,
        loss=lambda k: 2 - k / 4,
        lr=lambda k: 0.1,
        accuracy=lambda k: k / 4,
        validation_loss=lambda k: 2.0,
        validation_accuracy=lambda k: k / 5,
    )
    figure = learning_curves(history)
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == ["loss", "accuracy", "learning rate"]
    training, validation = figure.axes[1].get_lines()
    np.testing.assert_allclose(training.get_xydata(), [[k + 1, k / 4] for k in range(4)])
    np.testing.assert_allclose(validation.get_ydata(), np.arange(4) / 5)
    assert training.get_linestyle() != validation.get_linestyle()
    assert len(figure.axes[2].get_lines()) == 1


def test_a_loss_that_falls_far_is_logarithmic():
    far = learning_curves(a_history(3, loss=lambda k: 10.0 ** (1 - k)))
    near = learning_curves(a_history(3, loss=lambda k: 2.0 - k / 2))
    assert [f.axes[0].get_yscale() for f in (far, near)] == ["log", "linear"]
    assert "logarithmic" in far.axes[0].get_title(loc="left")


def test_a_single_epoch_is_a_point_that_can_be_seen():
    figure = learning_curves(a_history(1, loss=lambda k: 1.0))
    assert figure.axes[0].get_lines()[0].get_marker() == "o"
    figure.canvas.draw()


def test_missing_and_infinite_figures_leave_a_gap():
    history = a_history(
        3, loss=lambda k: [1.0, math.inf, None][k], validation_loss=lambda k: 0.0
    )
    figure = learning_curves(history)
    values = figure.axes[0].get_lines()[0].get_ydata()
    assert np.isnan(values[2])
    figure.canvas.draw()


def test_only_the_figures_asked_for():
    history = a_history(2, loss=lambda k: 1.0, accuracy=lambda k: 0.5)
    assert len(learning_curves(history, ["accuracy"]).axes) == 1
    with pytest.raises(ValueError, match="no column 'f1'; it has loss, accuracy"):
        learning_curves(history, ["f1"])


def test_a_notebook_shows_the_figure():
    picture = learning_curves(a_history(2, loss=lambda k: 1.0))._repr_png_()
    assert picture.startswith(b"\x89PNG")
