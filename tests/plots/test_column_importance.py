"""The picture of the importance of columns."""

from neuropil.plots import column_importance
from neuropil.runs import Importance


def test_a_long_label_is_not_cut():
    columns = [Importance("contract in years", 0.2, 0.1, 0.3)]
    figure = column_importance(columns, "root mean squared error")
    figure.draw_without_rendering()
    box = figure.axes[0].xaxis.label.get_window_extent()
    assert 0 <= box.x0 < box.x1 <= figure.bbox.width
