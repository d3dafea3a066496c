"""The figure and axes of all plots, which a notebook shows without pyplot."""

from __future__ import annotations

import io
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure


class NotebookFigure(Figure):
    """A matplotlib figure without a window: notebooks show it, ``savefig`` writes it."""

    def _repr_png_(self) -> bytes:
        file = io.BytesIO()
        self.savefig(file, format="png", dpi=110)
        return file.getvalue()


class NotebookAxes(Axes):
    """Matplotlib axes that a notebook shows with their figure."""

    def _repr_png_(self) -> bytes | None:
        figure: Any = self.get_figure(root=True)
        return figure._repr_png_()
