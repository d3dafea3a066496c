"""Do a study's 95 % intervals hold the truth? Simulated studies of 12 variants, 3 and 5 seeds.

Values are 1 where a latent score μ_v + a_vs + b_i + c_vi + e_vsi is positive: a is the
deviation of a seed (a quarter of its variance common to all variants), b the difficulty of an
example, c what it is to one variant, e the rest. All are normal, so that the expected accuracy
is Φ(μ_v / √(1 + σ_a² + σ_b² + σ_c²)), and μ_v is chosen for the accuracy wanted. Every study
draws new seeds and new examples. Beside ours: each variant alone, without shared variances, and
the usual bootstrap over examples of the mean over seeds. An unstable baseline is shown although
no bar holds there: its variance, which all intervals need, is known from its own runs only.
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

    from neuropil.study.estimates.verdicts import Verdict

VARIANTS, EXAMPLES = 12, 400
NAMES = ["baseline", *(f"variant {number}" for number in range(1, VARIANTS + 1))]
ACCURACY, GAINS = 0.8, 0.02
# Standard deviations of the latent scores, of which the rest has 1.
DIFFICULTY, OWN_DIFFICULTY = 2.0, 0.5
SMALL, LARGE = 0.03, 0.2
# The share of a seed's variance that all variants have in common.
COMMON = 0.25
RESAMPLES = 1000
SMALLEST = 0.005
SIGNS = {"helps": 1, "hurts": -1}
KINDS = ("small", "large", "spread", "unstable", "unstable baseline")
EACH, ALL, FALSE, WIDTH = (0.92, 0.97), (0.93, 0.97), 0.065, 0.8
UNSTABLE = {3: 0.88, 5: 0.92}


def main(json: str | None = None, rounds: int = 1000) -> None:
    """Print a row per cell; `rounds` is the number of studies in each."""
    rng = np.random.default_rng(0)
    print(f"{rounds:,} studies a cell: coverage of ours, alone, the bootstrap, and ours of the")
    print("unstable variant; width, ours to alone; studies with a false 'helps' or 'hurts'")
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
        outcomes = by_seed(values)
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
        false += wrong_signs(verdicts(ours, SMALLEST), truth)
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
    rng: np.random.Generator,
    middle: NDArray[Any],
    deviations: NDArray[Any],
    seeds: int,
    count: int = EXAMPLES,
) -> NDArray[Any]:
    """Return which examples the runs of one study classify correctly."""
    variants = len(middle)
    own, common = rng.normal(size=(variants, seeds)), rng.normal(size=seeds)
    runs = deviations[:, None] * (np.sqrt(1 - COMMON) * own + np.sqrt(COMMON) * common)
    examples = DIFFICULTY * rng.normal(size=count)
    examples = examples + OWN_DIFFICULTY * rng.normal(size=(variants, count))
    rest = rng.standard_normal((variants, seeds, count), dtype=np.float32)
    scores = (middle[:, None] + runs)[:, :, None] + examples[:, None] + rest
    return (scores > 0).astype(float)


def by_seed(values: NDArray[Any]) -> dict[str, dict[int, NDArray[Any]]]:
    """Return values (variants + 1, seeds, examples) by variant and seed."""
    return {name: dict(enumerate(runs)) for name, runs in zip(NAMES, values, strict=True)}


def signs(said: Mapping[str, Verdict]) -> NDArray[Any]:
    """Return 1 for each variant that is said to help, -1 for one that hurts, 0 otherwise."""
    return np.array([SIGNS.get(verdict, 0) for verdict in said.values()])


def wrong_signs(said: Mapping[str, Verdict], truth: NDArray[Any]) -> bool:
    """Tell whether a variant is said to help or to hurt and does not."""
    return bool(np.any((signs(said) != 0) & (signs(said) != np.sign(truth))))


def show(found: Mapping[str, Any]) -> None:
    """Print a row, with the bars that it misses."""
    seeds, kind = found["seeds"], found["kind"]
    dominated = seeds == 3 and kind != "small"
    low, high = EACH
    misses = {
        "coverage": not low <= found["ours"] <= high,
        "unstable": kind == "unstable" and found["unstable"] < UNSTABLE[seeds],
        "width": found["width"] > (WIDTH if dominated else 1),
        "false": found["false"] > FALSE,
    }
    missed = ", ".join(name for name, miss in misses.items() if miss)
    note = f"NO: {missed}" if missed and kind != "unstable baseline" else ""
    unstable = f"{found['unstable']:8.1%}" if kind == "unstable" else " " * 8
    print(f"{seeds:5} {kind:18} {found['gains']:5} {found['ours']:6.1%} {found['alone']:6.1%} "
          f"{found['bootstrap']:6.1%} {unstable} {found['width']:6.2f} {found['false']:6.1%} "
          f"{note}", flush=True)  # fmt: skip
