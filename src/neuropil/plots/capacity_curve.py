"""Capacity curves: recall quality of an associative memory against its load."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neuropil.classic.memory.capacity import theoretical_overlap
from neuropil.plots.theme import BLUE, INK, MUTED, ORANGE, blank, heading, key, quiet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from neuropil.classic.memory.capacity import CapacityCurve

COLORS = (BLUE, ORANGE, INK, MUTED)
RULES = {"hebb": "Hebb", "storkey": "Storkey", "pseudo_inverse": "pseudo-inverse"}


def capacity_curves(*curves: CapacityCurve) -> Figure:
    """Draw the overlap between stored and recalled patterns against the load.

    The load is α = patterns / units. An overlap of 1 means perfect recall, 0 means chance. The
    dashed line is the mean-field result for Hebb's rule in an infinitely large network; it ends
    at α = 0.138.

    Args:
        *curves: Up to four results of `DiscreteHopfieldNetwork.capacity_curve`.

    Raises:
        ValueError: If the number of curves is 0 or above 4.

    Reference:
        Amit, Gutfreund and Sompolinsky, "Storing infinite numbers of patterns in a spin-glass
        model of neural networks", Physical Review Letters 55 (1985).

    Example:
        >>> from neuropil.classic import DiscreteHopfieldNetwork
        >>> network = DiscreteHopfieldNetwork("storkey", random_state=0)
        >>> figure = capacity_curves(network.capacity_curve(100, [0.1, 0.2, 0.3]))
        >>> [line.get_label() for line in figure.axes[0].get_lines()]
        ['theory of Hebb’s rule', 'Storkey, 100 units']
    """
    if not 1 <= len(curves) <= len(COLORS):
        raise ValueError(
            f"capacity_curves: draws 1 to {len(COLORS)} curves, got {len(curves)}."
        )
    figure, [axes] = blank(5.6, 3.4)
    loads = np.linspace(1e-3, 0.2, 2000)
    theory = theoretical_overlap(loads)
    inside = theory > 0
    # Drop to 0 at the end, as the published curve does.
    x, y = np.append(loads[inside], loads[inside][-1]), np.append(theory[inside], 0.0)
    axes.plot(
        x, y, color=MUTED, linewidth=1.2, linestyle=(0, (4, 2)), label="theory of Hebb’s rule"
    )
    for curve, color in zip(curves, COLORS, strict=False):
        name = f"{RULES.get(curve.rule, curve.rule)}, {curve.n_units} units"
        style = {"marker": "o", "markersize": 4, "linewidth": 1.6}
        axes.plot(curve.loads, curve.overlaps, color=color, label=name, **style)
    axes.set_ylim(-0.03, 1.05)
    axes.set_xlim(0, None)
    quiet(axes, x="patterns per unit", y="overlap of stored and recalled")
    heading(axes, "capacity")
    key(axes, loc="best")
    return figure
