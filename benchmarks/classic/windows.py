"""GRNN and PNN: time beside the matrix-product form in NumPy, memory, and the widths found."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from benchmarks.memory import peak
from benchmarks.timing import alternate, ratio, report
from neuropil.classic import GRNN, PNN

ALLOWED = 0.4
CLASSES = ("banknote", "seeds", "sonar")
NUMBERS = (
    "abalone",
    "airfoil",
    "auto_mpg",
    "concrete",
    "energy",
    "power_plant",
    "winequality_red",
    "winequality_white",
    "yacht",
)
MOST_ROWS = 1000


def main(json: str | None = None, rounds: int = 15) -> None:
    """Print each part."""
    with threadpool_limits(1):
        figures = {
            "times": [
                timing(dtype, what, rounds)
                for dtype in (np.float64, np.float32)
                for what in ("narrow", "wide")
            ],
            "tables": tables(),
            "digits": digits(),
            "large": large(),
        }
    report("classic.windows", figures, json)


def noisy_digits(n: int, seed: int, dtype: Any) -> np.ndarray:
    """Return digits of 64 pixels, each with noise of its own."""
    rng = np.random.default_rng(seed)
    X = load_digits().data
    return (X[rng.integers(len(X), size=n)] + rng.normal(size=(n, 64))).astype(dtype)


def by_numpy(Q: np.ndarray, X: np.ndarray, y: np.ndarray, sigma: Any) -> np.ndarray:
    """Return the regression as it is usually written, in blocks of 256 queries."""
    answers = []
    with np.errstate(all="ignore"):
        for first in range(0, len(Q), 256):
            q = Q[first : first + 256]
            squares = (q**2).sum(1)[:, None] + (X**2).sum(1) - 2 * q @ X.T
            weights = np.exp(-squares / (2 * sigma**2))
            answers.append(weights @ y / weights.sum(1))
    return np.concatenate(answers)


def timing(dtype: Any, what: str, rounds: int) -> dict[str, Any]:
    """Compare 1,000 queries of 20,000 rows, the windows narrow as found or all-covering."""
    X, Q = noisy_digits(20_000, 0, dtype), noisy_digits(1000, 1, dtype)
    y = (X[:, 20] - 7).astype(dtype)
    found = float(GRNN("shared").fit(X[:2000], y[:2000]).sigma_)
    sigma = dtype(found if what == "narrow" else 40.0)
    network = GRNN(sigma).fit(X, y)
    error = float(np.abs(network.predict(Q[:200]) - by_numpy(Q[:200], X, y, sigma)).max())
    times = alternate(
        {"ours": lambda: network.predict(Q), "NumPy": lambda: by_numpy(Q, X, y, sigma)},
        rounds=rounds,
    )
    part = ratio(times["ours"], times["NumPy"])
    minima = times["ours"].minimum / times["NumPy"].minimum
    print(
        f"{dtype.__name__}, {what} windows (σ = {sigma:.2f}): ratio {part}, "
        f"minima {minima:.3f}, "
        f"{times['ours'].median / 2e7 * 1e9:.1f} ns a pair, largest difference {error:.1e} "
        f"{'' if part.median <= ALLOWED else 'TOO SLOW'}"
    )
    return {
        "dtype": dtype.__name__,
        "windows": what,
        "ratio": vars(part),
        "minima": minima,
    }


def tables() -> dict[str, Any]:
    """Compare widths found by leaving rows out with the median distance to the nearest."""
    figures = {name: table(name) for name in (*CLASSES, *NUMBERS)}
    better = sum(fixed - found > 1e-9 for fixed, found in figures.values())
    print(f"widths found are better than the fixed one on {better} of {len(figures)} tables")
    return figures


def table(name: str) -> tuple[float, float]:
    """Return the errors in ten folds: 1 − accuracy, or 1 − R²."""
    folder = Path(os.environ.get("NEUROPIL_DATA", "../shared/data")) / "tabular"
    frame = pd.read_csv(folder / f"{name}.csv", na_values="?").dropna()
    frame = frame.sample(min(len(frame), MOST_ROWS), random_state=0)
    y, X = frame.iloc[:, -1].to_numpy(), pd.get_dummies(frame.iloc[:, :-1]).to_numpy(float)
    kind, folds = (PNN, StratifiedKFold) if name in CLASSES else (GRNN, KFold)
    errors = []
    for train, test in folds(10, shuffle=True, random_state=0).split(X, y):
        scaler = StandardScaler().fit(X[train])
        A, B = scaler.transform(X[train]), scaler.transform(X[test])
        near = NearestNeighbors(n_neighbors=2).fit(A).kneighbors(A)[0][:, 1]
        fixed = float(np.median(near)) or 1.0
        errors.append([1 - kind(*s).fit(A, y[train]).score(B, y[test]) for s in ([fixed], [])])
    fixed, found = np.mean(errors, axis=0).tolist()
    print(f"{name}: error {found:.4f} with widths found, {fixed:.4f} with the fixed one")
    return fixed, found


def digits() -> float:
    X, y = load_digits(return_X_y=True)
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    accuracy = float(cross_val_score(PNN(), X, y, cv=folds).mean())
    print(f"digits: accuracy {accuracy:.4f} in five folds")
    return accuracy


def large() -> dict[str, float]:
    """Ask 100,000 rows about 100,000."""
    X, Q = noisy_digits(100_000, 0, np.float32), noisy_digits(100_000, 1, np.float32)
    network = GRNN(5.0).fit(X, X[:, 20])
    start = time.perf_counter()
    assert np.isfinite(network.predict(Q)).all()
    seconds = time.perf_counter() - start
    held = peak() / 1e9
    print(
        f"100,000 × 100,000 in float32: {seconds:.0f} s; the process never held more than "
        f"{held:.2f} GB"
    )
    return {"seconds": seconds, "peak_gb": held}


if __name__ == "__main__":
    main()
