"""Do a study's 95 % intervals hold the truth? Simulated studies of 12 variants, 3 and 5 seeds.

Values are 1 where a latent score μ_v + a_vs + b_i + c_vi + e_vsi is positive: a seed's deviation
a (a quarter of its variance common to all variants), the difficulty b of an example, what it is
to one variant c, and the rest e. All are normal, so that the expected accuracy is
Φ(μ_v / √(1 + σ_a² + σ_b² + σ_c²)) and μ_v is chosen for the accuracy that is wanted. Every study
draws new seeds and new examples. Beside ours: the same without shared variances, and the usual
bootstrap over examples of the mean over seeds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import ndtri

from benchmarks.timing import report
from neuropil.study.estimates.differences import differences
from neuropil.study.estimates.verdicts import verdicts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

VARIANTS, EXAMPLES = 12, 400
NAMES = ["baseline", *(f"variant {number}" for number in range(1, VARIANTS + 1))]
ACCURACY, GAINS = 0.8, 0.02
# Standard deviations of the latent scores, of which the rest has 1.
DIFFICULTY, OWN_DIFFICULTY = 2.0, 0.5
SMALL, LARGE = 0.03, 0.25
# The share of a seed's variance that all variants have in common.
COMMON = 0.25
RESAMPLES = 1000
SMALLEST = 0.005
KINDS = ("small", "large", "spread", "unstable", "unstable baseline")
EACH, ALL, FALSE, WIDTH = (0.92, 0.97), (0.93, 0.97), 0.065, 0.8
UNSTABLE = {3: 0.88, 5: 0.92}


def main(json: str | None = None, rounds: int = 1000) -> None:
    """Print a row per cell; `rounds` is the number of studies in each."""
    rng = np.random.default_rng(0)
    print(f"{rounds:,} studies a cell; 'helps' or 'hurts' among null variants, in % of studies")
    print(f"{'seeds':5} {'deviations':18} {'gains':5} {'ours':>6} {'alone':>6} {'boot':>6} "
          f"{'unstable':>8} {'width':>6} {'false':>6}")  # fmt: skip
    cells = [
        cell(rng, seeds, kind, gains, rounds)
        for seeds in (3, 5)
        for kind in KINDS
        for gains in ("null", "real")
    ]
    asked = [one for one in cells if one["kind"] != "unstable baseline"]
    together = float(np.mean([one["ours"] for one in asked]))
    low, high = ALL
    print(f"all cells but those of an unstable baseline: {together:.1%}, to be from {low:.0%} "
          f"to {high:.0%}: {'yes' if low <= together <= high else 'NO'}")  # fmt: skip
    report("study_coverage", {"rounds": rounds, "together": together, "cells": cells}, json)


def cell(
    rng: np.random.Generator, seeds: int, kind: str, gains: str, rounds: int
) -> dict[str, Any]:
    """Simulate studies of one kind and print how often intervals hold the truth."""
    held: dict[str, list[NDArray[Any]]] = {"ours": [], "alone": [], "bootstrap": []}
    widths: dict[str, list[float]] = {"ours": [], "alone": []}
    false = 0
    counts = rng.multinomial(EXAMPLES, np.full(EXAMPLES, 1 / EXAMPLES), RESAMPLES) / EXAMPLES
    for truth, values in studies(rng, seeds, kind, gains, rounds):
        outcomes = {name: dict(enumerate(runs)) for name, runs in zip(NAMES, values, strict=True)}
        ours = differences(outcomes)
        alone = [
            differences({name: outcomes[name] for name in ("baseline", variant)})[0]
            for variant in NAMES[1:]
        ]
        for name, found in (("ours", ours), ("alone", alone)):
            ends = np.array([[one.low, one.high] for one in found])
            held[name].append((ends[:, 0] <= truth) & (truth <= ends[:, 1]))
            widths[name].append(float(np.diff(ends).mean()))
        means = (values[1:] - values[:1]).mean(axis=1)
        low, high = np.quantile(counts @ means.T, (0.025, 0.975), axis=0)
        held["bootstrap"].append((low <= truth) & (truth <= high))
        said = verdicts(ours, SMALLEST)
        false += any(
            said[name] in ("helps", "hurts") and gain == 0
            for name, gain in zip(NAMES[1:], truth, strict=True)
        )
    found = {
        "seeds": seeds, "kind": kind, "gains": gains,
        **{name: float(np.mean(each)) for name, each in held.items()},
        "unstable": float(np.mean([each[0] for each in held["ours"]])),
        "width": float(np.mean(widths["ours"]) / np.mean(widths["alone"])),
        "false": false / rounds,
    }  # fmt: skip
    show(found)
    return found


def studies(
    rng: np.random.Generator, seeds: int, kind: str, gains: str, rounds: int
) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    """Yield the true gains of the variants and the values, (variants + 1, seeds, examples)."""
    for _ in range(rounds):
        gain = rng.normal(0, GAINS, VARIANTS) if gains == "real" else np.zeros(VARIANTS)
        deviations = np.full(VARIANTS + 1, SMALL if kind == "small" else LARGE)
        if kind == "spread":
            deviations = deviations * np.exp(rng.normal(0, 0.4, VARIANTS + 1))
        elif kind.startswith("unstable"):
            deviations[0 if kind == "unstable baseline" else 1] *= 3
        spread = np.sqrt(1 + deviations**2 + DIFFICULTY**2 + OWN_DIFFICULTY**2)
        middle = ndtri(ACCURACY + np.array([0, *gain])) * spread
        yield gain, correct(rng, middle, deviations, seeds)


def correct(
    rng: np.random.Generator, middle: NDArray[Any], deviations: NDArray[Any], seeds: int
) -> NDArray[Any]:
    """Return which examples the runs of one study classify correctly."""
    count = len(middle)
    own, common = rng.normal(size=(count, seeds)), rng.normal(size=seeds)
    runs = deviations[:, None] * (np.sqrt(1 - COMMON) * own + np.sqrt(COMMON) * common)
    examples = DIFFICULTY * rng.normal(size=EXAMPLES)
    examples = examples + OWN_DIFFICULTY * rng.normal(size=(count, EXAMPLES))
    rest = rng.standard_normal((count, seeds, EXAMPLES), dtype=np.float32)
    scores = (middle[:, None] + runs)[:, :, None] + examples[:, None] + rest
    return (scores > 0).astype(float)


def show(found: Mapping[str, Any]) -> None:
    """Print a row, with what it misses of the bars."""
    dominated = found["seeds"] == 3 and found["kind"] in ("large", "spread", "unstable")
    misses = {
        "coverage": not EACH[0] <= found["ours"] <= EACH[1],
        "unstable": found["kind"] == "unstable" and found["unstable"] < UNSTABLE[found["seeds"]],
        "width": found["width"] > (WIDTH if dominated else 1),
        "false": found["gains"] == "null" and found["false"] > FALSE,
    }  # fmt: skip
    missed = ", ".join(name for name, miss in misses.items() if miss)
    note = "beyond the bars" if found["kind"] == "unstable baseline" else missed and f"NO: {missed}"
    unstable = f"{found['unstable']:8.1%}" if found["kind"] == "unstable" else " " * 8
    print(f"{found['seeds']:5} {found['kind']:18} {found['gains']:5} {found['ours']:6.1%} "
          f"{found['alone']:6.1%} {found['bootstrap']:6.1%} {unstable} {found['width']:6.2f} "
          f"{found['false']:6.1%} {note}", flush=True)  # fmt: skip
