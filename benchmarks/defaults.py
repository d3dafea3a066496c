"""How good the defaults are: what `neuropil train` gives on held-out data, seed by seed.

Without ``--data``, the handwritten digits over split seeds 0–9.
"""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.timing import report
from neuropil.cli.plan import make_plan
from neuropil.cli.run_data import open_splits
from neuropil.cli.settings import Settings
from neuropil.cli.train_options import TrainOptions
from neuropil.runs.labels import with_encoded_labels
from neuropil.runs.measure import measure

if TYPE_CHECKING:
    from neuropil.datasets import Splits
    from neuropil.runs.recipes.recipe import Recipe
    from neuropil.runs.task import Task


def main(json: str | None = None, rounds: int = 10, data: str | None = None) -> None:
    """Train with the defaults once a split seed; print each result, mean and worst."""
    results: list[float] = []
    for seed in range(rounds):
        start = time.perf_counter()
        _, task, result = as_shipped(None if data is None else Path(data), seed)
        seconds, figure = time.perf_counter() - start, task.metrics()[0].name
        results.append(result)
        print(f"seed {seed}   test {figure} {result:.4f}   {seconds:5.1f} s", flush=True)
    mean, worst = sum(results) / len(results), min(results)
    print(f"mean {mean:.4f}   worst {worst:.4f}   over {rounds} split seeds")
    report("defaults", {"data": data or "digits", "results": results}, json)


def as_shipped(data: Path | None, seed: int) -> tuple[Splits, Task[Any], float]:
    """Train as ``neuropil train`` does; return data, task, and headline on the test."""
    settings = Settings.from_options(TrainOptions(data=data, seed=seed, device="cpu"))
    splits = open_splits(settings)
    task, made, _, _ = make_plan(splits, settings)
    train(splits, task, made, seed)
    test = splits.test
    assert test is not None
    result = measure(made.network, test, task)[task.metrics()[0].name]
    return splits, task, math.nan if result is None else result


def train(splits: Splits, task: Task[Any], made: Recipe, seed: int) -> None:
    """Train the network of a recipe with its settings."""
    held_out = splits.validation
    task.trainer(made, seed=seed, device="cpu", progress=False).fit(
        with_encoded_labels(splits.train, task),
        None if held_out is None else with_encoded_labels(held_out, task),
        epochs=made.epochs,
        batch_size=made.batch_size,
    )
