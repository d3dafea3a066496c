"""The LVQ family: time for each row, and digits beside sklearn-lvq."""

from __future__ import annotations

import math
import statistics
import warnings
from typing import Any

import numpy as np
from scipy import optimize
from sklearn.datasets import load_digits, make_moons
from sklearn.model_selection import StratifiedShuffleSplit
from sklearn.neighbors import NearestCentroid

from benchmarks.timing import alternate, first_use, report
from neuropil.classic import GLVQ, GMLVQ, LVQ, LVQ2, LVQ3, LVQ21

FAMILY = (LVQ, LVQ2, LVQ21, LVQ3, GLVQ, GMLVQ)
EPOCHS, PROTOTYPES = 10, 50
ROUNDS = 15
# Classes, columns, spread within a class, and how many classes lie far away.
CROWDS = {
    "40 in 2 columns": (40, 2, 0.05, 0),
    "100 in 2 columns": (100, 2, 0.03, 0),
    "40 in 10 columns": (40, 10, 0.55, 0),
    "100 along a line": (100, 1, 0.003, 0),
    "40, one far away": (40, 2, 0.05, 1),
}


def main(json: str | None = None, splits: int = 10, peer: bool = True) -> None:
    """Time the family beside a loop in NumPy, then compare accuracies.

    Args:
        json: Where figures go.
        splits: How many times digits are split.
        peer: Whether sklearn-lvq takes part; its GMLVQ takes most of the time.
    """
    code = "LVQ3().fit(X, y); GLVQ().fit(X, y); GMLVQ().fit(X, y)"
    figures: dict[str, Any] = {"compiling, seconds": first_use(code)}
    print(f"compiling at the first use: {figures['compiling, seconds']:.1f} s")
    figures["microseconds"] = {
        "moons, 20000 x 2": speed(*make_moons(20_000, noise=0.2, random_state=0)),
        "digits, 1797 x 64": speed(*load_digits(return_X_y=True)),
    }
    figures["many classes"] = many_classes(splits)
    figures["digits"] = accuracies(splits, peer=peer)
    report("classic.lvq", figures, json)


def speed(X: np.ndarray, y: np.ndarray) -> dict[str, float]:
    """Return the microseconds that `fit` takes for each row and epoch."""
    each = PROTOTYPES // len(np.unique(y))
    models = {kind.__name__: kind(each, n_epochs=EPOCHS, random_state=0) for kind in FAMILY}
    runs: dict[str, Any] = {
        name: lambda model=model: model.fit(X, y) for name, model in models.items()
    }
    few = slice(0, 2000)
    start = LVQ(each, n_epochs=1, random_state=0).fit(X, y)
    runs["LVQ1 in NumPy"] = lambda: numpy_pass(start, X[few], y[few])
    found = {}
    print(f"{len(X)} x {X.shape[1]}, {PROTOTYPES} prototypes, {EPOCHS} epochs, µs per row:")
    for name, timing in alternate(runs, rounds=ROUNDS).items():
        steps = len(X[few]) if name.endswith("NumPy") else len(X) * EPOCHS
        found[name] = 1e6 * timing.minimum / steps
        print(f"  {name:14} {found[name]:7.3f} (median {1e6 * timing.median / steps:.3f})")
    return found


def numpy_pass(start: LVQ, X: np.ndarray, y: np.ndarray) -> None:
    """Run the rule of LVQ1 as it is usually written."""
    W, labels, rate = start.prototypes_.copy(), start.prototype_labels_, 0.05
    for x, label in zip(X, y, strict=True):
        winner = ((W - x) ** 2).sum(axis=1).argmin()
        sign = 1 if labels[winner] == label else -1
        W[winner] += sign * rate * (x - W[winner])


def many_classes(splits: int) -> dict[str, dict[str, float]]:
    """Return accuracies where classes are many, beside the means of the classes."""
    found: dict[str, dict[str, float]] = {}
    print(f"many classes, one prototype each, {splits} draws, accuracy on new rows:")
    for name, (classes, columns, spread, far) in CROWDS.items():
        scores: dict[str, list[float]] = {}
        for seed in range(splits):
            rng = np.random.default_rng(seed)
            means = rng.normal(size=(classes, columns))
            means[:far] += 1e4
            (X, y), (test, truth) = (crowd(means, spread, rng) for _ in range(2))
            models = {kind.__name__: kind(1, random_state=seed) for kind in FAMILY}
            for label, model in {"means of classes": NearestCentroid(), **models}.items():
                score = model.fit(X, y).score(test, truth)
                scores.setdefault(label, []).append(float(score))
        found[name] = {label: statistics.mean(each) for label, each in scores.items()}
        line = ", ".join(f"{label} {mean:.3f}" for label, mean in found[name].items())
        print(f"  {name:20} {line}")
    return found


def crowd(
    means: np.ndarray, spread: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return 50 rows of each class around its mean."""
    y = np.repeat(np.arange(len(means)), 50)
    return means[y] + rng.normal(0, spread, (len(y), means.shape[1])), y


def accuracies(splits: int, *, peer: bool) -> dict[str, list[float]]:
    """Return the accuracies on a quarter of the digits, split by split."""
    X, y = load_digits(return_X_y=True)
    parts = StratifiedShuffleSplit(splits, test_size=0.25, random_state=0).split(X, y)
    found: dict[str, list[float]] = {}
    for seed, (train, test) in enumerate(parts):
        models = {kind.__name__: kind(5, n_epochs=EPOCHS, random_state=seed) for kind in FAMILY}
        for name, model in {**models, **(peers(seed) if peer else {})}.items():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of the peer, about what it calls
                score = model.fit(X[train], y[train]).score(X[test], y[test])
            found.setdefault(name, []).append(float(score))
    print(f"digits, {PROTOTYPES} prototypes, {splits} splits, seeds 0 to {splits - 1}:")
    for name, scores in found.items():
        print(f"  {name:26} mean {statistics.mean(scores):.4f}, worst {min(scores):.4f}")
    return found


def peers(seed: int) -> dict[str, Any]:
    """Return sklearn-lvq's models, mended so that they run with today's NumPy and SciPy.

    Version 1.1 of 2020 calls `numpy.math`, which is gone, and gives `scipy.optimize.minimize` a
    start that is a matrix. Neither changes what is computed.
    """
    vars(np).setdefault("math", math)
    from sklearn_lvq import GlvqModel, GmlvqModel, glvq, gmlvq

    def minimize(fun: Any, x0: Any, jac: Any, **options: Any) -> Any:
        return optimize.minimize(fun, np.ravel(x0), jac=lambda v: np.ravel(jac(v)), **options)

    glvq.minimize = gmlvq.minimize = minimize
    return {
        "sklearn-lvq GLVQ": GlvqModel(prototypes_per_class=5, random_state=seed),
        "sklearn-lvq GMLVQ, 50 steps": GmlvqModel(
            prototypes_per_class=5, max_iter=50, random_state=seed
        ),
    }
