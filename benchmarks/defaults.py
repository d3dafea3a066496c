"""How good the defaults are: what `neuropil train` gives on held-out data, seed by seed.

Without ``--data``, the handwritten digits over split seeds 0–9.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import torch

from benchmarks.timing import report
from neuropil import datasets
from neuropil.runs.recipes import recipe
from neuropil.training import accuracy, r2

if TYPE_CHECKING:
    from torch import Tensor

    from neuropil.datasets import Splits


def main(json: str | None = None, rounds: int = 10, data: str | None = None) -> None:
    """Train with the defaults once a split seed; print each result, mean and worst."""
    results: list[float] = []
    for seed in range(rounds):
        splits = opened(data, seed)
        start = time.perf_counter()
        result = trained(splits, seed)
        seconds = time.perf_counter() - start
        results.append(result)
        figure = "accuracy" if splits.task == "classification" else "R²"
        print(f"seed {seed}   test {figure} {result:.4f}   {seconds:5.1f} s", flush=True)
    mean, worst = sum(results) / len(results), min(results)
    print(f"mean {mean:.4f}   worst {worst:.4f}   over {rounds} split seeds")
    report("defaults", {"data": data or "digits", "results": results}, json)


def opened(data: str | None, seed: int) -> Splits:
    if data is None:
        return datasets.load_handwritten_digits(seed=seed)
    return datasets.open(data, seed=seed)


def trained(splits: Splits, seed: int) -> float:
    """Return the figure on the test part, which is read only now."""
    torch.manual_seed(seed)
    target = splits.preparation.target
    made = recipe(splits)
    trainer = made.trainer(seed=seed, progress=False)
    train = splits.train.inputs, target.standardize(splits.train.targets)
    trainer.fit(train, epochs=made.epochs, batch_size=made.batch_size)
    assert splits.test is not None
    outputs: Tensor = made.network.predict(splits.test.inputs)
    if splits.task == "classification":
        return accuracy(outputs, splits.test.targets)
    return r2(target.restore(outputs), splits.test.targets)
