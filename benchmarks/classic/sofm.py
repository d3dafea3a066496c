"""Self-organising maps beside MiniSom and fastersom: same data, start, radii and threads.

Quantisation and topographic error (8 neighbours) are worked out here, from the units alone, in
the same way for all.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import warnings
from functools import partial
from typing import Any

import numpy as np
from sklearn.datasets import load_digits, make_blobs
from sklearn.metrics.pairwise import euclidean_distances
from threadpoolctl import threadpool_limits

from benchmarks.memory import peak
from benchmarks.timing import Timing, alternate, ratio, report
from neuropil.classic import SOFM

GRID, EPOCHS = (25, 15), 20
# A sheet through the data needs no radius across the map; the last one keeps it whole.
FIRST, LAST = 6.25, 0.5
LARGE = (250_000, 500_000, 1_000_000)


def main(json: str | None = None) -> None:
    """Print times, ratios and errors; digits, a million rows, and the first compilation."""
    import torch

    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    with threadpool_limits(1):
        figures = {
            "batch": batch_maps(),
            "online": online_maps(),
            "digits": digits(),
        }
    figures["rows"] = many_rows()
    figures["compilation_s"] = compilation()
    report("classic.sofm", figures, json)


def blobs() -> np.ndarray[Any, Any]:
    """Return 4,000 rows of 50 columns, in 12 Gaussian clusters."""
    return make_blobs(4000, 50, centers=12, random_state=0)[0]


def start(X: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the units that all start from: a sheet along the first two components."""
    return SOFM(GRID, algorithm="online", n_epochs=1, lr=1e-300).fit(X).weights_


def batch_maps() -> dict[str, Any]:
    """Compare the batch maps: fastersom many times, MiniSom, which takes long, three times."""
    import fastersom

    X = blobs()
    single, units = X.astype(np.float32), start(X)
    # fastersom's radius after its last epoch, where ours is that of the last epoch.
    after = FIRST * (LAST / FIRST) ** (EPOCHS / (EPOCHS - 1))
    theirs = fastersom.SOM(
        *GRID, n_epochs=EPOCHS, sigma_initial=FIRST, sigma_final=after, init=units,
        device="cpu", verbose=False,
    )  # fmt: skip
    fits = {
        "SOFM, float32": lambda: ours(units).fit(single).weights_,
        "SOFM, float64": lambda: ours(units).fit(X).weights_,
        "fastersom (float32)": lambda: theirs.fit(single).weights_.reshape(len(units), -1),
    }
    print(f"batch, {len(X)} × {X.shape[1]}, grid {GRID}, {EPOCHS} epochs, one thread")
    figures = compared(X, fits, rounds=15)
    fits = {
        "SOFM, float64": fits["SOFM, float64"],
        "MiniSom (float64)": lambda: minisom_batch(X, units),
    }
    return figures | compared(X, fits, rounds=3)


def online_maps() -> dict[str, Any]:
    """Compare the online maps, row after row in an order that is drawn."""
    X = blobs()
    units = start(X)
    fits = {
        "SOFM, online": lambda: ours(units, algorithm="online", random_state=0).fit(X).weights_,
        "MiniSom, online": lambda: minisom_online(X, units),
    }
    print("online, the same data, lr 0.5")
    return compared(X, fits, rounds=3)


def ours(units: np.ndarray[Any, Any], **options: Any) -> SOFM:
    """Return our map, to be fitted."""
    return SOFM(GRID, init=units, n_epochs=EPOCHS, radius=FIRST, final_radius=LAST, **options)


def minisom_map(units: np.ndarray[Any, Any], rates: np.ndarray[Any, Any]) -> Any:
    """Return a MiniSom with our start, our radii and these rates."""
    from minisom import MiniSom

    radii = np.geomspace(FIRST, LAST, EPOCHS)
    model = MiniSom(*GRID, units.shape[1], sigma=FIRST, random_seed=0)
    model._weights = units.reshape(*GRID, -1).copy()
    model._sigma_decay_function = lambda _, epoch, __: radii[epoch]
    model._learning_rate_decay_function = lambda _, epoch, __: rates[epoch]
    return model


