"""The numbers that the picture of the importance of columns shows."""

import numpy as np

from neuropil.plots import column_importance
from neuropil.plots.column_importance import MOST_COLUMNS
from neuropil.runs import Importance


def test_each_column_has_its_point_and_its_interval():
    found = [Importance("age", 0.3, 0.2, 0.5), Importance("ward", -0.01, -0.04, 0.02)]
    (axes,) = column_importance(found, "accuracy").axes
    lines, points = axes.collections
    assert points.get_offsets().tolist() == [[0.3, 0], [-0.01, 1]]
    ends = [segment[:, 0].tolist() for segment in lines.get_segments()]
    assert ends == [[0.2, 0.5], [-0.04, 0.02]]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["age", "ward"]
    low, high = axes.get_ylim()
    assert low > high  # the most important is at the top


def test_the_most_important_of_many_are_drawn():
    found = [
        Importance(f"x{k}", drop, drop, drop) for k, drop in enumerate(np.arange(30)[::-1])
    ]
    (axes,) = column_importance(found).axes
    names = [text.get_text() for text in axes.get_yticklabels()]
    assert names == [f"x{k}" for k in range(MOST_COLUMNS)]


def test_a_long_label_is_not_cut():
    columns = [Importance("contract in years", 0.2, 0.1, 0.3)]
    figure = column_importance(columns, "root mean squared error")
    figure.draw_without_rendering()
    box = figure.axes[0].xaxis.label.get_window_extent()
    assert 0 <= box.x0 < box.x1 <= figure.bbox.width
