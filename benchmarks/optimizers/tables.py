"""Levenberg–Marquardt, with and without evidence, beside Adam and L-BFGS on eight tables."""

from __future__ import annotations

import os
import statistics
import time
from functools import partial
from pathlib import Path
from typing import Any

import torch

from benchmarks.timing import report
from neuropil import Trainer, datasets
from neuropil.layers import Input, Linear, Tanh
from neuropil.optim import Adam, LevenbergMarquardt, QuasiNewton
from neuropil.training import BestWeights

TABLES = (
    *("abalone", "airfoil", "auto_mpg", "concrete", "power_plant"),
    *("winequality_red", "winequality_white", "yacht"),
)
UNITS = 12
# Optimiser, passes or steps over all examples, and batch size. All but the one with evidence
# keep the weights that were best on the validation part; that one has no need of it.
CONTESTANTS: dict[str, tuple[Any, int, int | None]] = {
    "adam": (partial(Adam, lr=5e-3), 150, 32),
    "l-bfgs": (partial(QuasiNewton, update="lbfgs"), 500, None),
    "levenberg-marquardt": (LevenbergMarquardt, 100, None),
    "with evidence": (partial(LevenbergMarquardt, bayesian=True), 100, None),
}


def main(json: str | None = None, splits: int = 10) -> None:
    """Print each optimiser's test error on each table, and its time.

    Args:
        json: Where figures go.
        splits: Seeds from 0, each another split and other first weights.
    """
    torch.set_num_threads(1)
    folder = Path(os.environ.get("NEUROPIL_DATA", "../shared/data")) / "tabular"
    wins = dict.fromkeys(CONTESTANTS, 0)
    figures: dict[str, Any] = {}
    print(f"test error in standard deviations of the target, mean of {splits} splits; time:")
    for table in TABLES:
        found = {
            name: [trained(folder / f"{table}.csv", name, seed) for seed in range(splits)]
            for name in CONTESTANTS
        }
        figures[table] = found
        means = {name: statistics.mean(e for e, _ in runs) for name, runs in found.items()}
        best = min(means, key=lambda name: means[name])
        wins[best] += 1
        print(f"  {table}")
        for name, runs in found.items():
            spread = statistics.stdev(error for error, _ in runs) if splits > 1 else 0.0
            seconds = statistics.median(took for _, took in runs)
            mark = "  <- best" if name == best else ""
            print(f"    {name:20} {means[name]:.4f} ± {spread:.4f}  {seconds:6.2f} s{mark}")
    print("best on: " + ", ".join(f"{name} {count}" for name, count in wins.items()))
    report("optimizers_tables", {"splits": splits, "wins": wins, **figures}, json)


def trained(path: Path, name: str, seed: int) -> tuple[float, float]:
    """Return the root of the mean squared error on the test part, and the seconds it took."""
    make, epochs, batch_size = CONTESTANTS[name]
    evidence = name == "with evidence"
    parts = datasets.open(
        path, task="regression", seed=seed, test=0.2, validation=0.0 if evidence else 0.1
    )
    target = parts.preparation.target
    train, validation, test = (
        None
        if part is None
        else (part.inputs.double(), target.standardize(part.targets).double())
        for part in (parts.train, parts.validation, parts.test)
    )
    torch.manual_seed(seed)
    layers = Input(*parts.input_shape) >> Tanh(UNITS) >> Linear(target.outputs)
    network = layers.double()
    trainer = Trainer(
        network,
        loss="squared_error",
        optimizer=make(network.parameters()),
        callbacks=[] if evidence else [BestWeights()],
        seed=seed,
        threads=None,
        progress=False,
    )
    start = time.perf_counter()
    trainer.fit(train, validation=validation, epochs=epochs, batch_size=batch_size)
    took = time.perf_counter() - start
    return trainer.evaluate(test)["loss"] ** 0.5, took
