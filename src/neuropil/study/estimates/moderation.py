"""Moderated variances of runs: each borrows degrees of freedom from the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.study.estimates.run_variances import run_variances
from neuropil.study.estimates.satterthwaite import MeanSquare
from neuropil.study.estimates.variance_prior import Prior, fit_prior

if TYPE_CHECKING:
    from collections.abc import Mapping

# A variance this improbable under the prior is used alone. A false alarm only widens one
# interval; a miss makes it too narrow.
OWN = 0.15
# One this improbable does not enter the prior either. More of them would make it too small.
LEFT_OUT = 0.01


def moderated_variances(
    runs: Mapping[str, Mapping[int, float]],
) -> tuple[dict[str, MeanSquare], float]:
    """Return the variance over seeds of each variant, shrunk to the mean of all.

    True variances are taken as drawn from a scaled inverse χ² distribution with the mean s₀²
    and d₀ degrees of freedom. The moderated variance s̃²_v = (d₀ s₀² + d_v s²_v) / (d₀ + d_v) of
    an estimate s²_v with d_v degrees of freedom has d₀ + d_v of them. An estimate that is
    clearly larger than the others, by an F test at 15 %, is used alone; at 1 %, it also has no
    influence on the others.

    Args:
        runs: Outcome of each run by variant and seed.

    Returns:
        The variances, and the degrees of freedom of all estimates together, which also limit
        those of each variance and of their sums.

    Reference:
        Smyth (2004), see `prior_degrees`, for moderated variances; B. Phipson et al., "Robust
        hyperparameter estimation protects against hypervariable genes", Annals of Applied
        Statistics 10 (2016), for those that are much larger.

    Example:
        >>> runs = {"a": {0: 1.0, 1: 1.3}, "b": {0: 2.0, 1: 2.5}, "c": {0: 3.0, 1: 3.2}}
        >>> variances, total = moderated_variances(runs)
        >>> [round(one.value, 4) for one in variances.values()]
        [0.009, 0.014, 0.0121]
        >>> round(total, 9)
        2.0
    """
    shared, alone = leave_out(runs)
    known = {**shared, **alone}
    total = sum(one.degrees for one in known.values())
    if total:
        prior = fit_prior(shared.values())
        alone |= {name: one for name, one in shared.items() if prior.is_smaller(one, OWN)}
        for name in runs:
            if name in alone:
                known[name] = undiluted(alone[name], prior, len(runs))
            else:
                value, degrees = prior.moderated(shared[name])
                known[name] = MeanSquare(value, min(degrees, total))
    return {name: known[name] for name in runs}, total


def undiluted(found: MeanSquare, prior: Prior, variants: int) -> MeanSquare:
    """Return the variance of a variant that is larger than that of the others.

    The common effects of the seeds take up a share of it: of V variants the estimate is on
    average ((V − 1) σ²_v + s₀²) / V, which is solved for σ²_v.
    """
    excess = (found.value - prior.variance) / (variants - 1)
    return MeanSquare(found.value + excess, found.degrees)


def leave_out(
    runs: Mapping[str, Mapping[int, float]],
) -> tuple[dict[str, MeanSquare], dict[str, MeanSquare]]:
    """Return the variances that are alike enough to be shared, and those far above them.

    The latter also take no part in the fit that the former come from.
    """
    shared, alone = run_variances(runs), {}
    while sum(one.degrees > 0 for one in shared.values()) > 2:
        largest = max(shared, key=lambda name: shared[name].value)
        rest = run_variances({name: runs[name] for name in shared if name != largest})
        known = any(one.degrees for one in rest.values())
        if not known or not fit_prior(rest.values()).is_smaller(shared[largest], LEFT_OUT):
            break
        alone[largest], shared = shared[largest], rest
    return shared, alone
