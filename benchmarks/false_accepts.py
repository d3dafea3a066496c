"""Does a fitted threshold keep its promise? Samples of people from simulated populations.

A population is 10,000 people with embeddings of 32 numbers, scaled to unit length: the centre
of the person and noise, of which some people have three times as much as others. In the
population "differing" a twelfth of the people are near the middle and so like everybody, and a
fifth come in families of five. In "groups" there are four groups, of which the smaller ones are
more alike; in "collapsed" a twentieth of the people have nearly the same embeddings. Every
round draws new people with five pictures each and fits a threshold to them; the true rate is
that of all people of the population at this threshold. "Simple" is the mean true rate at the
distance where the pairs of pictures that were seen have the wanted rate. Beside our interval
are the usual bootstrap over pairs of pictures and that over people, in which nobody is paired
with themselves.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from benchmarks.timing import report
from neuropil.vision import fit_threshold, verification_curve

if TYPE_CHECKING:
    from numpy.typing import NDArray

PEOPLE, SIZE, PICTURES = 10_000, 32, 5
FAMILY, MIDDLE = 5, 1.5
# People seen, wanted rate, enrolled people.
CELLS = ((10, 0.1, 1), (10, 0.03, 1), (40, 0.02, 1), (40, 0.002, 1), (40, 0.05, 5))
KINDS = ("differing", "groups", "collapsed")
RESAMPLES = 500
COVERAGE = 0.93
# The population is compared at distances up to 2 in these steps.
STEPS = 1000


class Population(NamedTuple):
    """People: the centre of each, the size of its noise, and that of each number."""

    centers: NDArray[Any]
    noise: NDArray[Any]
    scale: NDArray[Any]

    def pictures(
        self, rng: np.random.Generator, people: NDArray[Any], count: int
    ) -> NDArray[Any]:
        """Return embeddings of some people, (people, count, 32)."""
        shape = (len(people), count, SIZE)
        noise = rng.standard_normal(shape, dtype=np.float32) * self.scale
        rows = self.centers[people, None] + self.noise[people, None, None] * noise
        return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def main(json: str | None = None, rounds: int = 1000) -> None:
    """Print a row per population and cell; `rounds` is the number of fits in each."""
    begun = time.process_time()
    print(
        f"{rounds:,} fits a row: coverage of 95 % intervals, of ours and bootstraps over pairs"
    )
    print(
        "and over people; mean true rate of ours and of the simple way, and width of ours, all"
    )
    print("as multiples of the wanted rate")
    print(f"{'population':11} {'seen':>4} {'enrolled':>8} {'rate':>6} {'ours':>6} {'pairs':>6} "
          f"{'people':>6} {'mean true rate':>14} {'simple':>12} {'width':>6}")  # fmt: skip
    found = []
    for kind in KINDS:
        rng = np.random.default_rng(0)
        population = make(rng, kind)
        shares = accepted_shares(rng, population)
        for cell in CELLS:
            found.append({"kind": kind, **one_cell(rng, population, shares, *cell, rounds)})
            show(found[-1])
    print(f"{time.process_time() - begun:.0f} processor seconds")
    report("false_accepts", {"rounds": rounds, "cells": found}, json)


def make(rng: np.random.Generator, kind: str) -> Population:
    """Return a population."""
    scale = 1 / np.sqrt(1 + np.arange(SIZE) / 6)
    own = rng.normal(size=(PEOPLE, SIZE)) * scale
    noise = 0.45 * np.exp(rng.normal(0, 0.35, PEOPLE))
    if kind == "differing":
        near, family = PEOPLE // 12, PEOPLE // 5
        own[:near] *= rng.uniform(0.2, 0.8, (near, 1))
        parents = own[near : near + family : FAMILY].repeat(FAMILY, axis=0)
        own[near : near + family] = 0.8 * parents + 0.6 * own[near : near + family]
    elif kind == "groups":
        group = rng.choice(4, PEOPLE, p=[0.7, 0.2, 0.07, 0.03])
        alike = np.array([0.2, 0.7, 0.8, 0.95])[group, None]
        common = rng.normal(size=(4, SIZE)) * scale
        own = alike * common[group] + np.sqrt(1 - alike**2) * own
    else:
        own[: PEOPLE // 20] *= 0.05
        noise[: PEOPLE // 20] *= 0.5
    middle = MIDDLE * (np.arange(SIZE) == SIZE // 2)
    parts = (own + middle, noise, scale)
    return Population(*(part.astype(np.float32) for part in parts))


def accepted_shares(rng: np.random.Generator, population: Population) -> NDArray[Any]:
    """Return the share of all others who accept each person, (people, STEPS + 1)."""
    everybody = np.arange(PEOPLE)
    asking, enrolled = (population.pictures(rng, everybody, 1)[:, 0] for _ in range(2))
    counts = np.zeros((PEOPLE, STEPS + 1), np.float32)
    for start in range(0, PEOPLE, 500):
        block = 2 - 2 * asking[start : start + 500] @ enrolled.T
        places = np.ceil(np.sqrt(np.maximum(block, 0)) * (STEPS / 2)).astype(np.int32)
        rows = np.arange(len(block))[:, None]
        # Nobody is a stranger to themselves.
        places[rows[:, 0], start + rows[:, 0]] = STEPS
        places = np.minimum(places, STEPS) + (STEPS + 1) * rows
        held = np.bincount(places.ravel(), minlength=len(block) * (STEPS + 1))
        counts[start : start + 500] = held.reshape(len(block), STEPS + 1).cumsum(axis=1)
    return counts / (PEOPLE - 1)


def one_cell(
    rng: np.random.Generator, population: Population, shares: NDArray[Any],
    seen: int, far: float, enrolled: int, rounds: int,
) -> dict[str, Any]:  # fmt: skip
    """Return the figures of fits to samples of one size."""
    rates = (1 - (1 - shares) ** enrolled).mean(axis=0)
    steps = np.linspace(0, 2, STEPS + 1)
    people = np.arange(seen).repeat(PICTURES)
    rows: list[tuple[float, ...]] = []
    for _ in range(rounds):
        drawn = rng.choice(PEOPLE, seen, replace=False)
        embeddings = population.pictures(rng, drawn, PICTURES).reshape(-1, SIZE)
        found = fit_threshold(embeddings, people, far=far, enrolled=enrolled)
        curve = verification_curve(embeddings, people)
        simple = curve.distances[np.argmax(curve.false_accepts > far) - 1]
        true, of_simple = np.interp([found.distance, simple], steps, rates)
        pairs, resampled = bootstraps(rng, embeddings, seen, found.distance)
        rows.append((true, of_simple, found.low, found.high, *pairs, *resampled))
    columns = np.array(rows).T
    true, ends = columns[0], columns[2:].reshape(3, 2, -1)
    held = ((ends[:, 0] <= true) & (true <= ends[:, 1])).mean(axis=1)
    means, errors = columns[:2].mean(axis=1) / far, columns[:2].std(axis=1) / far
    return {
        "seen": seen, "far": far, "enrolled": enrolled,
        **dict(zip(("ours", "pairs", "people"), held.tolist(), strict=True)),
        "mean": means[0], "error": errors[0] / np.sqrt(rounds),
        "simple": means[1], "simple error": errors[1] / np.sqrt(rounds),
        "width": float((ends[0, 1] - ends[0, 0]).mean() / far),
    }  # fmt: skip


def bootstraps(
    rng: np.random.Generator, embeddings: NDArray[Any], seen: int, distance: float
) -> NDArray[Any]:
    """Return the intervals of the rate at a distance, for one enrolled person, (2, 2)."""
    near = 2 - 2 * embeddings @ embeddings.T <= distance**2
    accepted = near.reshape(seen, PICTURES, seen, PICTURES).mean(axis=(1, 3))
    np.fill_diagonal(accepted, 0)
    pairs = seen * (seen - 1) // 2 * PICTURES**2
    of_pairs = rng.binomial(pairs, accepted.sum() / (seen * (seen - 1)), RESAMPLES) / pairs
    times = rng.multinomial(seen, np.full(seen, 1 / seen), RESAMPLES)
    drawn = np.maximum(seen**2 - (times**2).sum(axis=1), 1)
    of_people = ((times @ accepted) * times).sum(axis=1) / drawn
    return np.quantile([of_pairs, of_people], [0.025, 0.975], axis=1).T


def show(found: dict[str, Any]) -> None:
    """Print a row, with the bars that it misses."""
    misses = {
        "coverage": found["ours"] < COVERAGE,
        "rate": found["mean"] - 2 * found["error"] > 1,
    }
    missed = ", ".join(name for name, miss in misses.items() if miss)
    boots = " ".join(
        f"{found[name]:6.1%}" if found["enrolled"] == 1 else " " * 6
        for name in ("pairs", "people")
    )
    print(f"{found['kind']:11} {found['seen']:4} {found['enrolled']:8} {found['far']:6} "
          f"{found['ours']:6.1%} {boots} {found['mean']:8.2f} ± {found['error']:.2f} "
          f"{found['simple']:6.2f} ± {found['simple error']:.2f} {found['width']:6.2f} "
          f"{'NO: ' + missed if missed else ''}".rstrip(), flush=True)  # fmt: skip
