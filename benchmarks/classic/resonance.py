"""ART1 and Fuzzy ART beside artlib: the same categories, and how fast they are found."""

from __future__ import annotations

import importlib
import time
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import artlib
import numpy as np

from benchmarks.timing import alternate, ratio, report
from neuropil.classic import ART1, FuzzyART

if TYPE_CHECKING:
    from collections.abc import Callable

SETS = 1000
compiled = importlib.import_module("artlib.optimized.backends.cpp.FuzzyART")


class ART1ByThePaper(artlib.ART1):
    """artlib's ART1 with its two departures from Carpenter and Grossberg (1987) mended.

    Theirs divides the match by the number of columns, not by |I|; and starts a new category
    with bottom-up weights L / (L − 1 + columns), not L / (L − 1 + |I|), until it learns again.
    The choice is worked out from whole numbers, so that equal choices are equal.
    """

    def match_criterion(
        self,
        i: np.ndarray,
        w: np.ndarray,
        params: Any,  # noqa: ARG002 - artlib passes it
        cache: Any = None,
    ) -> Any:
        return np.count_nonzero((i > 0) & (w[self.dim_ :] > 0)) / np.count_nonzero(i), cache

    def category_choice(self, i: np.ndarray, w: np.ndarray, params: dict[str, Any]) -> Any:
        known = w[self.dim_ :] > 0
        return np.count_nonzero((i > 0) & known) / (params["L"] - 1 + known.sum()), None


def main(json: str | None = None) -> None:
    """Count sets with the same categories, and time both on them and on larger ones."""
    report("classic.resonance", {"same": same(), "larger": larger()}, json)


def same() -> dict[str, Any]:
    agreed: dict[str, int] = defaultdict(int)
    seconds: dict[str, float] = defaultdict(float)
    FuzzyART().fit([[0.0], [1.0]])
    for seed in range(SETS):
        for what, labels in (fuzzy_set(seed, seconds) | binary_set(seed, seconds)).items():
            agreed[what] += bool(np.array_equal(*labels))
    for name, count in agreed.items():
        print(f"{name}: the same categories in {count} of {SETS} sets")
    for kind in ("Fuzzy ART", "ART1"):
        faster = seconds[f"{kind}, artlib"] / seconds[f"{kind}, ours"]
        print(f"{kind}: {faster:.0f} times as fast over all sets")
    return {"agreed": dict(agreed), "seconds": dict(seconds)}


def fuzzy_set(seed: int, seconds: dict[str, float]) -> dict[str, tuple[Any, Any]]:
    """Return the labels of both on one random set of rows, every second one full of ties."""
    rng = np.random.default_rng(seed)
    X = rng.random((rng.integers(20, 60), rng.integers(2, 10)))
    X = np.round(5 * X) if seed % 2 else X
    vigilance, choice = rng.uniform(0.3, 0.95), 10 ** rng.uniform(-4, 0)
    epochs = int(rng.integers(1, 4))
    ours = FuzzyART(vigilance, choice, n_epochs=epochs)
    theirs = artlib.FuzzyART(vigilance, choice, 1.0)
    timed(seconds, "Fuzzy ART, ours", lambda: ours.fit(X))
    timed(seconds, "Fuzzy ART, artlib", lambda: fitted(theirs, X, epochs))
    return {"Fuzzy ART": (ours.labels_, theirs.labels_)}


def binary_set(seed: int, seconds: dict[str, float]) -> dict[str, tuple[Any, Any]]:
    """Return the labels of ART1 on one random set of bits, beside three of artlib's."""
    rng = np.random.default_rng(seed)
    bits = rng.integers(0, 2, (rng.integers(20, 60), rng.integers(4, 12)))
    bits = bits[bits.any(axis=1)]
    coded = np.hstack([bits, 1 - bits])
    vigilance, step = rng.uniform(0.3, 0.95), float(rng.choice([1.5, 2.0, 6.0]))
    epochs = int(rng.integers(1, 4))
    # Theirs divides by all columns, of which half are set where bits come with complements.
    ours = ART1(vigilance, step, n_epochs=epochs)
    theirs = artlib.ART1(vigilance / 2, step)
    timed(seconds, "ART1, ours", lambda: ours.fit(coded))
    timed(seconds, "ART1, artlib", lambda: theirs.fit(coded, max_iter=epochs))
    fuzzy = artlib.FuzzyART(vigilance, step - 1, 1.0).fit(coded.astype(float), max_iter=epochs)
    mended = ART1ByThePaper(vigilance, step).fit(bits, max_iter=epochs)
    plain = ART1(vigilance, step, n_epochs=epochs).fit(bits)
    return {
        "ART1, beside artlib's as it is, coded bits": (ours.labels_, theirs.labels_),
        "ART1, beside artlib's Fuzzy ART, coded bits": (ours.labels_, fuzzy.labels_),
        "ART1, beside artlib's by the paper, plain bits": (plain.labels_, mended.labels_),
    }


def larger() -> dict[str, Any]:
    """Time one pass over 1,000 rows of 20 columns in 50 clusters."""
    rng = np.random.default_rng(0)
    X = rng.random((50, 20))[rng.integers(50, size=1000)] + 0.05 * rng.normal(size=(1000, 20))
    bits = (X > 0.5).astype(int)
    coded = np.hstack([bits, 1 - bits])
    contestants: dict[str, Callable[[], Any]] = {
        "Fuzzy ART, ours": lambda: FuzzyART(0.8, n_epochs=1).fit(X),
        "Fuzzy ART, artlib": lambda: fitted(artlib.FuzzyART(0.8, 1e-3, 1.0), X, 1),
        "Fuzzy ART, artlib in C++": lambda: fitted(compiled.FuzzyART(0.8, 1e-3, 1.0), X, 1),
        "ART1, ours": lambda: ART1(0.8, n_epochs=1).fit(coded),
        "ART1, artlib": lambda: artlib.ART1(0.4, 2.0).fit(coded),
    }
    timings = alternate(contestants, rounds=3)
    for name, timing in timings.items():
        ours = timings[f"{name.split(',')[0]}, ours"]
        print(
            f"  {name:26} {1e3 * timing.median:9.1f} ms   {ratio(timing, ours).median:7.1f} "
            f"times ours"
        )
    return {name: timing.seconds for name, timing in timings.items()}


def fitted(network: Any, X: np.ndarray, epochs: int) -> Any:
    return network.fit(network.prepare_data(X), max_iter=epochs)


def timed(seconds: dict[str, float], name: str, run: Callable[[], Any]) -> None:
    start = time.perf_counter()
    run()
    seconds[name] += time.perf_counter() - start
