"""Calibration: whether the confidence of a network matches its accuracy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from neuropil.plots.theme import BLUE, INK, MUTED, blank, quiet
from neuropil.runs.figures.confidence_interval import wilson_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = np.ndarray[Any, Any]


class Reliability(NamedTuple):
    """Observed accuracy by confidence, for the bins that hold examples.

    Args:
        confidence: Mean probability in each bin.
        share: Share of correct predictions in each bin.
        right: Number of correct predictions in each bin.
        counts: Number of examples in each bin.
        edges: Lower and upper end of each bin, ``(bins, 2)``.
        error: The expected calibration error.
    """

    confidence: Array
    share: Array
    right: Array
    counts: Array
    edges: Array
    error: float


def reliability(probabilities: Any, targets: Any, bins: int = 10) -> Reliability:
    """Return the observed accuracy by confidence, and the expected calibration error.

    The probability of the predicted class is sorted into bins of equal width. Bin b holds n_b
    of the N examples, with accuracy acc_b and mean probability conf_b; the expected calibration
    error is Σ_b n_b/N · |acc_b − conf_b|.

    Shape:
        `probabilities`: ``(N, K)``, or ``(N)`` for the probability of class 1 of two, which is
        then binned itself. `targets`: ``(N)``, class numbers.

    Args:
        probabilities: The predictions of the network.
        targets: The true classes.
        bins: Number of bins between 0 and 1; more are finer, with fewer examples each.

    Raises:
        ValueError: If the shapes do not fit, or a number is not a probability or a class.

    Reference:
        C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, "On calibration of modern neural
        networks", ICML (2017).

    Example:
        >>> found = reliability([[0.9, 0.1], [0.7, 0.3], [0.4, 0.6], [0.3, 0.7]], [0, 1, 1, 1])
        >>> found.confidence, found.share, found.counts
        (array([0.6, 0.7, 0.9]), array([1. , 0.5, 1. ]), array([1, 2, 1]))
        >>> round(found.error, 3)
        0.225
    """
    confidence, right = outcomes(probabilities, targets)
    if bins < 1:
        raise ValueError(f"reliability: needs at least one bin, got {bins}.")
    edges = np.linspace(0, 1, bins + 1)
    # A bin includes its upper edge, so that 0.9 is in the bin 0.8–0.9 as readers expect.
    place = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)
    counts = np.bincount(place, minlength=bins)
    held = counts > 0
    hits = np.bincount(place, right, bins)[held].astype(int)
    total = np.bincount(place, confidence, bins)[held]
    counts = counts[held]
    mean, share = total / counts, hits / counts
    error = float((counts * np.abs(share - mean)).sum() / counts.sum())
    limits = np.stack([edges[:-1], edges[1:]], axis=1)[held]
    return Reliability(mean, share, hits, counts, limits, error)


def outcomes(probabilities: Any, targets: Any) -> tuple[Array, Array]:
    """Return the probability of each prediction, and whether it is correct.

    Raises:
        ValueError: If the shapes do not fit, or a number is not a probability or a class.
    """
    p, y = np.asarray(probabilities, np.float64), np.asarray(targets)
    if p.ndim not in (1, 2) or y.shape != p.shape[:1] or not p.size:
        raise ValueError(
            f"calibration: needs probabilities (N, K) or (N) and N classes, got the shapes "
            f"{p.shape} and {y.shape}."
        )
    # Rounding in float32 may leave a softmax a little above 1; NaN fails here too.
    if not ((p >= 0) & (p <= 1 + 1e-5)).all():
        raise ValueError(
            "calibration: needs probabilities between 0 and 1, got others (perhaps scores)."
        )
    classes = 2 if p.ndim == 1 else p.shape[1]
    if y.dtype.kind not in "iub" or y.min() < 0 or y.max() >= classes:
        raise ValueError(f"calibration: targets must be class numbers from 0 to {classes - 1}.")
    p = np.minimum(p, 1)
    return (p, y == 1) if p.ndim == 1 else (p.max(axis=1), p.argmax(axis=1) == y)


def calibration(probabilities: Any, targets: Any, bins: int = 10) -> Figure:
    """Draw the reliability diagram: accuracy against confidence.

    Each point is a bin of predictions, at the mean probability conf_b and the accuracy acc_b
    with its 95 % interval; its area grows with the number of examples. Points on the diagonal
    are well calibrated; below it the network is overconfident. The bars below count the
    examples. If only the probability of class 1 is given, the diagram shows the share of
    class 1 against that probability.

    Shape:
        `probabilities`: ``(N, K)``, or ``(N)`` for the probability of class 1 of two.
        `targets`: ``(N)``, class numbers.

    Args:
        probabilities: The predictions of the network, as for `reliability`.
        targets: The true classes.
        bins: Number of points, for bins of equal width between 0 and 1.

    Raises:
        ValueError: If the shapes do not fit, or a number is not a probability or a class.

    Reference:
        A. Niculescu-Mizil and R. Caruana, "Predicting good probabilities with supervised
        learning", ICML (2005).

    Example:
        >>> figure = calibration([[0.9, 0.1], [0.7, 0.3], [0.4, 0.6], [0.3, 0.7]], [0, 1, 1, 1])
        >>> figure.axes[0].get_ylabel()
        'share that is correct'
    """
    found = reliability(probabilities, targets, bins)
    figure, (above, below) = blank(4.2, 4.4, rows=2, sharex=True, height_ratios=[4, 1])
    draw_reliability(above, found)
    widths = 0.86 * (found.edges[:, 1] - found.edges[:, 0])
    below.bar(found.edges.mean(axis=1), found.counts, widths, color=MUTED, alpha=0.55)
    across, up = "confidence of the network", "share that is correct"
    if np.ndim(probabilities) == 1:
        across, up = "probability of class 1", "share that is class 1"
    quiet(below, x=across, y="examples", grid=None)
    quiet(above, y=up, grid="both")
    above.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    return figure


def draw_reliability(axes: Axes, found: Reliability) -> None:
    """Draw the diagonal, and the points with their intervals."""
    axes.plot([0, 1], [0, 1], color=INK, linewidth=1, linestyle=(0, (2, 2)))
    limits = [
        wilson_interval(int(right), int(count))
        for right, count in zip(found.right, found.counts, strict=True)
    ]
    low, high = np.transpose(limits)
    axes.vlines(found.confidence, low, high, color=BLUE, linewidth=1.4, alpha=0.55)
    # The smallest area is still visible.
    area = 16 + 120 * found.counts / found.counts.max()
    axes.scatter(
        found.confidence, found.share, area, color=BLUE, linewidth=0, zorder=3, clip_on=False
    )
