"""Figures as SVG in a page."""

from matplotlib.figure import Figure

from neuropil.plots import error_by_decile
from neuropil.report.svg import drawing


def test_a_figure_is_laid_out_as_constrained_and_drawn_once(monkeypatch):
    drawn = []
    real = Figure.draw
    monkeypatch.setattr(Figure, "draw", lambda *given: drawn.append(real(*given)))
    figure = error_by_decile([1.0, 2.0, 3.0], [1.0, 3.0, 5.0], "price")
    drawing(figure, "deciles", "Errors.")
    assert len(drawn) == 1
    same = error_by_decile([1.0, 2.0, 3.0], [1.0, 3.0, 5.0], "price")
    same.draw_without_rendering()  # matplotlib's own way to compute the layout
    ours, matplotlibs = (each.axes[0].get_position().bounds for each in (figure, same))
    assert max(abs(a - b) for a, b in zip(ours, matplotlibs, strict=True)) < 0.01
    assert ours[0] > 0.1  # room for the labels
