"""Curves of verification: pairs of one person that are accepted against those of two."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import ndtri

from neuropil.plots.classification.ranking_curves import corner_places, mark
from neuropil.plots.theme import BLUE, INK, blank, name_powers, quiet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from neuropil.vision.faces.verification_curve import VerificationCurve

Array = np.ndarray[Any, Any]

ACROSS = "strangers accepted"
# The rates at the ticks of normal deviates.
TICKS = np.array([1e-4, 1e-3, 0.01, 0.05, 0.2, 0.5, 0.8, 0.95])
# The axes end here, or at the next tick where a point is beyond.
SHOWN = 0.5


def verification_roc(curve: VerificationCurve, threshold: float | None = None) -> Figure:
    """Draw the ROC curve of verification: true accepts against false accepts.

    For each greatest accepted distance, the share of the pairs of one person that are accepted
    stands over the share of the pairs of two people that are. The false-accept rate is on a
    logarithmic axis, since rates of interest are small; it begins at one pair.

    Args:
        curve: What `verification_curve` returns.
        threshold: Draws the point of this distance.

    Raises:
        ValueError: If the threshold is not a distance from 0 to 2.

    Reference:
        G. B. Huang, M. Ramesh, T. Berg and E. Learned-Miller, "Labeled faces in the wild",
        University of Massachusetts report 07-49 (2007).

    Example:
        >>> from neuropil.vision import verification_curve
        >>> curve = verification_curve([[1, 0], [3, 1], [0, 1], [1, 3]], ["a", "a", "b", "b"])
        >>> verification_roc(curve).axes[0].get_xscale()
        'log'
    """
    figure, [axes] = blank(4.2, 3.4)
    quiet(axes, x=ACROSS, y="pairs of one person accepted", grid="both")
    least = 1 / curve.impostor_pairs
    some = curve.false_accepts > 0
    across = np.r_[least, curve.false_accepts[some]]
    up = np.r_[curve.accepted_at(0), curve.true_accepts[some]]
    corners = corner_places(np.log10(across), up)
    # A chance would accept as many of both.
    chance = np.geomspace(least, 1, 100)
    axes.plot(chance, chance, color=INK, linewidth=1, linestyle=(0, (2, 2)))
    axes.plot(across[corners], up[corners], color=BLUE, linewidth=1.8, drawstyle="steps-post")
    axes.set(xscale="log", xlim=(least, 1), ylim=(0, 1.02))
    name_powers(axes.xaxis)
    axes.minorticks_off()
    if threshold is not None:
        wrong, right = curve.accepted_within(threshold)
        mark(axes, max(wrong, least), right)
    return figure


def det_curve(curve: VerificationCurve, threshold: float | None = None) -> Figure:
    """Draw the detection error trade-off: false rejects against false accepts.

    Both axes are normal deviates, Φ⁻¹ of the rate: the curve is a straight line if genuine and
    impostor distances are normal, and small rates have room. The errors are equal on the dashed
    line; the rate at which they are is written above the axes.

    Args:
        curve: What `verification_curve` returns.
        threshold: Draws the point of this distance.

    Raises:
        ValueError: If the threshold is not a distance from 0 to 2.

    Reference:
        A. Martin et al., "The DET curve in assessment of detection task performance",
        Eurospeech (1997).

    Example:
        >>> from neuropil.vision import verification_curve
        >>> curve = verification_curve([[1, 0], [3, 1], [0, 1], [1, 3]], ["a", "a", "b", "b"])
        >>> det_curve(curve).axes[0].texts[0].get_text()
        'equal error rate 0'
    """
    figure, [axes] = blank(3.8, 3.6)
    quiet(axes, x=f"{ACROSS}, %", y="pairs of one person rejected, %", grid="both")
    equal, point = curve.equal_error_rate, np.zeros(2)
    if threshold is not None:
        wrong, right = curve.accepted_within(threshold)
        point = np.array([wrong, 1 - right])
    first = max(0, np.searchsorted(TICKS, 1 / curve.impostor_pairs, side="right") - 1)
    last = np.searchsorted(TICKS[:-1], max(SHOWN, equal, *point))
    ends = ndtri(TICKS[[first, last]])
    axes.plot(ends, ends, color=INK, linewidth=1, linestyle=(0, (2, 2)))
    # The deviates of 0 and 1 are infinite: the line leaves the axes towards them.
    beyond = ends[0] - 1, ends[1] + 1
    across, up = (
        np.clip(ndtri(rates), *beyond)
        for rates in (curve.false_accepts, 1 - curve.true_accepts)
    )
    corners = corner_places(across, up)
    axes.plot(across[corners], up[corners], color=BLUE, linewidth=1.8)
    axes.set_xticks(ndtri(TICKS), [f"{100 * rate:g}" for rate in TICKS])
    axes.set_yticks(ndtri(TICKS), [f"{100 * rate:g}" for rate in TICKS])
    axes.set(xlim=ends, ylim=ends, aspect="equal")
    if threshold is not None:
        mark(axes, *np.clip(ndtri(point), *ends))
    style = {"ha": "right", "color": INK, "fontsize": 10}
    axes.text(1, 1.02, f"equal error rate {equal:.3g}", transform=axes.transAxes, **style)
    return figure
