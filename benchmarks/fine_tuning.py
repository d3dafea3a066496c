"""ResNet-20 with CIFAR's weights beside one from nothing, on crops of blood cells."""

from __future__ import annotations

import csv
import os
import statistics
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from benchmarks.timing import report
from neuropil import Trainer
from neuropil.architectures import load_weights, resnet20
from neuropil.optim import AdamW

# Crops for each class to train on, and at most as many to test on.
CROPS = 200
LEAST = 8


def main(json: str | None = None, seeds: int = 5, epochs: int = 1) -> None:
    """Train both from each seed and print their accuracies.

    Args:
        json: Where figures go.
        seeds: How many.
        epochs: Passes over the crops.
    """
    folder = Path(os.environ.get("NEUROPIL_DATA", "../shared/data"))
    train, test = crops(folder / "bccd", "train"), crops(folder / "bccd", "test")
    arrays = np.load(folder / "pretrained" / "resnet20_cifar10.npz")
    state = {name: torch.from_numpy(arrays[name]) for name in arrays}
    print(f"{len(train[1])} crops to train on, {len(test[1])} to test, {epochs} epochs:")
    found: dict[str, list[float]] = {"fine-tuned": [], "from nothing": []}
    for seed in range(seeds):
        for name, weights in (("fine-tuned", state), ("from nothing", None)):
            start = time.perf_counter()
            accuracy = trained(train, test, weights, seed, epochs)
            found[name].append(accuracy)
            print(
                f"  seed {seed}, {name:12}: {accuracy:.4f}, {time.perf_counter() - start:.0f} s"
            )
    for name, values in found.items():
        print(f"{name:12}: mean {statistics.mean(values):.4f}, worst {min(values):.4f}")
    wins = sum(a > b for a, b in zip(*found.values(), strict=True))
    print(f"fine-tuning won {wins} of {seeds}")
    report("fine_tuning", {"epochs": epochs, **found}, json)


def trained(train: Any, test: Any, weights: Any, seed: int, epochs: int) -> float:
    """Return the accuracy on the test crops."""
    torch.manual_seed(seed)
    network = resnet20(3)
    if weights is not None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the last layer is for other classes
            load_weights(network, weights, resnet20)
    trainer = Trainer(
        network,
        loss="cross_entropy",
        optimizer=AdamW(network.parameters(), lr=2e-3, weight_decay=1e-2),
        metrics=["accuracy"],
        schedule="one_cycle",
        seed=seed,
        progress=False,
    )
    trainer.fit(train, epochs=epochs, batch_size=32)
    return trainer.evaluate(test)["accuracy"]


def crops(folder: Path, part: str, side: int = 32) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the boxes of one part as pictures of one size, and their classes."""
    names = set((folder / "ImageSets" / "Main" / f"{part}.txt").read_text().split())
    inputs: list[np.ndarray] = []
    targets: list[int] = []
    known = ("Platelets", "RBC", "WBC")
    with (folder / "boxes.csv").open() as file:
        for row in csv.DictReader(file):
            name, kind = row["image"].removesuffix(".jpg"), known.index(row["class"])
            box = tuple(int(row[side]) for side in ("xmin", "ymin", "xmax", "ymax"))
            small = min(box[2] - box[0], box[3] - box[1]) < LEAST
            if name not in names or small or targets.count(kind) == CROPS:
                continue
            with Image.open(folder / "JPEGImages" / f"{name}.jpg") as picture:
                inputs.append(np.array(picture.convert("RGB").crop(box).resize((side, side))))
            targets.append(kind)
    pictures = torch.from_numpy(np.stack(inputs)).permute(0, 3, 1, 2).contiguous()
    return pictures.float(), torch.tensor(targets)
