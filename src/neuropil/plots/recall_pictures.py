"""Recall in a Hopfield network: intermediate states as pictures, and the energy."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from neuropil.plots.theme import BLUE, GRID, INK, MUTED, PAPER, blank, heading, quiet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

    from neuropil.classic import DiscreteHopfieldNetwork
    from neuropil.classic.memory import RecallPath

MOST_PROBES = 8
MOST_STATES = 7


def hopfield_recall(
    network: DiscreteHopfieldNetwork, probes: ArrayLike, shape: tuple[int, int] | None = None
) -> Figure:
    """Draw the states of probes during recall, and their energy.

    Each row of pictures shows one probe, from the probe on the left to the recalled pattern on
    the right, with up to five sweeps in between. Beside the pictures is the energy E over the
    updates, one line per probe, with the number of its row at the end.

    Args:
        network: A fitted network.
        probes: Up to eight probes, ``(n_probes, n_units)``.
        shape: Height and width of the pictures; by default a square if the units fill one,
            else one row of pixels.

    Raises:
        ValueError: If there are too many probes, or the units do not fill the shape.

    Example:
        >>> from neuropil.classic import DiscreteHopfieldNetwork
        >>> from neuropil.datasets import load_digits, make_digits
        >>> memory = DiscreteHopfieldNetwork("pseudo_inverse", random_state=0)
        >>> probes, _ = make_digits(3, random_state=0)
        >>> figure = hopfield_recall(memory.fit(load_digits()), probes, (6, 4))
        >>> len(figure.axes[1].get_lines())
        3
    """
    rows = np.atleast_2d(np.asarray(probes))
    if not 1 <= len(rows) <= MOST_PROBES:
        raise ValueError(f"hopfield_recall: draws 1 to {MOST_PROBES} probes, got {len(rows)}.")
    height, width = picture_shape(rows.shape[1], shape)
    paths = [network.recall_path(row) for row in rows]
    shown = [pick_states(path.states) for path in paths]
    columns = max(len(states) for states in shown)
    wide = min(0.75 * columns * width / height + 0.3, 6.0)
    # The layout gives both halves the same width.
    high = max(0.85 * len(rows) + 0.9, 2.4)
    figure, [pictures, energies] = blank(2 * max(wide, 3.2), high, 2)
    draw_pictures(pictures, shown, (height, width), columns)
    draw_energies(energies, paths, network.mode)
    return figure


def picture_shape(n_units: int, shape: tuple[int, int] | None) -> tuple[int, int]:
    """Return height and width of the pictures.

    Raises:
        ValueError: If the units do not fill the shape.
    """
    side = math.isqrt(n_units)
    if shape is None:
        return (side, side) if side**2 == n_units else (1, n_units)
    if len(shape) != 2 or math.prod(shape) != n_units:
        raise ValueError(f"hopfield_recall: {n_units} units do not fill the shape {shape}.")
    return shape


def pick_states(states: Any) -> Any:
    """Return the states to draw, without those that only repeat the final state."""
    changed = np.flatnonzero((states[1:] != states[:-1]).any(axis=1))
    states = states[: changed[-1] + 2] if len(changed) else np.repeat(states[:1], 2, axis=0)
    if len(states) > MOST_STATES:
        states = np.concatenate([states[: MOST_STATES - 1], states[-1:]])
    return states


def draw_pictures(axes: Axes, shown: list[Any], size: tuple[int, int], columns: int) -> None:
    """Draw one row of pictures per probe."""
    from matplotlib.colors import ListedColormap

    height, width = size
    gap = max(1, width // 6)
    board = np.zeros((len(shown) * (height + gap) - gap, columns * (width + gap) - gap))
    for row, states in enumerate(shown):
        for place, state in enumerate(states):
            column = columns - 1 if place == len(states) - 1 else place
            top, left = row * (height + gap), column * (width + gap)
            picture = np.where(state.reshape(size) > 0, 2, 1)
            board[top : top + height, left : left + width] = picture
    colors = ListedColormap(["none", GRID, BLUE])
    axes.imshow(board, cmap=colors, vmin=0, vmax=2, interpolation="none", aspect="equal")
    axes.set_facecolor(PAPER)
    axes.spines[:].set_visible(False)
    middles = [row * (height + gap) + (height - 1) / 2 for row in range(len(shown))]
    axes.set_yticks(middles, [str(row + 1) for row in range(len(shown))], color=MUTED)
    centres = [column * (width + gap) + (width - 1) / 2 for column in range(columns)]
    names = ["probe", *(str(sweep) for sweep in range(1, columns - 1)), "recalled"]
    axes.set_xticks(centres, names, color=MUTED)
    axes.tick_params(length=0, labelsize=9)
    if columns > 2:
        axes.set_xlabel("number of sweeps", color=MUTED, fontsize=9.5)
    heading(axes, "from probe to pattern")


def draw_energies(axes: Axes, paths: list[RecallPath], mode: str) -> None:
    """Draw the energy of each probe over the updates, with its number at the end."""
    ends: dict[tuple[int, float], list[str]] = {}
    for number, path in enumerate(paths, 1):
        axes.plot(path.energies, color=BLUE, linewidth=1.4, alpha=0.75)
        end = len(path.energies) - 1, round(float(path.energies[-1]), 6)
        ends.setdefault(end, []).append(str(number))
    for end, numbers in ends.items():
        axes.annotate(
            ", ".join(numbers), end, (0, 4), textcoords="offset points",
            ha="center", fontsize=8.5, color=INK,
        )  # fmt: skip
    axes.margins(x=0.08)
    quiet(axes, x="unit updates" if mode == "async" else "steps", y="energy")
    heading(axes, "energy")
