"""Landmarks of faces: the error beside that of the mean shape, ridge regression and others."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from sklearn.linear_model import Ridge

from benchmarks.timing import report
from neuropil import datasets
from neuropil.runs.labels import with_encoded_labels
from neuropil.runs.measure import measure
from neuropil.runs.recipes.default_recipes import recipe
from neuropil.runs.tasks import task_for
from neuropil.training.threads import use_threads
from neuropil.vision import landmark_net, normalized_mean_error

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuropil.datasets import Splits

# Chosen on the validation part among 1, 10, 30, 100 and 300.
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
    rows: dict[str, Callable[[], tuple[float, float]]] = {
        "mean shape": lambda: mean_shape(splits),
        "ridge regression on pixels": lambda: ridge(splits),
        "direct network": lambda: network(splits, seed, epochs, heat_maps=False),
        "heat maps (default)": lambda: network(splits, seed, epochs, heat_maps=True),
    }
    parts = ", ".join(f"{len(part)} {name}" for name, part in splits.parts.items())
    print(f"68 points in {parts} pictures; error / distance between the eyes:")
    found: dict[str, Any] = {}
    for name, run in rows.items():
        start = time.process_time()
        validation, test = run()
        seconds = time.process_time() - start
        found[name] = {"validation": validation, "test": test, "seconds": seconds}
        print(f"  {name:28} validation {validation:.4f}, test {test:.4f}, {seconds:6.1f} s")
    report("landmarks", found, json)


def errors(splits: Splits, predict: Callable[[torch.Tensor], torch.Tensor]) -> Any:
    """Return the errors on the validation and the test part."""
    target: Any = splits.target
    found = []
    for part in (splits.validation, splits.test):
        labels: Any = part.targets
        answers = predict(part.inputs).reshape(len(labels), -1, 2)
        found.append(normalized_mean_error(answers, labels, eyes=target.eyes))
    return tuple(found)


def mean_shape(splits: Splits) -> tuple[float, float]:
    """Return the errors of always predicting the mean of the training points."""
    mean = splits.train.targets[..., :2].mean(dim=0)
    return errors(splits, lambda inputs: mean.expand(len(inputs), *mean.shape))


def ridge(splits: Splits) -> tuple[float, float]:
    """Return the errors of scikit-learn's ridge regression on the pixels."""

    def pixels(inputs: torch.Tensor) -> Any:
        return inputs.flatten(1).numpy() / 255

    labels = splits.train.targets[..., :2].flatten(1).numpy()
    model = Ridge(alpha=ALPHA).fit(pixels(splits.train.inputs), labels)
    return errors(splits, lambda inputs: torch.from_numpy(model.predict(pixels(inputs))))


def network(
    splits: Splits, seed: int, epochs: int | None, *, heat_maps: bool
) -> tuple[float, float]:
    """Return the errors of a network, trained by the recipe of the task."""
    target: Any = splits.target
    made = landmark_net(len(target.points), splits.input_shape, heat_maps=heat_maps)
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
        figures = [measure(made, part, task) for part in (splits.validation, splits.test)]
    validation, test = (part["normalized_mean_error"] or 0.0 for part in figures)
    return validation, test
