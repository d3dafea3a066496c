"""Growing neural gas: time for each row in small and large gases, beside plain Python."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.datasets import make_moons

from benchmarks.timing import alternate, first_use, ratio, report
from neuropil.classic import GrowingNeuralGas

ROWS, ROUNDS = 20_000, 15


def main(json: str | None = None) -> None:
    """Time rows at 100 nodes beside a loop in NumPy, then gases of growing size."""
    figures: dict[str, Any] = {"compiling, seconds": first_use("GrowingNeuralGas().fit(X)")}
    print(f"compiling at the first use: {figures['compiling, seconds']:.1f} s")
    figures |= {"moons": moons(), "sizes": sizes()}
    report("classic.gas", figures, json)


def moons() -> dict[str, Any]:
    """Return time and error on the two moons, with the paper's settings."""
    X, _ = make_moons(2000, noise=0.05, random_state=0)
    found: dict[str, Any] = {}
    errors = [GrowingNeuralGas(random_state=s).fit(X).quantization_error(X) for s in range(10)]
    found["errors"] = errors
    print("two moons, 2000 rows, noise 0.05, 100 nodes, 20 epochs, seeds 0 to 9:")
    print(f"  quantisation error {np.mean(errors):.4f}, worst {max(errors):.4f}")
    gas, few = GrowingNeuralGas(random_state=0), slice(0, 500)
    grown = GrowingNeuralGas(random_state=0).fit(X)
    runs = {
        "ours": lambda: gas.fit(X),
        "NumPy": lambda: numpy_pass(grown, X[few]),
    }
    ours, plain = alternate(runs, rounds=ROUNDS).values()
    found["microseconds"] = 1e6 * ours.minimum / (20 * len(X))
    found["NumPy"] = 1e6 * plain.minimum / len(X[few])
    share = ratio(ours, plain).median * len(X[few]) / (20 * len(X))
    print(
        f"  {found['microseconds']:.2f} µs per row (median {1e6 * ours.median / 40_000:.2f}), "
        f"NumPy {found['NumPy']:.1f}: {share:.3f} of it"
    )
    return found


def sizes() -> dict[str, float]:
    """Return the microseconds of a row by the number of nodes, all of them there."""
    X, _ = make_moons(ROWS, noise=0.05, random_state=0)
    gases = {}
    for nodes in (100, 1000, 10_000):
        gas = GrowingNeuralGas(nodes, insert_every=10, random_state=0)
        for _ in range(2 + 10 * nodes // ROWS):
            gas.partial_fit(X)
        gases[nodes] = gas
    runs = {str(n): lambda gas=gas: gas.partial_fit(X) for n, gas in gases.items()}
    timings = alternate(runs, rounds=ROUNDS)
    found = {name: 1e6 * timing.minimum / ROWS for name, timing in timings.items()}
    for nodes, gas in gases.items():
        print(f"  {len(gas.nodes_)} nodes: {found[str(nodes)]:.2f} µs per row")
    print(f"  10,000 nodes beside 100: {ratio(timings['10000'], timings['100'])}")
    return found


def numpy_pass(gas: GrowingNeuralGas, X: np.ndarray) -> None:
    """Adapt a grown gas as it is usually written: arrays for nodes, a dict of ages."""
    W, errors = gas.nodes_.copy(), np.zeros(len(gas.nodes_))
    ages = {(int(a), int(b)): 0 for edge in gas.edges_ for a, b in (edge, edge[::-1])}
    joined: list[set[int]] = [set() for _ in W]
    for a, b in ages:
        joined[a].add(b)
    for x in X:
        distances = ((W - x) ** 2).sum(axis=1)
        s, t = np.argpartition(distances, 1)[:2].tolist()
        errors[s] += distances[s]
        W[s] += gas.lr * (x - W[s])
        for n in list(joined[s]):
            W[n] += gas.neighbor_lr * (x - W[n])
            ages[s, n] = ages[n, s] = ages[s, n] + 1
            if ages[s, n] > gas.max_age and n != t and len(joined[n]) > 1:
                joined[s].discard(n)
                joined[n].discard(s)
        joined[s].add(t)
        joined[t].add(s)
        ages[s, t] = ages[t, s] = 0
        errors *= gas.error_decay
