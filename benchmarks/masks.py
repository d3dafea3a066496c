"""Masks of cell nuclei: Dice per picture on held-out fifths, beside Otsu's threshold.

Minutes are of processor time on one thread.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from skimage.filters import threshold_otsu

from benchmarks.defaults import train
from benchmarks.timing import report
from neuropil import datasets
from neuropil.runs.measure import measure
from neuropil.runs.recipes.default_recipes import recipe
from neuropil.runs.tasks import task_for
from neuropil.training.threads import use_threads

FOLDS = 5
# Brightness of red, green and blue, by ITU-R BT.601.
LUMA = np.array([0.299, 0.587, 0.114])
DARK = 128
Array = np.ndarray[Any, Any]


def main(json: str | None = None, rounds: int = FOLDS, seed: int = 0) -> None:
    """Train on four fifths of the pictures and measure on the fifth, so many times.

    Args:
        json: Where figures go.
        rounds: Number of fifths, at most 5.
        seed: That of the fifths and the networks.
    """
    folder = Path(os.environ.get("NEUROPIL_DATA", "../shared/data"))
    with np.load(folder / "nuclei_dsb2018_96/nuclei_dsb2018_96.npz") as given:
        pictures, masks = given["images"], (given["masks"] > 0).astype(np.uint8)
    order = np.random.default_rng(seed).permutation(len(pictures))
    rows: list[dict[str, float]] = []
    for fold in range(rounds):
        held, rest = order[fold::FOLDS], np.delete(order, np.s_[fold::FOLDS])
        row = {"otsu": otsu(pictures[held], masks[held])}
        rows.append(row | network(pictures, masks, held, rest, seed))
        print(f"fifth {fold + 1}   {in_words(rows[-1])}", flush=True)
    means = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
    print(f"mean      {in_words(means)}")
    report("masks", rows, json)


def in_words(row: dict[str, float]) -> str:
    """Return the figures of a row."""
    return "   ".join(f"{name} {value:.3f}" for name, value in row.items())


def otsu(pictures: Array, masks: Array) -> float:
    """Return the mean Dice of Otsu's threshold; where a picture is bright, nuclei are dark."""
    found: list[float] = []
    for picture, mask in zip(pictures @ LUMA, masks, strict=True):
        bright = picture > threshold_otsu(picture)
        nuclei = bright if picture.mean() <= DARK else ~bright
        found.append(2 * float((nuclei & (mask > 0)).sum() / max(1, nuclei.sum() + mask.sum())))
    return float(np.mean(found))


def network(
    pictures: Array, masks: Array, held: Array, rest: Array, seed: int
) -> dict[str, float]:
    """Return the figures of the default network, trained by the recipe of the task."""
    start = time.process_time()
    with tempfile.TemporaryDirectory() as name:
        for part, places in (("train", rest), ("test", held)):
            for kind, arrays in (("images", pictures), ("masks", 255 * masks)):
                folder = Path(name, part, kind)
                folder.mkdir(parents=True)
                for place in places:
                    Image.fromarray(arrays[place]).save(folder / f"{place:03}.png")
        splits: Any = datasets.open(name, seed=seed)
        assert len(splits.test)  # read before the folder goes
    task = task_for(splits.target, None, splits.train.targets)
    made = recipe(splits, task)
    made.network.reset_parameters(torch.Generator().manual_seed(seed))
    with use_threads(1):
        train(splits, task, made, seed)
        minutes = (time.process_time() - start) / 60
        figures = measure(made.network, splits.test, task)
    shown = {name: figures[name] or 0.0 for name in ("dice_per_picture", "dice", "iou")}
    return shown | {"epochs": made.epochs, "minutes": minutes}
