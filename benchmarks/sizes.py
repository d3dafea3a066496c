"""Pictures of many sizes: one size for all, buckets of like shapes, or their own and a mask."""

from __future__ import annotations

import os
import statistics
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from sklearn.datasets import load_digits

from benchmarks.timing import report
from neuropil import datasets
from neuropil.runs.measure import measure
from neuropil.runs.recipes.default_recipes import recipe
from neuropil.runs.tasks import task_for

SMALLEST, LARGEST = 20, 90
CHOICES: dict[str, Any] = {
    "one size (default)": None,
    "one size, 32": 32,
    "buckets": "buckets",
    "native": "native",
}


def main(json: str | None = None, seeds: int = 3, epochs: int = 8) -> None:
    """Train the default network of each choice from each seed; test on the same pictures.

    Args:
        json: Where figures go.
        seeds: How many.
        epochs: Passes over the training pictures.
    """
    torch.set_num_threads(1)
    found: dict[str, list[tuple[float, float]]] = {choice: [] for choice in CHOICES}
    with tempfile.TemporaryDirectory() as temporary:
        os.environ["XDG_CACHE_HOME"] = str(Path(temporary, "cache"))
        folder = Path(temporary, "digits")
        count = write_canvases(folder)
        for seed in range(seeds):
            for choice, size in CHOICES.items():
                found[choice].append(trained(folder, size, seed, epochs))
    print(
        f"{count:,} digits on canvases of {SMALLEST} to {LARGEST} pixels, the default network, "
        f"{epochs} epochs, seeds 0 to {seeds - 1}:"
    )
    figures: dict[str, Any] = {}
    for choice, runs in found.items():
        accuracy, seconds = zip(*runs, strict=True)
        figures[choice] = {"accuracy": accuracy, "seconds": seconds}
        print(
            f"  {choice:18}: accuracy {statistics.mean(accuracy):.4f} (worst "
            f"{min(accuracy):.4f}), {statistics.median(seconds):5.1f} s of processor time"
        )
    report("sizes", {"pictures": count, "epochs": epochs, **figures}, json)


def trained(folder: Path, size: Any, seed: int, epochs: int) -> tuple[float, float]:
    """Return the accuracy on the test part, and the processor time of the training."""
    splits = datasets.open(folder, image_size=size, seed=seed)
    task = task_for(splits.target)
    made = recipe(splits, task)
    made.network.reset_parameters(torch.Generator().manual_seed(seed))
    start = processor_seconds()
    # No shifts for anyone: they would be another difference.
    trainer = task.trainer(replace(made, augment=None), seed=seed, progress=False)
    trainer.fit(splits.train, epochs=epochs, batch_size=made.batch_size)
    seconds = processor_seconds() - start
    test: Any = splits.test
    return measure(made.network, test, task)["accuracy"] or 0.0, seconds


def write_canvases(folder: Path) -> int:
    """Write digits on canvases, each of its own size and proportions; return their number."""
    digits: Any = load_digits()
    rng = np.random.default_rng(0)
    for number, (image, label) in enumerate(zip(digits.images, digits.target, strict=True)):
        height, width = rng.integers(SMALLEST, LARGEST + 1, 2).tolist()
        side = int(rng.integers(SMALLEST, min(height, width) + 1))
        digit = Image.fromarray((image * (255 / 16)).astype(np.uint8))
        canvas = Image.new("L", (width, height))
        top, left = rng.integers(0, height - side + 1), rng.integers(0, width - side + 1)
        canvas.paste(
            digit.resize((side, side), Image.Resampling.BILINEAR), (int(left), int(top))
        )
        path = folder / str(label) / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        canvas.save(path)
    return len(digits.images)


def processor_seconds() -> float:
    """Return the processor time of this process and of the workers that ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
