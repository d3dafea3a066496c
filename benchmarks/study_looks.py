"""Stopping early against the full design: runs, errors and power of simulated studies.

12 variants and a baseline, up to 10 seeds, 10,000 test examples (in 500 groups) with an accuracy
of 93 %: the size of CIFAR-10. Outcomes are simulated as by `study_coverage`; the accuracies of
seeds deviate by about 0.2 points. Half of the variants change nothing, the gains of the others
have a standard deviation of 1 point, and the smallest that matters is 0.5. The sequential design
stops a variant when it is decided, and the baseline with the last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import ndtri

from benchmarks import study_coverage
from benchmarks.study_coverage import DIFFICULTY, NAMES, OWN_DIFFICULTY, VARIANTS
from benchmarks.timing import report
from neuropil.study.estimates.differences import differences
from neuropil.study.estimates.looks import decide
from neuropil.study.estimates.verdicts import verdicts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

SEEDS, FIRST = 10, 3
EXAMPLES, GROUPS = 10_000, 500
ACCURACY, DEVIATION, SMALLEST = 0.93, 0.03, 0.005
FEWER = 2.0


def main(json: str | None = None, rounds: int = 300) -> None:
    rng = np.random.default_rng(0)
    studies = []
    for _ in range(rounds):
        truth, outcomes = study(rng)
        full = verdicts(differences(outcomes), SMALLEST)
        early, runs = sequential(outcomes)
        studies.append({"truth": truth, "full": full, "early": early, "runs": runs})
    ...
