"""Stopping early against the full design: runs, errors and power of simulated studies.

12 variants and a baseline, up to 10 seeds, 10,000 test examples (in 200 groups) and an accuracy
of 93 %, as of CIFAR-10. Values are simulated as by `study_coverage`; the accuracies of seeds
deviate by about 0.25 points. Half of the variants change nothing. The gains of the others have
a standard deviation of 2δ, where δ is the smallest difference that matters. The full design
gives all variants all seeds. The sequential one looks after each seed from the third, stops a
variant when it needs no more, and the baseline with the last. What this saves depends on how
easily the full design finds differences of δ, hence several δ. Last, the false verdicts "helps"
and "hurts" among 12 variants of which none does, with the 400 examples of `study_coverage`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import ndtri

from benchmarks.study_coverage import (
    DIFFICULTY,
    NAMES,
    OWN_DIFFICULTY,
    VARIANTS,
    by_seed,
    correct,
    signs,
    studies,
    wrong_signs,
)
from benchmarks.timing import report
from neuropil.study.estimates.differences import differences
from neuropil.study.estimates.looks import decide
from neuropil.study.estimates.verdicts import verdicts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from neuropil.study.estimates.verdicts import Verdict

    Outcomes = dict[str, dict[int, NDArray[Any]]]
    # The true gains, the verdicts and the number of runs.
    Result = tuple[NDArray[Any], Mapping[str, Verdict], int]

SEEDS, FIRST = 10, 3
LOOKS = range(FIRST, SEEDS + 1)
EXAMPLES, GROUPS = 10_000, 200
ACCURACY, DEVIATION = 0.93, 0.03
SMALLEST = (0.005, 0.0075, 0.01)
# The smallest difference that a full design of this size settles almost always; with it, the
# sequential design is to save half of the runs.
SETTLED, FEWER = 0.0075, 2.0
FALSE = 0.065


def main(json: str | None = None, rounds: int = 200) -> None:
    """Print two rows per smallest difference; `rounds` is the number of studies of each."""
    print(f"{rounds:,} studies a row; wrong: % of studies with a wrong verdict of this kind\n"
          f"{'δ':>5} {'design':10} {'runs':>6} {'wrong helps, hurts':>19} "
          f"{'wrong no difference':>20} {'found of ≥ δ':>13} {'null settled':>13}")  # fmt: skip
    rows = [row for smallest in SMALLEST for row in compare(smallest, rounds)]
    print(f"studies of {5 * rounds:,} null families with a false 'helps' or 'hurts'")
    null = [null_families(kind, 5 * rounds) for kind in ("large", "spread", "unstable")]
    report("study_looks", {"rounds": rounds, "rows": rows, "null": null}, json)


def compare(smallest: float, rounds: int) -> list[dict[str, Any]]:
    """Simulate studies, decide them by both designs, and print how these did."""
    rng = np.random.default_rng(0)
    designs: dict[str, list[Result]] = {"full": [], "sequential": []}
    for _ in range(rounds):
        truth, outcomes = study(rng, smallest)
        full = verdicts(differences(outcomes), smallest)
        designs["full"].append((truth, full, len(NAMES) * SEEDS))
        designs["sequential"].append((truth, *sequential(outcomes, smallest)))
    rows = [
        {"smallest": smallest, "design": name, **summary(results, smallest)}
        for name, results in designs.items()
    ]
    for row in rows:
        print(f"{100 * smallest:5.2f} {row['design']:10} {row['runs']:6.1f} "
              f"{row['wrong sign']:19.1%} {row['wrong equal']:20.1%} {row['found']:13.1%} "
              f"{row['settled']:13.1%}")  # fmt: skip
    fewer = rows[0]["runs"] / rows[1]["runs"]
    asked = f", asked {FEWER}: {'yes' if fewer >= FEWER else 'NO'}" * (smallest == SETTLED)
    print(f"      {fewer:.2f} times fewer runs{asked}", flush=True)
    return rows


def null_families(kind: str, rounds: int) -> dict[str, Any]:
    """Print how many studies find a difference where there is none, by both designs."""
    rng = np.random.default_rng(0)
    false = {"full": 0, "sequential": 0}
    for truth, values in studies(rng, SEEDS, kind, "null", rounds):
        outcomes = by_seed(values)
        decisions = decide(outcomes, looks=LOOKS, smallest=SMALLEST[0])
        early: dict[str, Verdict] = {name: one.verdict for name, one in decisions.items()}
        false["sequential"] += wrong_signs(early, truth)
        false["full"] += wrong_signs(verdicts(differences(outcomes), SMALLEST[0]), truth)
    found = {name: count / rounds for name, count in false.items()}
    fine = "yes" if max(found.values()) <= FALSE else "NO"
    print(f"{kind:10} full {found['full']:.1%}, sequential {found['sequential']:.1%}, "
          f"at most {FALSE:.1%}: {fine}", flush=True)  # fmt: skip
    return {"kind": kind, **found}


def study(rng: np.random.Generator, smallest: float) -> tuple[NDArray[Any], Outcomes]:
    """Return the true gains and the values of a study, averaged over groups of examples."""
    gains = rng.normal(0, 2 * smallest, VARIANTS)
    gains[: VARIANTS // 2] = 0
    accuracies = np.clip(ACCURACY + np.array([0, *gains]), 0.01, 0.999)
    deviations = np.full(VARIANTS + 1, DEVIATION)
    spread = np.sqrt(1 + deviations**2 + DIFFICULTY**2 + OWN_DIFFICULTY**2)
    values = correct(rng, ndtri(accuracies) * spread, deviations, SEEDS, EXAMPLES)
    groups = values.reshape(*values.shape[:2], GROUPS, -1).mean(axis=3)
    return accuracies[1:] - accuracies[0], by_seed(groups)


def sequential(outcomes: Outcomes, smallest: float) -> tuple[dict[str, Verdict], int]:
    """Return the verdicts of a study that stops early, and its number of runs."""
    seeds = dict.fromkeys(NAMES, FIRST)
    while True:
        known = {name: {s: outcomes[name][s] for s in range(seeds[name])} for name in NAMES}
        decisions = decide(known, looks=LOOKS, smallest=smallest)
        needed = {name: one.next_look for name, one in decisions.items() if one.next_look}
        if not needed:
            return {name: one.verdict for name, one in decisions.items()}, sum(seeds.values())
        seeds.update(needed, baseline=max(seeds["baseline"], *needed.values()))


def summary(results: list[Result], smallest: float) -> dict[str, float]:
    """Return the mean number of runs, the wrong and the right verdicts."""
    truth = np.array([gains for gains, _, _ in results])
    different = np.array([signs(said) for _, said, _ in results])
    equal = np.array([[v == "no difference" for v in said.values()] for _, said, _ in results])
    large = np.abs(truth) >= smallest
    return {
        "runs": float(np.mean([runs for _, _, runs in results])),
        "wrong sign": float(np.mean([wrong_signs(said, gains) for gains, said, _ in results])),
        "wrong equal": float((equal & large).any(axis=1).mean()),
        "found": float((different == np.sign(truth))[large].mean()),
        "settled": float(equal[truth == 0].mean()),
    }
