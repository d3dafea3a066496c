"""Verdicts on the variants of a study, corrected for their number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from neuropil.checks import number

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from neuropil.study.estimates.differences import Difference

Verdict: TypeAlias = Literal["helps", "hurts", "no difference", "cannot tell"]


def verdicts(
    found: Sequence[Difference], smallest: float, *, level: float = 0.95
) -> dict[str, Verdict]:
    """Return the verdict on each variant.

    - "no difference": the expected difference is smaller than `smallest` in size, by two
      one-sided tests. This includes small differences that are certain.
    - "helps", "hurts": the expected difference is not 0, by the two-sided test.
    - "cannot tell": otherwise.

    Holm's correction is applied to each of the two kinds of test: with probability `level` all
    verdicts "helps" and "hurts" of a study are right, and so are all verdicts "no difference".

    Args:
        found: The differences of all variants tested, also of those that look useless.
        smallest: Smallest difference that matters; with 0 none is too small.
        level: Confidence level.

    Raises:
        ValueError: If an option is out of range.

    Reference:
        S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal
        of Statistics 6 (1979).

    Example:
        >>> from neuropil.study.estimates.differences import differences
        >>> seconds = {
        ...     "baseline": {0: [5.0], 1: [6.0], 2: [7.0]},
        ...     "elu": {0: [8.0], 1: [8.0], 2: [11.0]},
        ... }
        >>> verdicts(differences(seconds), smallest=0.5)
        {'elu': 'helps'}
    """
    number(smallest, "verdicts: smallest", "[0, inf)")
    number(level, "verdicts: level", "(0, 1)")
    p = np.array([one.p for one in found])
    small = np.array([one.equivalence_p(smallest) for one in found])
    different = holm(lambda alpha: p <= alpha, len(found), 1 - level)
    equal = holm(lambda alpha: small <= alpha, len(found), 1 - level)
    return {
        one.name: verdict_of(one.gain, different=bool(d), equal=bool(e))
        for one, d, e in zip(found, different, equal, strict=True)
    }


def verdict_of(gain: float, *, different: bool, equal: bool) -> Verdict:
    """Return the verdict from the outcome of the two tests."""
    if equal:
        return "no difference"
    if different:
        return "helps" if gain > 0 else "hurts"
    return "cannot tell"


def holm(
    rejected_at: Callable[[float], NDArray[np.bool_]], tests: int, alpha: float
) -> NDArray[np.bool_]:
    """Return which hypotheses Holm's step-down procedure rejects.

    Each is tested at α/m, with m the number of those not rejected yet, until none is added.

    Args:
        rejected_at: Which of the hypotheses are rejected by tests of a given level each.
        tests: Number of hypotheses.
        alpha: Probability of at least one wrong rejection.

    Example:
        >>> p = np.array([0.01, 0.04, 0.03, 0.005])
        >>> holm(lambda alpha: p <= alpha, 4, 0.05)
        array([ True, False, False,  True])
    """
    rejected = np.zeros(tests, dtype=bool)
    while not rejected.all():
        more = rejected | rejected_at(alpha / int((~rejected).sum()))
        if (more == rejected).all():
            break
        rejected = more
    return rejected
