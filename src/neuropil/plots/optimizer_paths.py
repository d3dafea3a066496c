"""The paths of optimisers on a loss of two weights."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import torch

from neuropil.plots.optimizer_walks import Path, Surface, Walk, loss_of, rosenbrock
from neuropil.plots.theme import BLUE, GRID, INK, ORANGE, blank, heading, label, quiet
from neuropil.text import number_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from torch import nn
    from torch.optim import Optimizer

Range: TypeAlias = tuple[float, float]

GRID_SIZE = 161
LEVELS = 14
COLUMNS = 4
# Contours are evenly spaced in the logarithm of the loss; below this share of the largest loss
# they would crowd around the minimum.
DEEPEST = 1e-4
# Paths of at most this many steps have a mark at each step.
MOST_MARKS = 60


def optimizer_paths(
    optimizers: Mapping[str, Callable[[list[nn.Parameter]], Optimizer]],
    surface: Surface = rosenbrock,
    *,
    start: tuple[float, float] = (-1.2, 1.0),
    steps: int = 500,
    goal: float = 1e-10,
    x: Range = (-1.75, 1.75),
    y: Range = (-0.9, 2.4),
) -> Figure:
    """Draw the paths of several optimisers on one loss L(x, y) of two weights, side by side.

    Each optimiser starts at `start`, the dark point, and takes at most `steps` steps. Its path
    ends at the orange point, where L(x, y) ≤ `goal` or where the optimiser stops. The title
    gives the number of steps and of loss evaluations, since a step may evaluate the loss
    several times. Contours are evenly spaced in the logarithm of the loss.

    Shape:
        `surface` takes weights ``(2, …)`` and gives losses ``(…)``, or residuals ``(m, …)``
        whose loss is Σ rᵢ² / 2.

    Args:
        optimizers: Functions that make an optimiser from a list of parameters, by name.
            Optimisers that need residuals get residuals, all others the loss.
        surface: The loss or the residuals as a function of (x, y). By default Rosenbrock's
            valley.
        start: The starting point of all paths.
        steps: Maximum number of steps.
        goal: The loss at which a path ends.
        x: The range of the first weight to draw.
        y: The range of the second weight.

    Raises:
        ValueError: If there is no optimiser, an optimiser needs residuals and the surface is
            a loss, or the loss at the start is not finite.

    Example:
        >>> from neuropil.optim import Adam, GradientDescent
        >>> figure = optimizer_paths(
        ...     {
        ...         "gradient descent": lambda w: GradientDescent(w, lr=2e-3),
        ...         "Adam": lambda w: Adam(w, lr=0.1),
        ...     },
        ...     steps=50,
        ... )
        >>> [axes.texts[0].get_text() for axes in figure.axes]
        ['50 steps, loss 2', '50 steps, loss 1.9']
    """
    if not optimizers:
        raise ValueError("optimizer_paths: needs at least one optimiser.")
    at_start = loss_of(surface, torch.tensor(start, dtype=torch.float64))
    if not math.isfinite(at_start):
        raise ValueError(
            f"optimizer_paths: the loss at {start} is {at_start}; choose another start."
        )
    columns = min(COLUMNS, len(optimizers))
    rows = -(-len(optimizers) // columns)
    figure, all_axes = blank(2.6 * columns, 2.75 * rows, columns, rows)
    lines = contour_lines(surface, x, y)
    for place, (axes, (name, make)) in enumerate(
        zip(all_axes, optimizers.items(), strict=False)
    ):
        path = Walk(make, surface, start, name).follow(steps, goal)
        draw(axes, path, lines)
        heading(axes, label(name, 30), result(path, goal))
        axes.set(xlim=x, ylim=y)
        quiet(axes, grid=None)
        axes.tick_params(
            labelleft=not place % columns, labelbottom=place >= len(optimizers) - columns
        )
    for unused in all_axes[len(optimizers) :]:
        unused.set_axis_off()
    return figure


def contour_lines(surface: Surface, x: Range, y: Range) -> dict[str, Any]:
    """Return the arguments of `contour`, with levels evenly spaced in the log of the loss."""
    xs, ys = np.linspace(*x, GRID_SIZE), np.linspace(*y, GRID_SIZE)
    places = torch.from_numpy(np.stack(np.meshgrid(xs, ys)))
    with torch.no_grad():
        value = surface(places)
    losses = (value.square().sum(0) / 2 if value.ndim > 2 else value).numpy()
    finite = losses[np.isfinite(losses)]
    least, most = (finite.min(), finite.max()) if finite.size else (0.0, 0.0)
    # Levels are relative to the lowest point, since a loss may be negative.
    levels = least + np.geomspace(DEEPEST, 1, LEVELS)[:-1] * (most - least)
    return {"X": xs, "Y": ys, "Z": losses, "levels": levels if most > least else []}


def draw(axes: Axes, path: Path, lines: dict[str, Any]) -> None:
    """Draw a path over the contours, with its steps marked if there are few."""
    x, y, z, levels = lines.values()
    if len(levels):
        axes.contour(x, y, z, levels=levels, colors=GRID, linewidths=0.9, zorder=1)
    points = np.array(path.points)
    marker = "." if path.steps <= MOST_MARKS else None
    axes.plot(*points.T, color=BLUE, linewidth=1.3, marker=marker, markersize=5, zorder=3)
    axes.plot(*points[0], "o", color=INK, markersize=5, zorder=4)
    axes.plot(*points[-1], "D", color=ORANGE, markersize=5, zorder=5)


def result(path: Path, goal: float) -> str:
    """Return the steps and evaluations of a path, and its loss unless it reached the goal."""
    text = number_of(path.steps, "step")
    if path.evaluations > path.steps + 1:
        text += f", {path.evaluations} evaluations"
    last = path.losses[-1]
    return text if last <= goal else f"{text}, loss {last:.2g}"
