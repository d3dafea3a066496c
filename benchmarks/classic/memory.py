"""Associative memories: Hopfield beside a per-unit NumPy loop, CMAC beside a dictionary."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from benchmarks.timing import alternate, ratio, report
from neuropil.classic import CMAC, DiscreteHopfieldNetwork

UNITS, PATTERNS, PROBES, FLIPPED = 784, 20, 200, 0.1
# Levels of 0.01 over a full turn, as the published figure of 0.0024 has them.
WIDTH, LEVELS, RATE, EPOCHS = 64, 628, 0.2, 100
UPDATES = 1_000_000
SEEDS = 3


def main(json: str | None = None) -> None:
    """Print what is recalled, how fast, and how much a network holds."""
    figures = {
        "recall": recall(),
        "energy": energy(),
        "capacity": capacity(),
        "cmac": sine(),
    }
    report("classic.memory", figures, json)


def recall() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    patterns = rng.choice([-1.0, 1.0], (PATTERNS, UNITS))
    expected = patterns[np.arange(PROBES) % PATTERNS]
    probes = np.where(rng.random(expected.shape) < FLIPPED, -1, 1) * expected
    network = DiscreteHopfieldNetwork(random_state=0)
    first = elapsed(lambda: network.fit(patterns).transform(probes))
    contestants = {
        "ours": lambda: network.transform(probes),
        "a NumPy loop over units": lambda: looped(network.weights_, probes),
    }
    timings = alternate(contestants, rounds=7)
    quotient = ratio(*timings.values())
    exact = {
        name: int((run() == expected).all(axis=1).sum()) for name, run in contestants.items()
    }
    print(
        f"Hopfield, {UNITS} units, {PATTERNS} patterns, {FLIPPED:.0%} flipped: of {PROBES} "
        f"recalled {exact['ours']}, by the loop {exact['a NumPy loop over units']}"
    )
    for name, timing in timings.items():
        print(f"  {name:26} {1e3 * timing.median:9.2f} ms")
    print(f"  ratio {quotient}; first call, compiling or loading: {first:.2f} s")
    seconds = {name: timing.seconds for name, timing in timings.items()}
    return {"seconds": seconds, "ratio": quotient.median, "exact": exact, "first": first}


def looped(weights: np.ndarray, probes: np.ndarray) -> np.ndarray:
    """Asynchronous recall as it is written in NumPy: one product a unit."""
    rng, found = np.random.default_rng(0), probes.copy()
    for state in found:
        changed = True
        while changed:
            changed = False
            for unit in rng.permutation(len(state)):
                field = weights[unit] @ state
                if field * state[unit] < 0:
                    state[unit] = -state[unit]
                    changed = True
    return found


def energy() -> dict[str, Any]:
    """Count rises of the energy over asynchronous updates from random states."""
    updates = rises = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        rule = ("hebb", "storkey", "pseudo_inverse")[seed % 3]
        network = DiscreteHopfieldNetwork(rule, random_state=seed)
        network.fit(rng.choice([-1.0, 1.0], (100, 500)))
        for probe in rng.choice([-1.0, 1.0], (30, 500)):
            steps = np.diff(network.recall_path(probe).energies)
            updates, rises = updates + len(steps), rises + int((steps > 0).sum())
    assert updates >= UPDATES
    print(f"energy over {updates} asynchronous updates: {rises} rises")
    return {"updates": updates, "rises": rises}


def capacity() -> dict[str, Any]:
    found = {}
    for n_units in (500, 1000, 2000):
        networks = [DiscreteHopfieldNetwork(random_state=seed) for seed in range(SEEDS)]
        loads = np.arange(0.1, 0.18, 0.01)
        found[n_units] = [network.capacity_curve(n_units, loads).knee for network in networks]
        low, high = min(found[n_units]), max(found[n_units])
        print(
            f"Hebb's knee with {n_units} units: {np.mean(found[n_units]):.4f} n, over {SEEDS} "
            f"seeds from {low:.4f} to {high:.4f}"
        )
    rng = np.random.default_rng(0)
    patterns = rng.choice([-1.0, 1.0], (499, 500))
    inverse = DiscreteHopfieldNetwork("pseudo_inverse", random_state=0).fit(patterns)
    share = inverse.score(patterns)
    print(f"pseudo-inverse, 499 patterns in 500 units: {share:.4f} of them recalled")
    return {"knee": found, "pseudo_inverse": share}


def sine() -> dict[str, Any]:
    x, probes = np.linspace(0, 2 * np.pi, 100), np.linspace(np.pi, 2 * np.pi, 50)
    y, expected = np.sin(x), np.sin(probes)
    model = CMAC(WIDTH, LEVELS, lr=RATE, n_epochs=EPOCHS, random_state=0)
    first = elapsed(lambda: model.fit(x[:, None], y))
    timings = alternate(
        {
            "ours": lambda: model.fit(x[:, None], y).predict(probes[:, None]),
            "a dictionary of cells": lambda: dictionary_of_cells(x, y, probes),
        },
        rounds=7,
    )
    quotient = ratio(*timings.values())
    errors = {
        "ours": float(np.abs(model.predict(probes[:, None]) - expected).mean()),
        "a dictionary of cells": float(
            np.abs(dictionary_of_cells(x, y, probes) - expected).mean()
        ),
    }
    print(f"CMAC on a sine, 100 points, {EPOCHS} epochs, {WIDTH} tilings: mean absolute error")
    for name, timing in timings.items():
        print(f"  {name:26} {1e3 * timing.median:9.2f} ms   error {errors[name]:.5f}")
    print(f"  {1 / quotient.median:.0f} times as fast; first call: {first:.2f} s")
    seconds = {name: timing.seconds for name, timing in timings.items()}
    return {"seconds": seconds, "ratio": quotient.median, "errors": errors, "first": first}


def dictionary_of_cells(x: np.ndarray, y: np.ndarray, probes: np.ndarray) -> np.ndarray:
    """Train and ask a CMAC of one input whose cells are entries of a dictionary."""
    weights: dict[tuple[int, int], float] = {}
    low, step, mean = x.min(), (x.max() - x.min()) / LEVELS, y.mean()

    def touched(value: float) -> list[tuple[int, int]]:
        level = int((value - low) // step)
        return [(tiling, (level + tiling) // WIDTH) for tiling in range(WIDTH)]

    rng, cells = np.random.default_rng(0), [touched(value) for value in x]
    for _ in range(EPOCHS):
        for row in rng.permutation(len(x)):
            error = y[row] - mean - sum(weights.get(cell, 0.0) for cell in cells[row])
            for cell in cells[row]:
                weights[cell] = weights.get(cell, 0.0) + RATE * error / WIDTH
    sums = [sum(weights.get(cell, 0.0) for cell in touched(value)) for value in probes]
    return np.array(sums) + mean


def elapsed(run: Any) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start
