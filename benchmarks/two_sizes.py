"""Small pictures first, then larger ones: accuracy and time beside one size throughout."""

from __future__ import annotations

import os
import statistics
import time
from pathlib import Path
from typing import Any

import torch

from benchmarks.fine_tuning import crops
from benchmarks.timing import report
from neuropil import Trainer
from neuropil.algorithms import AdamW
from neuropil.architectures import resnet20

# Passes at each size; six in all for every one. The second part has a smaller rate, as in
# `neuropil train --then`.
PLANS = {
    "32 throughout": ((32, 6, 4e-3),),
    "32, then 64": ((32, 4, 4e-3), (64, 2, 1e-3)),
    "64 throughout": ((64, 6, 4e-3),),
}


def main(json: str | None = None, seeds: int = 5) -> None:
    """Train by each plan from each seed; test at the size that it ended with.

    Args:
        json: Where figures go.
        seeds: How many.
    """
    folder = Path(os.environ.get("NEUROPIL_DATA", "../shared/data")) / "bccd"
    data = {
        side: (crops(folder, "train", side), crops(folder, "test", side)) for side in (32, 64)
    }
    found: dict[str, list[tuple[float, float]]] = {plan: [] for plan in PLANS}
    for seed in range(seeds):
        for plan, parts in PLANS.items():
            found[plan].append(trained(parts, data, seed))
    print(f"ResNet-20 on crops of blood cells, 6 passes, seeds 0 to {seeds - 1}:")
    figures: dict[str, Any] = {}
    for plan, runs in found.items():
        accuracy, seconds = zip(*runs, strict=True)
        figures[plan] = {"accuracy": accuracy, "seconds": seconds}
        print(
            f"  {plan:14}: accuracy {statistics.mean(accuracy):.4f} (worst "
            f"{min(accuracy):.4f}), {statistics.median(seconds):.1f} s"
        )
    report("two_sizes", {"seeds": seeds, **figures}, json)


def trained(parts: Any, data: Any, seed: int) -> tuple[float, float]:
    """Return the accuracy on the test crops and the seconds that training took."""
    torch.manual_seed(seed)
    network = resnet20(3, input_shape=(3, None, None))
    start = time.perf_counter()
    for side, epochs, lr in parts:
        trainer = Trainer(
            network,
            loss="cross_entropy",
            algorithm=AdamW(network.parameters(), lr=lr, weight_decay=1e-2),
            metrics=["accuracy"],
            schedule="one_cycle",
            seed=seed,
            progress=False,
        )
        train, test = data[side]
        trainer.fit(train, epochs=epochs)
    seconds = time.perf_counter() - start
    return trainer.evaluate(test)["accuracy"], seconds
