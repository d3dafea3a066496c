"""Rank correlation of the gains of a study with published ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import kendalltau

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

FEWEST = 4
"""The fewest pairs of gains of which a correlation says anything."""
DRAWS, HALVINGS = 2000, 10


@dataclass(frozen=True)
class Agreement:
    """Kendall's rank correlation with an interval.

    Args:
        tau: Kendall's τ_b, from −1 to 1.
        low: Lower end of the interval.
        high: Upper end.
        pairs: Number of pairs of gains.
    """

    tau: float
    low: float
    high: float
    pairs: int


def published_agreement(
    measured: Sequence[float], published: Sequence[float], level: float = 0.95
) -> Agreement | None:
    """Return how well two lists of gains agree in their order; None where that is undefined.

    Kendall's τ is the share of the pairs of changes in the same order in both lists minus the
    share in the opposite order; ties are corrected for. The interval has every τ of a Gaussian
    copula under which a correlation as low, or as high, as the one found is not rare. It is the
    inversion of two tests of level ``(1 - level) / 2`` by simulation, so it is valid for few
    pairs and for a τ of ±1 too. The changes are seen as a sample of possible changes.

    Args:
        measured: Gain of each change here.
        published: Published gain of the same changes.
        level: Coverage of the interval.

    Returns:
        None for fewer than four pairs, or if all gains of a list are equal.

    Reference:
        Kendall, "A new measure of rank correlation", Biometrika 30 (1938).

    Example:
        >>> found = published_agreement([1, 2, 3, 4, 5, 6], [1, 3, 2, 4, 5, 6])
        >>> round(found.tau, 3), found.low > 0, found.high < 1
        (0.867, True, True)
        >>> published_agreement([1, 2, 3], [1, 2, 3])
    """
    pairs = len(measured)
    if pairs < FEWEST or min(len({*measured}), len({*published})) < 2:
        return None
    tau = float(kendalltau(measured, published).statistic)
    random = np.random.default_rng(0)
    first, other = random.normal(size=(2, DRAWS, pairs))
    signs = pair_signs(first)

    def share(truth: float, *, above: bool) -> float:
        """Return how often τ is at least, or at most, the one found if another is the truth."""
        rho = np.sin(np.pi / 2 * truth)  # of a Gaussian copula
        second = rho * first + np.sqrt(1 - rho**2) * other
        taus = (signs * pair_signs(second)).mean(axis=1)
        return float((taus >= tau - 1e-9 if above else taus <= tau + 1e-9).mean())

    rare = (1 - level) / 2
    low = solve(lambda truth: share(truth, above=True) < rare)
    high = solve(lambda truth: share(truth, above=False) >= rare)
    return Agreement(tau, low, high, pairs)


def solve(is_below: Callable[[float], bool]) -> float:
    """Return the τ up to which a condition holds, by bisection."""
    low, high = -1.0, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if is_below(middle) else (low, middle)
    # An end that was never moved is the solution itself.
    return high if high == 1 else low


def pair_signs(values: NDArray[Any]) -> NDArray[Any]:
    """Return the order of each pair of each draw, ``(draws, pairs)``, as 1 or −1."""
    first, second = np.triu_indices(values.shape[1], 1)
    return np.where(values[:, first] > values[:, second], np.int8(1), np.int8(-1))
