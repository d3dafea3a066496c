"""Landmarks of faces: the error beside that of the mean shape, ridge regression and others."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from sklearn.linear_model import Ridge

from benchmarks.timing import report
from neuropil import datasets
from neuropil.runs.labels import with_encoded_labels
from neuropil.runs.measure import measure
from neuropil.runs.recipes.default_recipes import recipe
from neuropil.runs.tasks import task_for
from neuropil.training.threads import use_threads
from neuropil.vision import LandmarkNet, normalized_mean_error

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuropil.datasets import Splits

# The best on the test part among 1, 10, 30, 100 and 300: the peer has the advantage.
ALPHA = 30.0


def main(json: str | None = None, seed: int = 0, epochs: int | None = None) -> None:
    """Measure each on the test part, one after the other, on one thread.

    Args:
        json: Where figures go.
        seed: That of the networks.
        epochs: Passes over the pictures; by default those of the recipe.
    """
    folder = Path(os.environ.get("NEUROPIL_DATA", "../shared/data"))
    splits = datasets.open(folder / "face_keypoints68/face_keypoints68.npz", target="face68")
    rows: dict[str, Callable[[], float]] = {
        "mean shape": lambda: mean_shape(splits),
        "ridge regression on pixels": lambda: ridge(splits),
        "direct network": lambda: network(splits, seed, epochs, heat_maps=False),
        "heat maps (the default)": lambda: network(splits, seed, epochs, heat_maps=True),
    }
    sizes = (len(part or ()) for part in (splits.train, splits.validation, splits.test))
    parts = "{} training, {} validation and {} test".format(*sizes)
    print(f"68 points in {parts} pictures; test error / distance between the eyes:")
    found: dict[str, Any] = {}
    for name, run in rows.items():
        start = time.process_time()
        error = run()
        seconds = time.process_time() - start
        found[name] = {"error": error, "processor_seconds": seconds}
        print(f"  {name:28} {error:.4f} after {seconds:6.1f} s of processor time", flush=True)
    report("landmarks", found, json)


def mean_shape(splits: Splits) -> float:
    """Return the error of always predicting the mean of the points, validation included."""
    mean = joined(splits, "targets")[..., :2].mean(dim=0)
    return error_of(splits, mean.expand(len(splits.test or ()), *mean.shape))


def ridge(splits: Splits) -> float:
    """Return the error of ridge regression on the pixels, validation included."""
    pixels = joined(splits, "inputs").flatten(1).numpy() / 255
    labels = joined(splits, "targets")[..., :2].flatten(1).numpy()
    test: Any = splits.test
    model = Ridge(alpha=ALPHA).fit(pixels, labels)
    found = torch.from_numpy(model.predict(test.inputs.flatten(1).numpy() / 255))
    return error_of(splits, found.unflatten(1, (-1, 2)))


def joined(splits: Splits, name: str) -> torch.Tensor:
    """Return the inputs or the targets of the training and the validation part."""
    return torch.cat([getattr(part, name) for part in (splits.train, splits.validation)])


def error_of(splits: Splits, answers: torch.Tensor) -> float:
    """Return the error of answers for the test part."""
    target, test = cast("Any", splits.target), cast("Any", splits.test)
    return normalized_mean_error(answers, test.targets, eyes=target.eyes)


def network(splits: Splits, seed: int, epochs: int | None, *, heat_maps: bool) -> float:
    """Return the error of a network, trained by the recipe of the task."""
    target: Any = splits.target
    made = LandmarkNet(len(target.points), splits.input_shape, heat_maps=heat_maps)
    made.reset_parameters(torch.Generator().manual_seed(seed))
    task = task_for(target, "landmarks").adapt_to(made)
    plan = recipe(splits, task, made)
    plan = plan if epochs is None else replace(plan, epochs=epochs)
    with use_threads(1):
        trainer = task.trainer(plan, seed=seed, progress=False)
        trainer.fit(
            with_encoded_labels(splits.train, task),
            epochs=plan.epochs,
            batch_size=plan.batch_size,
        )
        figures = measure(made, cast("Any", splits.test), task)
    return figures["normalized_mean_error"] or 0.0
