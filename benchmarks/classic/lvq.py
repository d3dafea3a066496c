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

from benchmarks.timing import alternate, first_use, report
from neuropil.algorithms import GLVQ, GMLVQ, LVQ, LVQ2, LVQ3, LVQ21

FAMILY = (LVQ, LVQ2, LVQ21, LVQ3, GLVQ, GMLVQ)
EPOCHS, PROTOTYPES = 10, 50
ROUNDS = 15


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
