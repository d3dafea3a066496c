"""Histogram of the distances of pairs of embeddings, of one person and of two."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neuropil.checks import number
from neuropil.plots.theme import BLUE, INK, ORANGE, blank, key, quiet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from neuropil.vision.faces.verification_curve import VerificationCurve

BINS = 50


def distance_histogram(curve: VerificationCurve, threshold: float | None = None) -> Figure:
    """Draw the histogram of the distances of genuine and of impostor pairs.

    Both have the same area, however many pairs there are of each. The less they overlap, the
    better people are told apart.

    Args:
        curve: What `verification_curve` returns.
        threshold: The greatest accepted distance, drawn as a line.

    Raises:
        ValueError: If the threshold is not a distance from 0 to 2.

    Example:
        >>> from neuropil.vision import verification_curve
        >>> curve = verification_curve([[1, 0], [3, 1], [0, 1], [1, 3]], ["a", "a", "b", "b"])
        >>> figure = distance_histogram(curve, threshold=1.0)
        >>> [text.get_text() for text in figure.axes[0].get_legend().texts]
        ['one person: 2 pairs', 'two people: 4 pairs', 'accepted up to 1']
    """
    figure, [axes] = blank(4.6, 3.2)
    quiet(axes, x="distance", y="share of the pairs")
    end = max(float(curve.distances[-1]), 1e-3)
    edges = np.linspace(0, end, BINS + 1)
    last = np.searchsorted(curve.distances, edges, side="right")
    # Pairs at a distance of 0 belong to the first bin.
    last[0] = 0
    highest = 0.0
    kinds = (
        (curve.true_accepts, "one person", curve.genuine_pairs, BLUE, "-"),
        (curve.false_accepts, "two people", curve.impostor_pairs, ORANGE, (0, (3, 1))),
    )
    for accepted, name, pairs, color, dashes in kinds:
        shares = np.diff(np.r_[0, accepted][last])
        highest = max(highest, float(shares.max()))
        label = f"{name}: {pairs:,} pair{'s' * (pairs > 1)}"
        axes.stairs(shares, edges, fill=True, color=color, alpha=0.18)
        axes.stairs(shares, edges, color=color, linewidth=1.6, linestyle=dashes, label=label)
    if threshold is not None:
        number(threshold, "distance_histogram: `threshold`", "[0, 2]")
        label = f"accepted up to {threshold:.3g}"
        style = {"color": INK, "linewidth": 1.2, "linestyle": (0, (1, 1)), "label": label}
        axes.plot([threshold, threshold], [0, 1.05 * highest], **style)
        end = max(end, threshold)
    # The names are above the bars.
    axes.set(xlim=(0, end), ylim=(0, 1.4 * highest))
    key(axes, loc="upper left")
    return figure
