"""A million rows streamed through Oja's and Sanger's rule, in a process that does only that.

``python -m benchmarks.classic.oja_stream reference|learn SPECTRUM FILE ROWS`` writes the
subspace of the rows' SVD to a file, or prints how far from it each rule is, pass by pass.
"""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.memory import peak

if TYPE_CHECKING:
    from collections.abc import Iterator

FEATURES, COMPONENTS, BLOCK, PASSES = 784, 5, 1000, 5
SPECTRA = {
    "equal": np.where(np.arange(FEATURES) < COMPONENTS, 1.0, 0.1),
    "power": 1 / np.arange(1.0, FEATURES + 1),
}


def blocks(spectrum: str, rows: int) -> Iterator[np.ndarray]:
    """Return rows of these variances along turned axes, the same at each pass."""
    deviations = np.sqrt(SPECTRA[spectrum]).astype(np.float32)
    mirrors = np.random.default_rng(1).standard_normal((2, FEATURES), dtype=np.float32)
    mirrors /= np.linalg.norm(mirrors, axis=1, keepdims=True)
    for number in range(rows // BLOCK):
        rng = np.random.default_rng((0, number))
        X = rng.standard_normal((BLOCK, FEATURES), dtype=np.float32)
        X *= deviations
        for mirror in mirrors:
            X -= (X @ mirror)[:, None] * (2 * mirror)
        X += np.float32(3)
        yield X


def reference(spectrum: str, rows: int) -> np.ndarray:
    """Return the right singular vectors of the centred rows, the leading ones."""
    products, sums = np.zeros((FEATURES, FEATURES)), np.zeros(FEATURES)
    for block in blocks(spectrum, rows):
        X = block - np.float32(3)  # near the mean, for precision's sake
        products += X.T @ X
        sums += X.sum(axis=0, dtype=np.float64)
    covariance = products - np.outer(sums, sums) / rows
    return np.linalg.eigh(covariance)[1][:, ::-1][:, :COMPONENTS]


def learn(spectrum: str, rows: int, known: np.ndarray) -> dict[str, Any]:
    """Return the largest angle of each rule after each pass, its seconds, and peak memory."""
    from scipy.linalg import subspace_angles

    from neuropil.classic import Oja

    rules = ("oja", "sanger")
    models = {
        rule: Oja(COMPONENTS, rule=rule, batch_size=BLOCK, random_state=0) for rule in rules
    }
    found = {rule: {"angles": [], "seconds": 0.0} for rule in models}
    for _ in range(PASSES):
        for X in blocks(spectrum, rows):
            for rule, model in models.items():
                start = time.perf_counter()
                model.partial_fit(X)
                found[rule]["seconds"] += time.perf_counter() - start
        for rule, model in models.items():
            angle = float(subspace_angles(model.components_.T, known).max())
            found[rule]["angles"].append(angle)
    return found | {"peak, MB": peak() / 2**20}


if __name__ == "__main__":
    task, name, file, size = sys.argv[1:]
    if task == "reference":
        np.save(file, reference(name, int(size)))
    else:
        print(json.dumps(learn(name, int(size), np.load(file))))
