"""Restricted Boltzmann machines beside scikit-learn's: time, and the same pseudo-likelihood.

Both have the same type, batches, rate, epochs and one thread. The rate does not fall, since
scikit-learn's cannot; with our default, which does, the likelihood is shown beside.
"""

from __future__ import annotations

import gzip
import os
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_digits
from sklearn.neural_network import BernoulliRBM
from threadpoolctl import threadpool_limits

from benchmarks.timing import alternate, ratio, report
from neuropil.classic import RBM

MNIST_ROWS = 5000
# Data, hidden units, rows of a batch, epochs, and the ratio of times that is allowed.
CASES = {
    "digits 64 → 100, batch 10": ("digits", 100, 10, 10, 0.5),
    "MNIST 784 → 500, batch 10": ("mnist", 500, 10, 1, 0.6),
    "MNIST 784 → 500, batch 100": ("mnist", 500, 100, 2, 0.9),
}


def main(json: str | None = None, rounds: int = 5) -> None:
    """Print ratios of times and pseudo-likelihoods, and exact beside annealed partitions."""
    with threadpool_limits(1):
        cases = {
            f"{name}, {dtype}": case(name, dtype, rounds)
            for name in CASES
            for dtype in ("float32", "float64")
        }
        partitions = [partition(seed) for seed in range(3)]
    report("classic.boltzmann", {"cases": cases, "partitions": partitions}, json)


def case(name: str, dtype: str, rounds: int) -> dict[str, Any]:
    data, n_hidden, batch_size, epochs, allowed = CASES[name]
    X = (pictures() if data == "mnist" else load_digits().data / 16).astype(dtype)
    shared: dict[str, Any] = {"batch_size": batch_size, "random_state": 0}
    ours = RBM(n_hidden, lr=0.05, n_epochs=epochs, binarize=None, decay=False, **shared)
    peer = BernoulliRBM(n_hidden, learning_rate=0.05, n_iter=epochs, **shared)
    times = alternate(
        {"ours": lambda: ours.fit(X), "scikit-learn": lambda: peer.fit(X)}, rounds=rounds
    )
    found = ratio(times["ours"], times["scikit-learn"])
    figures = quality(X, ours, peer, seeds=5 if data == "digits" else 1)
    verdict = "" if found.median <= allowed else "TOO SLOW"
    print(
        f"{name}, {dtype}: ratio {found} of {times['scikit-learn'].median:.2f} s; "
        f"pseudo-likelihood {figures['ours']:.2f} ({figures['ours, falling rate']:.2f} with a "
        f"falling rate), theirs {figures['scikit-learn']:.2f} {verdict}"
    )
    return {"ratio": vars(found), "pseudo-likelihood": figures}


def quality(X: np.ndarray, ours: RBM, peer: BernoulliRBM, seeds: int) -> dict[str, float]:
    """Return mean pseudo-likelihoods over seeds, by scikit-learn's measure of the weights."""
    scores: dict[str, list[float]] = {}
    for seed in range(seeds):
        peer.set_params(random_state=seed).fit(X)
        scores.setdefault("scikit-learn", []).append(peer.score_samples(X).mean())
        for name, decay in (("ours", False), ("ours, falling rate", True)):
            ours.set_params(random_state=seed, decay=decay).fit(X)
            for weights in ("components_", "intercept_hidden_", "intercept_visible_"):
                setattr(peer, weights, getattr(ours, weights))
            # The same seed flips the same bits.
            scores.setdefault(name, []).append(peer.score_samples(X).mean())
    return {name: float(np.mean(values)) for name, values in scores.items()}


def partition(seed: int) -> dict[str, float]:
    """Return log Z of a machine with 20 hidden units, exact and annealed."""
    X = load_digits().data > 7.5
    machine = RBM(20, n_epochs=20, random_state=seed).fit(X)
    both = {method: machine.log_partition(method) for method in ("exact", "annealed")}
    print(
        f"digits 64 → 20, seed {seed}: log Z {both['exact']:.3f} exact, "
        f"{both['annealed']:.3f} annealed; log-likelihood {machine.score(X):.2f}"
    )
    return both


def pictures() -> np.ndarray:
    """Return the first pictures of MNIST, from 0 to 1."""
    folder = Path(os.environ.get("NEUROPIL_DATA", "../shared/data")) / "mnist"
    with gzip.open(folder / "train-images-idx3-ubyte.gz") as file:
        raw = file.read(16 + MNIST_ROWS * 784)
    return np.frombuffer(raw, np.uint8, offset=16).reshape(-1, 784) / 255


if __name__ == "__main__":
    main()
