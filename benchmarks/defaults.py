"""How good the defaults are: what `neuropil train` gives on held-out data, seed by seed.

Without ``--data``, the handwritten digits over split seeds 0–9.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import torch

from benchmarks.timing import report
from neuropil import datasets
from neuropil.runs.measure import measure
from neuropil.runs.recipes.default_recipes import recipe
from neuropil.runs.tasks import task_for

if TYPE_CHECKING:
    from neuropil.datasets import Splits


def main(json: str | None = None, rounds: int = 10, data: str | None = None) -> None:
    """Train with the defaults once a split seed; print each result, mean and worst."""
    results: list[float] = []
    for seed in range(rounds):
        splits = opened(data, seed)
        start = time.perf_counter()
        figure, result = trained(splits, seed)
        seconds = time.perf_counter() - start
        results.append(result)
        print(f"seed {seed}   test {figure} {result:.4f}   {seconds:5.1f} s", flush=True)
    mean, worst = sum(results) / len(results), min(results)
    print(f"mean {mean:.4f}   worst {worst:.4f}   over {rounds} split seeds")
    report("defaults", {"data": data or "digits", "results": results}, json)


def opened(data: str | None, seed: int) -> Splits:
    if data is None:
        return datasets.load_handwritten_digits(seed=seed)
    return datasets.open(data, seed=seed)


def trained(splits: Splits, seed: int) -> tuple[str, float]:
    """Return the headline on the test part, which is read only now."""
    torch.manual_seed(seed)
    task = task_for(splits.target)
    made = recipe(splits, task)
    trainer = task.trainer(made, seed=seed, progress=False)
    train = splits.train.inputs, task.encode(splits.train.targets)
    trainer.fit(train, epochs=made.epochs, batch_size=made.batch_size)
    assert splits.test is not None
    headline = task.metrics()[0].name
    return headline, measure(made.network, splits.test, task)[headline] or 0.0
