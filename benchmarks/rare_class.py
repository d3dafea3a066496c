"""A class of 2 %: does its threshold find more, and do the intervals of its figures hold?

Tables of 5,000 rows of scikit-learn's ``make_classification``, trained by the defaults. The
truth is measured on 40,000 further rows, and 40 test parts of 1,000 of them show how often the
95 % intervals hold it.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import torch
from sklearn.datasets import make_classification

from benchmarks.timing import report
from neuropil import datasets
from neuropil.report.classification_figures import classification_figures
from neuropil.report.evidence import Evidence
from neuropil.runs.measure import answers_of, measure
from neuropil.runs.recipes.default_recipes import recipe
from neuropil.runs.tasks import task_for

if TYPE_CHECKING:
    from neuropil.datasets import Dataset, Splits

ROWS, FURTHER, PART = 5000, 40_000, 1000


def main(json: str | None = None, rounds: int = 10) -> None:
    """Train once a seed; print F1 with and without the threshold, and the coverage."""
    held: dict[str, list[bool]] = {}
    f1: list[list[float]] = []
    for seed in range(rounds):
        splits, further = tables(seed)
        network, task = trained(splits, seed)
        answers = answers_of(network, further, task)
        truth = known(measure(network, further, task))
        half = known(measure(network, further, replace(task, threshold=None)))
        for start in range(0, FURTHER, PART):
            part: Any = further[start : start + PART]
            values = known(measure(network, part, task))
            own = answers[start : start + PART].double().numpy()
            evidence = Evidence("test", part, own, part.targets.numpy(), task)
            for name, figure in classification_figures(evidence, values).items():
                held.setdefault(name, []).append(figure.low <= truth[name] <= figure.high)
        f1.append([truth["f1 of yes"], half.get("f1 of yes", 0.0)])
        print(f"seed {seed}   threshold {task.threshold:.3f}   F1 {f1[-1][0]:.3f}, "
              f"{f1[-1][1]:.3f} with one half", flush=True)  # fmt: skip
    means = np.mean(f1, axis=0).tolist()
    coverage = {name: float(np.mean(each)) for name, each in held.items()}
    print(f"mean F1 {means[0]:.3f}, {means[1]:.3f} with one half")
    for name, share in coverage.items():
        count = len(held[name])
        print(f"{name:20} the interval holds the truth in {share:.1%} of {count} parts")
    report("rare_class", {"f1": f1, "coverage": coverage}, json)


def tables(seed: int) -> tuple[Splits, Dataset]:
    """Return a table of 5,000 rows, opened as a file, and further rows of the same kind."""
    x, y = make_classification(
        ROWS + FURTHER, 12, n_informative=5, n_redundant=2, weights=[0.98], flip_y=0.004,
        class_sep=1.2, random_state=seed,
    )  # fmt: skip
    columns: dict[str, Any] = {f"x{k}": x[:, k] for k in range(12)}
    table = pa.table(columns | {"fraud": np.where(y, "yes", "no")})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "table.csv")
        pyarrow.csv.write_csv(table[:ROWS], path)
        splits = datasets.open(path, seed=seed)
    further = torch.from_numpy(x[ROWS:]).float(), torch.from_numpy(y[ROWS:])
    return splits, datasets.Dataset(*further)


def trained(splits: Any, seed: int) -> tuple[Any, Any]:
    """Return the network that the defaults give, and its task with the threshold."""
    task = task_for(splits.target, labels=splits.train.targets)
    made = recipe(splits, task)
    made.network.reset_parameters(torch.Generator().manual_seed(seed))
    trainer = task.trainer(made, seed=seed, progress=False)
    parts = [splits.train, splits.validation]
    data = [(part.inputs, task.encode(part.targets)) for part in parts]
    trainer.fit(*data, epochs=made.epochs, batch_size=made.batch_size)
    held_out = splits.validation
    return made.network, task.settle(answers_of(made.network, held_out, task), held_out.targets)


def known(figures: dict[str, float | None]) -> dict[str, float]:
    """Return the figures that are defined."""
    return {name: value for name, value in figures.items() if value is not None}
