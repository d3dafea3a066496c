"""Verdicts so far, and the runs that are not needed any more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from neuropil.study.estimates.looks import Decision, decide

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from numpy.typing import NDArray

    Outcomes = Mapping[str, Mapping[int, NDArray[Any]]]

# Seeds with which intervals are usable.
FIRST_LOOK = 3


def looks_of(seeds: int) -> list[int]:
    """Return the numbers of seeds after which verdicts are sought, up to the planned number.

    Example:
        >>> looks_of(6), looks_of(2), looks_of(1)
        ([3, 4, 5, 6], [2], [])
    """
    return [*range(min(FIRST_LOOK, seeds), seeds + 1)] if seeds > 1 else []


@dataclass(frozen=True)
class Standing:
    """The verdicts of a study so far.

    Args:
        decisions: The decision on each variant that needs no more seeds.
        look: The number of seeds of the next look; None if all variants are decided.
    """

    decisions: dict[str, Decision]
    look: int | None

    def unneeded(self, name: str, seeds: int) -> range:
        """Return the seeds of a variant that are not needed any more.

        Args:
            name: The variant.
            seeds: The planned number of seeds.
        """
        known = self.decisions.get(name)
        return range(seeds if known is None else known.seeds, seeds)


def standing(
    outcomes: Outcomes,
    ended: Mapping[str, set[int]],
    names: Sequence[str],
    *,
    baseline: str,
    seeds: int,
    smallest: float,
    level: float,
    given_up: Collection[str] = (),
    earlier: Standing | None = None,
) -> Standing:
    """Return the verdicts so far.

    A look takes place once all runs that it needs have ended, and it uses no others. The result
    therefore does not depend on the order in which the runs ended, nor on the number of
    workers: another worker may already have trained a variant that a look then decides.

    Args:
        outcomes: The values of the runs that are done, by variant and seed; larger is better.
        ended: The seeds of the runs that are done or failed, by variant.
        names: The variants that are compared with the baseline.
        baseline: The name of the baseline.
        seeds: The planned number of seeds.
        smallest: The smallest difference that matters.
        level: The confidence level.
        given_up: Variants for which no look waits, since time is too short for their runs. The
            runs that have ended count, so that giving up one undoes no verdict on others.
        earlier: What fewer of these runs told, whose looks need not be taken again.
    """
    decisions = {} if earlier is None else dict(earlier.decisions)
    taken = 0 if earlier is None else earlier.look or seeds
    looks = looks_of(seeds)
    for look in looks:
        if look < taken:
            continue
        undecided = [name for name in names if name not in decisions]
        awaited = [name for name in undecided if name not in given_up]
        needed = set(range(look))
        if not awaited:
            return Standing(decisions, None)
        if not all(needed <= ended.get(name, set()) for name in (baseline, *awaited)):
            return Standing(decisions, look)
        known = {
            name: {
                seed: outcomes[name][seed]
                for seed in range(decisions[name].seeds if name in decisions else look)
                if seed in outcomes[name]
            }
            for name in (baseline, *names)
            if outcomes.get(name)
        }
        found = decide(known, baseline, looks=looks, smallest=smallest, level=level)
        for name in undecided:
            # A variant all of whose trainings diverged has no outcome to decide by.
            own = found.get(name, Decision("cannot tell", look, None))
            is_last = look == looks[-1] or name not in found
            if own.next_look is None or (is_last and name in awaited):
                decisions[name] = own._replace(seeds=look, next_look=None)
    if looks:
        return Standing(decisions, None)
    awaited = [name for name in names if name not in given_up]
    missing = any(not ended.get(name) for name in (baseline, *awaited))
    undecided = {name: Decision("cannot tell", 1, None) for name in awaited}
    return Standing({} if missing else undecided, 1 if missing else None)
