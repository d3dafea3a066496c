"""Sizes of gradients and outputs, layer by layer and epoch by epoch."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from neuropil.analysis import GradientHealth, LayerHealth
from neuropil.plots.theme import (
    BLUE,
    LONGEST_LABEL,
    MUTED,
    ORANGE,
    blank,
    heading,
    key,
    label,
    name_powers,
    quiet,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Measure: TypeAlias = Callable[[LayerHealth], float | None]

# With more layers only every second one is named, or every third …
MOST_NAMES = 36
TALLEST = 9.0
# The number of epochs drawn between the first and the last.
BETWEEN = 6


def gradient_flow(
    healths: GradientHealth | Sequence[GradientHealth], epochs: Sequence[int] | None = None
) -> Figure:
    """Draw the size of the gradient and of the outputs of each layer, the first layer on top.

    Sizes are root mean squares √(Σ g² / n) on logarithmic axes. If gradients vanish, the line
    in the left plot leans to the left towards the first layer. The first epoch is dashed, the
    last one thick, and some in between are faint. An orange triangle means a size of zero.

    Args:
        healths: One or several results of `gradient_health`, such as `GradientWatch.healths`.
        epochs: The epoch of each, such as `GradientWatch.epochs`; 1, 2 and so on by default.

    Raises:
        ValueError: If the list of results is empty, or the epochs or layers differ.

    Example:
        >>> import torch
        >>> from neuropil.analysis import gradient_health
        >>> from neuropil.layers import Input, Linear, Tanh
        >>> network = Input(2) >> Tanh(3) >> Linear(1)
        >>> health = gradient_health(network, torch.ones(4, 2), torch.ones(4, 1))
        >>> [text.get_text() for text in gradient_flow(health).axes[0].get_yticklabels()]
        ['tanh1', 'linear1']
    """
    healths = [healths] if isinstance(healths, GradientHealth) else list(healths)
    epochs = list(range(1, len(healths) + 1)) if epochs is None else list(epochs)
    check_healths(healths, epochs)
    titles = [row.title for row in healths[0].rows]
    height = min(TALLEST, 1.5 + 0.24 * len(titles))
    figure, (left, right) = blank(7.8, height, 2)
    draw(left, healths, epochs, lambda row: row.gradient)
    draw(right, healths, epochs, lambda row: row.size)
    heading(left, "size of the gradient")
    heading(right, "size of the outputs")
    handles = {}
    for axes in (left, right):
        found, names = axes.get_legend_handles_labels()
        handles |= dict(zip(names, found, strict=True))
    if handles:
        lines, names = list(handles.values()), list(handles)
        key(figure, handles=lines, labels=names, loc="outside lower right", ncols=3)
    step = -(-len(titles) // MOST_NAMES)
    named = range(0, len(titles), step)
    left.set_yticks(named, [label(end_of(title)) for title in titles[::step]])
    right.set_yticks(named, [""] * len(named))
    return figure


def end_of(title: str) -> str:
    """Return the end of a long name, which distinguishes it."""
    return title if len(title) <= LONGEST_LABEL else "…" + title[1 - LONGEST_LABEL :]


def check_healths(healths: list[GradientHealth], epochs: list[int]) -> None:
    """Check that the measurements can be drawn together.

    Raises:
        ValueError: If they cannot.
    """
    if not healths or not healths[0].rows:
        raise ValueError("gradient_flow: nothing was measured yet.")
    if len(epochs) != len(healths):
        raise ValueError(
            f"gradient_flow: needs one epoch per measurement, got {len(healths)} measurements "
            f"and {len(epochs)} epochs."
        )
    names = [row.name for row in healths[0].rows]
    if any([row.name for row in health.rows] != names for health in healths):
        raise ValueError("gradient_flow: all measurements must be of the same layers.")


def draw(
    axes: Axes, healths: list[GradientHealth], epochs: list[int], measure: Measure
) -> None:
    """Draw one size over the layers, with a line for each epoch drawn."""
    from matplotlib.ticker import LogLocator

    axes.set_xscale("log")
    lines = [sizes(health, measure) for health in healths]
    positive = [size for line in lines for _, size in line if 0 < size < math.inf]
    low, high = decades(positive)
    # Zero has no logarithm: draw it to the left of all other sizes.
    least = low if all(all(size for _, size in line) for line in lines) else low / 10
    last = len(lines) - 1
    for place in choose_epochs(len(lines)):
        style = {"color": BLUE, "linewidth": 0.9, "alpha": 0.3}
        if place == last:
            style = {"color": BLUE, "linewidth": 1.8, "marker": "o", "markersize": 4}
        elif not place:
            style = {"color": MUTED, "linewidth": 1.4, "linestyle": (0, (3, 1.6))}
        name = f"epoch {epochs[place]}" if place in (0, last) and last else "_"
        drawn = [(size or least, row) for row, size in lines[place] if math.isfinite(size)]
        axes.plot(*zip(*drawn, strict=True), label=name, **style) if drawn else None
    nothing = [row for row, size in lines[last] if not size]
    if nothing:
        style = {"color": ORANGE, "marker": "<", "markersize": 6, "linestyle": "none"}
        axes.plot([least] * len(nothing), nothing, label="zero", zorder=3, **style)
    quiet(axes, grid="both")
    axes.set_xlim(least / 1.3, high * 1.3)
    axes.xaxis.set_major_locator(LogLocator(numticks=6))
    axes.xaxis.set_minor_locator(LogLocator(subs=[], numticks=6))
    name_powers(axes.xaxis)
    axes.set_ylim(len(healths[0].rows) - 0.5, -0.5)


def decades(values: list[float]) -> tuple[float, float]:
    """Return the powers of ten that enclose some numbers, at least one decade apart."""
    low = math.floor(math.log10(min(values, default=1.0)))
    high = math.ceil(math.log10(max(values, default=1.0)))
    return 10.0**low, 10.0 ** max(high, low + 1)


def sizes(health: GradientHealth, measure: Measure) -> list[tuple[int, float]]:
    """Return the index and the size of each layer that has a size."""
    found = ((place, measure(row)) for place, row in enumerate(health.rows))
    return [(place, size) for place, size in found if size is not None]


def choose_epochs(count: int) -> list[int]:
    """Return the indices of the measurements to draw: first, last and some in between."""
    step = (count - 1) / (BETWEEN + 1)
    return sorted({round(k * step) for k in range(BETWEEN + 2)})
