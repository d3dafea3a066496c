"""Stopping early: verdicts after each look at a growing study, at the same error."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from neuropil.checks import number, whole
from neuropil.study.estimates.differences import differences
from neuropil.study.estimates.run_values import check_values
from neuropil.study.estimates.spending import levels
from neuropil.study.estimates.verdicts import Verdict, holm, verdict_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from neuropil.study.estimates.differences import Difference


class Decision(NamedTuple):
    """The decision on a variant so far.

    Attributes:
        verdict: The verdict; it is final unless "cannot tell".
        seeds: Number of seeds, in common with the baseline, that it rests on.
        next_look: Number of seeds needed next, or None if the variant needs no more.
    """

    verdict: Verdict
    seeds: int
    next_look: int | None


def decide(
    outcomes: Mapping[str, Mapping[int, NDArray[Any]]],
    baseline: str = "baseline",
    *,
    looks: Sequence[int],
    smallest: float,
    level: float = 0.95,
) -> dict[str, Decision]:
    """Return the verdict on each variant so far, and whether it needs further seeds.

    A variant is looked at whenever the number of its seeds in common with the baseline is one
    of the looks, and with the seeds that it has at the last look, by the tests of `verdicts` on
    these seeds. Each look spends a part of the error (`levels`), so that all looks together are
    wrong as rarely as one test at the end. A variant is decided when it helps or hurts, and
    also when its difference is small for certain.

    Holm's correction is applied over the variants: if k of m are rejected, the others are
    tested at the levels of α/(m − k). Bonferroni's bound holds for any correlation of the
    variants, which share a baseline and examples, and Holm's step loses nothing. Earlier looks
    are tested again at the larger level, which the closed test allows.

    The result depends only on the arguments. A look uses the lowest seeds of each variant, so
    that verdicts are final if it is called when no run of the look is outstanding.

    Args:
        outcomes: Values by variant and seed, as for `differences`; seeds may be missing.
        baseline: The variant that others are compared with.
        looks: Increasing numbers of seeds; the last is the largest planned.
        smallest: Smallest difference that matters.
        level: Confidence level.

    Returns:
        One decision per variant other than the baseline, which needs the seeds of all others.

    Raises:
        ValueError: If the values are not as `differences` needs them, or an option is out of
            range.

    Reference:
        W. Maurer and F. Bretz, "Multiple testing in group sequential trials using graphical
        approaches", Statistics in Biopharmaceutical Research 5 (2013).

    Example:
        >>> seconds = {
        ...     "baseline": {0: [5.0], 1: [6.0], 2: [7.0]},
        ...     "elu": {0: [9.0], 1: [10.1], 2: [11.0]},
        ...     "silu": {0: [5.6], 1: [6.4], 2: [6.9]},
        ... }
        >>> for name, decision in decide(seconds, looks=[2, 3, 5], smallest=0.5).items():
        ...     print(name, decision)
        elu Decision(verdict='helps', seeds=2, next_look=None)
        silu Decision(verdict='cannot tell', seeds=3, next_look=5)
    """
    times = check_looks(looks)
    number(smallest, "decide: smallest", "[0, inf)")
    number(level, "decide: level", "(0, 1)")
    runs = check_values(outcomes, baseline)
    names = [name for name in runs if name != baseline]
    p, small = (np.ones((len(names), len(times))) for _ in range(2))
    decided: dict[str, Decision] = {}
    most = max((len(common_seeds(runs, name, baseline)) for name in names), default=0)
    for look, seeds in enumerate(times):
        if seeds > most:
            break  # no variant has a new look
        found = differences_at(runs, baseline, seeds)
        is_last = seeds == times[-1]
        for row, name in enumerate(names):
            # A variant of which some seeds failed is judged at the last look.
            is_new = name in found and (found[name].seeds == seeds or is_last)
            if is_new and name not in decided:
                p[row, look] = found[name].p
                small[row, look] = found[name].equivalence_p(smallest)
        # Each side of the two-sided test has half of the level.
        different = sequential_holm(p / 2, times, (1 - level) / 2)
        equal = sequential_holm(small, times, 1 - level)
        for row, name in enumerate(names):
            if name not in decided and (different[row] or equal[row]):
                verdict = verdict_of(
                    found[name].gain, different=different[row], equal=equal[row]
                )
                decided[name] = Decision(verdict, found[name].seeds, None)
    return {
        name: decided.get(name) or undecided(len(common_seeds(runs, name, baseline)), times)
        for name in names
    }


def differences_at(
    runs: dict[str, dict[int, NDArray[Any]]], baseline: str, seeds: int
) -> dict[str, Difference]:
    """Return the differences over the first common seeds of each variant, by name."""
    common = {
        name: common_seeds(runs, name, baseline)[:seeds] for name in runs if name != baseline
    }
    used = {seed for own in common.values() for seed in own}
    known = {name: own for name, own in {baseline: used, **common}.items() if own}
    if not used:
        return {}
    selected = {name: {seed: runs[name][seed] for seed in own} for name, own in known.items()}
    return {one.name: one for one in differences(selected, baseline)}


def common_seeds(
    runs: dict[str, dict[int, NDArray[Any]]], name: str, baseline: str
) -> list[int]:
    """Return the seeds that a variant has in common with the baseline, in order."""
    return [seed for seed in runs[name] if seed in runs[baseline]]


def sequential_holm(p: NDArray[Any], looks: tuple[int, ...], alpha: float) -> NDArray[np.bool_]:
    """Return which hypotheses one-sided tests at several looks reject.

    Shape:
        `p`: ``(hypotheses, looks)``, with 1 where there was no look.

    Args:
        p: The p-values.
        looks: Numbers of seeds.
        alpha: Probability of at least one wrong rejection.
    """
    return holm(lambda each: np.any(p <= levels(each, looks), axis=1), len(p), alpha)


def undecided(seeds: int, looks: tuple[int, ...]) -> Decision:
    """Return the decision on a variant that no test has decided."""
    return Decision("cannot tell", seeds, next((look for look in looks if look > seeds), None))


def check_looks(looks: Sequence[int]) -> tuple[int, ...]:
    """Return the looks as integers.

    Raises:
        ValueError: If they do not increase, or one is at fewer than 2 seeds.
    """
    checked = tuple(whole(look, "decide: each of the looks", minimum=2) for look in looks)
    if not checked or any(later <= earlier for earlier, later in pairwise(checked)):
        raise ValueError(
            f"decide: looks must be increasing numbers of seeds, such as [3, 4, 5], got "
            f"{[*looks]}."
        )
    return checked
