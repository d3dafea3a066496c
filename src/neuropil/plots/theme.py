"""The common look of all plots: colours, axes and plain-text labels."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

# Blue and vermilion differ in every kind of colour blindness (Okabe and Ito, 2008), but hardly
# in grey, so position or line style must carry the same meaning. The report replaces these
# colours with those of its theme; colours of data are in `palette`.
INK, MUTED, GRID = "#1d2733", "#5b6875", "#dde2e7"
BLUE, ORANGE, PAPER = "#0072b2", "#d55e00", "#fefefe"
# For more than two lines.
SERIES = (BLUE, ORANGE, "#009e73", "#cc79a7", "#56b4e9", "#e69f00", MUTED)

LONGEST_LABEL = 22
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def line_style(place: int) -> dict[str, Any]:
    """Return the colour and the dashes of a line, different for each line.

    Args:
        place: Number of the line.

    Example:
        >>> line_style(0)
        {'color': '#0072b2', 'linestyle': '-'}
    """
    round_, place = divmod(place, len(SERIES))
    dots = (1, 1.2) * max(0, round_ - 1)
    dashes: Any = "-" if not round_ else (0, (4, 1.5, *dots))
    return {"color": SERIES[place], "linestyle": dashes}


def blank(
    width: float, height: float, columns: int = 1, rows: int = 1, **options: Any
) -> tuple[Figure, list[Axes]]:
    """Return an empty figure and its axes, row by row.

    Args:
        width: Width of the figure in inches.
        height: Height in inches.
        columns: Number of axes per row.
        rows: Number of rows.
        **options: Options of matplotlib's `subplots`, such as the ratios of the heights.
    """
    from neuropil.plots.notebook import NotebookFigure

    figure = NotebookFigure(figsize=(width, height), layout="constrained")
    return figure, list(figure.subplots(rows, columns, squeeze=False, **options).flat)


def quiet(axes: Axes, *, x: str = "", y: str = "", grid: str | None = "y") -> None:
    """Give axes the common look.

    Args:
        axes: The axes.
        x: Label of the horizontal axis.
        y: Label of the vertical axis.
        grid: The axis with grid lines: ``"x"``, ``"y"``, ``"both"`` or None.
    """
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(GRID)
    axes.tick_params(which="both", length=0, labelsize=9, labelcolor=MUTED, color=GRID)
    axes.set_axisbelow(True)
    if grid:
        axes.grid(axis=grid, color=GRID, linewidth=0.8)  # pyright: ignore[reportArgumentType]  # a literal
    axes.set_xlabel(x, color=MUTED, fontsize=9.5)
    axes.set_ylabel(y, color=MUTED, fontsize=9.5)


def heading(axes: Axes, text: str, below: str = "") -> None:
    """Set a title at the left edge of the axes.

    Args:
        axes: The axes.
        text: The title.
        below: A muted line between the title and the axes.
    """
    pad = 22 if below else 8
    style = {"color": INK, "fontsize": 11, "fontweight": "bold", "pad": pad}
    axes.set_title(label(text, 90), loc="left", **style)
    if below:
        style = {"color": MUTED, "fontsize": 9, "xycoords": "axes fraction"}
        place = {"xytext": (0, 7), "textcoords": "offset points"}
        axes.annotate(label(below, 90), (0, 1), **style, **place)


def key(axes: Axes | Figure, **options: Any) -> None:
    """Draw a legend without a frame.

    Args:
        axes: The axes with labelled lines, or a figure for the lines of all its axes.
        **options: Options of matplotlib's `legend`, such as its location.
    """
    found = axes.legend(frameon=False, fontsize=9, handlelength=1.6, **options)
    for text in found.get_texts():
        text.set_color(INK)


def short_number(value: float) -> str:
    """Return a number with four digits for the labels of an axis; large numbers end in k or M.

    Args:
        value: The number.

    Example:
        >>> (
        ...     short_number(136730.0),
        ...     short_number(-1.5e6),
        ...     short_number(12.34),
        ...     short_number(3e12),
        ... )
        ('136.7k', '−1.5M', '12.34', '3e+12')
    """
    size = abs(value)
    for scale, letter in ((1e6, "M"), (1e3, "k")):
        if max(scale, 1e4) <= size < 1e9:
            return f"{value / scale:.4g}{letter}".replace("-", "−")
    return f"{value:.4g}".replace("-", "−")


def shorten_numbers(axis: Axis, largest: float) -> None:
    """Label an axis in k or M if its numbers are long.

    Args:
        axis: The axis.
        largest: Largest absolute value on it.
    """
    if 1e4 <= largest < 1e9:
        axis.set_major_formatter(lambda value, _: short_number(value))


def name_powers(axis: Axis) -> None:
    """Label a logarithmic axis as 10⁻³: matplotlib's own labels are mathematics, which is slow.

    Args:
        axis: The axis, whose ticks are powers of ten.
    """
    axis.set_major_formatter(lambda value, _: power_of_ten(value))


def power_of_ten(value: float) -> str:
    """Return the nearest power of ten as text.

    Args:
        value: A positive number.

    Example:
        >>> power_of_ten(0.001), power_of_ten(1e12)
        ('10⁻³', '10¹²')
    """
    return "10" + str(round(math.log10(value))).translate(SUPERSCRIPTS)


def turn_labels(axes: Axes) -> None:
    """Turn the labels below the axes upright, each ending at its tick.

    Args:
        axes: The axes.
    """
    for text in axes.get_xticklabels():
        text.set(rotation=90, rotation_mode="anchor", ha="right", va="center")


def label(text: object, longest: int = LONGEST_LABEL) -> str:
    """Return a name as one line of plain text for matplotlib, shortened if it is long.

    Args:
        text: The name; a ``$`` in it does not start mathematics.
        longest: Maximum number of characters.
    """
    # File names that are not valid UTF-8 contain lone surrogates, which cannot be written.
    words = str(text).encode("utf-8", "replace").decode().split()
    line = "".join(sign if sign.isprintable() else "?" for sign in " ".join(words))
    short = line if len(line) <= longest else line[: longest - 1] + "…"
    return short.replace("$", r"\$")
