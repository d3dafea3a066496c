"""The interaction of two tricks: the gain of both together beyond the sum of their gains."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.study.estimates.differences import differences
from neuropil.study.tricks.trick_pairs import parts_of
from neuropil.study.variant_names import BASELINE

if TYPE_CHECKING:
    from neuropil.study.estimates.differences import Difference
    from neuropil.study.study_state import StudyState


def interaction(name: str, state: StudyState) -> Difference | None:
    r"""Return the interaction of a pair of tricks, with its interval.

    It is :math:`(y_{ab} - y_0) - (y_a - y_0) - (y_b - y_0)` over the seeds that all four share,
    estimated as a difference to the baseline is; see `differences`.

    Args:
        name: The variant.
        state: The state of the study.

    Returns:
        The interaction; None if it is not a pair, or no seed is shared.
    """
    parts = parts_of(name)
    if len(parts) != 2:
        return None
    both, one, other, base = (state.counted(each) for each in (name, *parts, BASELINE))
    seeds = sorted({*both} & {*one} & {*other} & {*base})
    if not seeds:
        return None
    # Its paired difference to the baseline is the interaction.
    contrast = {k: both[k] - one[k] - other[k] + 2 * base[k] for k in seeds}
    known = {BASELINE: {k: base[k] for k in seeds}, name: contrast}
    (found,) = differences(known, BASELINE, level=state.level)
    return found
