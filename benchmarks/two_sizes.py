"""Small pictures first, then larger ones: accuracy and time beside one size throughout."""

from __future__ import annotations

import os
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image

from benchmarks.fine_tuning import crops
from benchmarks.timing import report
from neuropil import Trainer
from neuropil.architectures import resnet20
from neuropil.optim import AdamW

if TYPE_CHECKING:
    from collections.abc import Callable

    Part = tuple[torch.Tensor, torch.Tensor]
    Parts = tuple[Part, Part]

# At each size: the share of the passes, and the rate. The second part has a smaller rate, as in
# `neuropil train --then`.
PLANS = {
    "32 throughout": ((32, 1.0, 4e-3),),
    "32, then 64": ((32, 2 / 3, 4e-3), (64, 1 / 3, 1e-3)),
    "64 throughout": ((64, 1.0, 4e-3),),
}
TRAINING_FACES = 6  # of each person's ten


def main(json: str | None = None, seeds: int = 3) -> None:
    """Train by each plan from each seed; test at the size that it ended with.

    Args:
        json: Where figures go.
        seeds: How many.
    """
    folder = Path(os.environ.get("NEUROPIL_DATA", "../shared/data"))
    figures = {
        "blood cells": compare("crops of blood cells", cells, folder / "bccd", 6, seeds),
        "faces": compare("faces of 40 people", faces, folder / "orl_faces", 30, seeds),
    }
    report("two_sizes", {"seeds": seeds, **figures}, json)


def compare(
    what: str, read: Callable[[Path, int], Parts], folder: Path, passes: int, seeds: int
) -> dict[str, Any]:
    """Train on one set by each plan, and print what came of it.

    Args:
        what: The set, in words.
        read: Gives it at a size.
        folder: Where it is.
        passes: Over the training part, for every plan.
        seeds: How many.
    """
    data = {side: read(folder, side) for side in (32, 64)}
    found: dict[str, list[tuple[float, float]]] = {plan: [] for plan in PLANS}
    for seed in range(seeds):
        for plan, parts in PLANS.items():
            found[plan].append(trained(parts, data, passes, seed))
    print(f"ResNet-20 on {what}, {passes} passes, seeds 0 to {seeds - 1}:")
    figures: dict[str, Any] = {}
    for plan, runs in found.items():
        accuracy, seconds = zip(*runs, strict=True)
        figures[plan] = {"accuracy": accuracy, "seconds": seconds}
        print(
            f"  {plan:14}: accuracy {statistics.mean(accuracy):.4f} (worst "
            f"{min(accuracy):.4f}), {statistics.median(seconds):.1f} s"
        )
    return figures


def cells(folder: Path, side: int) -> Parts:
    """Return crops of blood cells of one size."""
    return crops(folder, "train", side), crops(folder, "test", side)


def faces(folder: Path, side: int) -> Parts:
    """Return faces of one size and whose they are."""
    inputs, targets = [], []
    for person in range(40):
        for number in range(1, 11):
            with Image.open(folder / f"s{person + 1}" / f"{number}.pgm") as picture:
                inputs.append(np.array(picture.resize((side, side))))
            targets.append(person)
    pictures = torch.from_numpy(np.stack(inputs)).unsqueeze(1).float()
    people = torch.tensor(targets)
    training = torch.arange(len(people)) % 10 < TRAINING_FACES
    return (pictures[training], people[training]), (pictures[~training], people[~training])


def trained(parts: Any, data: dict[int, Parts], passes: int, seed: int) -> tuple[float, float]:
    """Return the accuracy on the test part and the seconds that training took."""
    torch.manual_seed(seed)
    inputs, targets = data[32][0]
    channels, classes = inputs.shape[1], int(targets.max()) + 1
    network = resnet20(classes, input_shape=(channels, None, None))
    start = time.perf_counter()
    for side, share, lr in parts:
        trainer = Trainer(
            network,
            loss="cross_entropy",
            optimizer=AdamW(network.parameters(), lr=lr, weight_decay=1e-2),
            metrics=["accuracy"],
            schedule="one_cycle",
            seed=seed,
            progress=False,
        )
        train, test = data[side]
        trainer.fit(train, epochs=round(share * passes))
    seconds = time.perf_counter() - start
    return trainer.evaluate(test)["accuracy"], seconds