def minisom_batch(X: np.ndarray[Any, Any], units: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the units of MiniSom's batch map, whose rate is 1."""
    model = minisom_map(units, np.ones(EPOCHS))
    model.train_batch_offline(X, EPOCHS)
    return model.get_weights().reshape(units.shape)


def minisom_online(
    X: np.ndarray[Any, Any], units: np.ndarray[Any, Any]
) -> np.ndarray[Any, Any]:
    """Return the units of MiniSom's online map, whose rate falls as ours does."""
    model = minisom_map(units, 0.5 * (1 - np.arange(EPOCHS) / EPOCHS))
    model.train(X, EPOCHS, random_order=True, use_epochs=True)
    return model.get_weights().reshape(units.shape)


def compared(X: np.ndarray[Any, Any], fits: dict[str, Any], rounds: int) -> dict[str, Any]:
    """Time fits in turn; print their seconds, their errors, and the ratios to the last."""
    timings = alternate(fits, rounds=rounds)
    peer = list(fits)[-1]
    figures: dict[str, Any] = {}
    for name, timing in timings.items():
        errors = quality(X, fits[name](), GRID)
        found = ratio(timing, timings[peer])
        figures[f"{name} | {peer}"] = {
            "median_s": timing.median,
            "seconds": timing.seconds,
            "ratio": [found.median, found.low, found.high],
            **errors,
        }
        show(name, timing, errors, f"ratio {found}")
    return figures


def digits() -> dict[str, Any]:
    """Fit scikit-learn's digits, pixels from 0 to 1, on 20 × 20 units in 10 epochs."""
    X = load_digits().data / 16
    options = {"n_epochs": 10, "radius": 2.5, "final_radius": 0.6}
    print(f"digits, grid (20, 20), {options}")
    figures = {}
    for dtype in (np.float64, np.float32):
        rows = X.astype(dtype)
        model = SOFM((20, 20), **options)
        timing = alternate({"fit": partial(model.fit, rows)}, rounds=15)["fit"]
        errors = quality(X, model.weights_, (20, 20))
        figures[dtype.__name__] = {
            "median_s": timing.median,
            "seconds": timing.seconds,
            **errors,
        }
        show(dtype.__name__, timing, errors)
    return figures


def quality(
    X: np.ndarray[Any, Any], units: np.ndarray[Any, Any], grid: tuple[int, int]
) -> dict[str, float]:
    """Return both errors."""
    distances = euclidean_distances(X, np.asarray(units, np.float64))
    first, second = np.argsort(distances, axis=1)[:, :2].T
    steps = np.abs(np.array(np.unravel_index(first, grid)) - np.unravel_index(second, grid))
    nearest = np.linalg.norm(X - units[first], axis=1).mean()
    return {"quantization": float(nearest), "topographic": float((steps.max(0) > 1).mean())}


def show(name: str, timing: Timing, errors: dict[str, float], more: str = "") -> None:
    """Print the seconds of a fit, and both errors."""
    found = (
        f"quantization {errors['quantization']:.4f}, topographic {errors['topographic']:.4f}"
    )
    print(f"  {name:20} {timing.median:8.4f} s   {found}   {more}", flush=True)


def many_rows() -> list[dict[str, float]]:
    """Fit up to a million rows of 6 columns on 50 × 50 units, each in a process of its own."""
    print("rows of 6 columns on a grid (50, 50), 2 epochs, one thread")
    figures = []
    for rows in LARGE:
        code = f"from benchmarks.classic.sofm import large; large({rows})"
        one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        run = subprocess.run(
            [sys.executable, "-c", code], env=os.environ | one, capture_output=True, text=True,
            check=True,
        )  # fmt: skip
        seconds, mebibytes = map(float, run.stdout.split())
        figures.append({"rows": rows, "seconds": seconds, "peak_mib": mebibytes})
        print(
            f"  {rows:9,} rows {seconds:7.2f} s, {seconds / rows * 1e6:5.2f} µs a row, "
            f"peak {mebibytes:6.0f} MiB",
            flush=True,
        )
    return figures


def large(rows: int) -> None:
    """Print the seconds of a fit and the peak memory of this process."""
    X = np.random.default_rng(0).normal(size=(rows, 6))
    begin = time.perf_counter()
    SOFM((50, 50), n_epochs=2).fit(X)
    seconds = time.perf_counter() - begin
    print(seconds, peak() / 2**20)


def compilation() -> dict[str, float]:
    """Return the seconds of the first fit ever, where nothing is compiled yet."""
    figures = {}
    for algorithm in ("batch", "online"):
        code = (
            "import time; import numpy as np; from neuropil.classic import SOFM;"
            "X = np.ones((9, 3)); begin = time.perf_counter();"
            f"SOFM((2, 2), algorithm={algorithm!r}).fit(X); print(time.perf_counter() - begin)"
        )
        with tempfile.TemporaryDirectory() as cache:
            run = subprocess.run(
                [sys.executable, "-c", code], env=os.environ | {"NUMBA_CACHE_DIR": cache},
                capture_output=True, text=True, check=True,
            )  # fmt: skip
        figures[algorithm] = float(run.stdout)
        print(
            f"first {algorithm} fit, with compilation: {figures[algorithm]:.2f} s", flush=True
        )
    return figures
