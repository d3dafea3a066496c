"""How good the defaults are on tables, beside scikit-learn's models on the same rows.

Thirteen tables, as ``neuropil train --data TABLE`` trains on them, with split seeds 0, 1, …:
seven in ``NEUROPIL_DATA``/tabular, three of scikit-learn, three made ones. The others get the
rows for training and validation together. Figures are R² and accuracy on the test rows.
``--before FILE`` compares with the figures of an earlier run (``--json FILE``).
"""

from __future__ import annotations

import csv
import json as json_text
import math
import os
import statistics
import tempfile
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import rankdata
from sklearn import datasets as bundled
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegressionCV, RidgeCV
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.defaults import as_shipped
from benchmarks.timing import report

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from neuropil.datasets import Splits
    from neuropil.runs.task import Task

FOLDER = Path(os.environ.get("NEUROPIL_DATA", "../shared/data")) / "tabular"
FILES = ("yacht", "concrete", "airfoil", "auto_mpg", "banknote", "sonar", "seeds")
BUNDLED = ("diabetes", "breast_cancer", "wine")
# The row of a table: our figure, then the others.
OURS, LINEAR = "neuropil", "linear"
MODELS = (OURS, LINEAR, "mlp", "boosting")
Figures = dict[str, dict[str, list[float]]]


def main(
    json: str | None = None,
    splits: int = 10,
    only: str | None = None,
    before: str | None = None,
) -> None:
    """Train on every table and split; print the differences to the linear model, and ranks."""
    warnings.simplefilter("ignore")
    earlier: Figures = json_text.loads(Path(before).read_text())["figures"] if before else {}
    figures: Figures = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, path in tables(Path(folder)):
            if only is not None and name not in only.split(","):
                continue
            figures[name] = {}
            for seed in range(splits):
                start = time.perf_counter()
                for model, figure in results(path, seed).items():
                    figures[name].setdefault(model, []).append(figure)
                figures[name].setdefault("seconds", []).append(time.perf_counter() - start)
            print(line(name, figures[name], earlier.get(name, {})), flush=True)
    show_ranks(figures)
    report("tables", {"figures": figures}, json)


def results(path: Path, seed: int) -> dict[str, float]:
    """Return the figure of each model on the test rows of a split."""
    splits, task, own = as_shipped(path, seed)
    return {OURS: own} | others(splits, task, seed)


def others(splits: Splits, task: Task[Any], seed: int) -> dict[str, float]:
    """Return the figures of scikit-learn's models, fitted on all rows but those of the test."""
    parts: list[Any] = [splits.train, splits.validation, splits.test]
    inputs = [part.inputs.numpy() for part in parts]
    targets = [part.targets.numpy().reshape(len(part), -1)[:, 0] for part in parts]
    if task.name == "regression":
        models: list[Any] = [
            RidgeCV(np.logspace(-2, 4, 25)),
            MLPRegressor(random_state=seed, max_iter=1000),
            HistGradientBoostingRegressor(random_state=seed),
        ]
    else:
        models = [
            LogisticRegressionCV(
                Cs=10, cv=5, max_iter=3000, l1_ratios=(0,), use_legacy_attributes=False
            ),
            MLPClassifier(random_state=seed, max_iter=1000),
            HistGradientBoostingClassifier(random_state=seed),
        ]
    found = {}
    for name, model in zip(MODELS[1:], models, strict=True):
        fitted = make_pipeline(StandardScaler(), model)
        fitted.fit(np.concatenate(inputs[:2]), np.concatenate(targets[:2]))
        found[name] = float(fitted.score(inputs[2], targets[2]))
    return found


# The tables


def tables(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the name and file of each table; others are written to the folder first."""
    for name in FILES:
        yield name, FOLDER / f"{name}.csv"
    for name in BUNDLED:
        data: Any = getattr(bundled, f"load_{name}")()
        classes = getattr(data, "target_names", None)
        labels = data.target.tolist() if classes is None else classes[data.target].tolist()
        yield name, write(folder / f"{name}.csv", data.data, labels)
    for make in (noisy_line, useless_columns, step_function):
        inputs, values = make(np.random.default_rng(0))
        yield make.__name__, write(folder / f"{make.__name__}.csv", inputs, values.tolist())


def write(path: Path, inputs: Any, targets: Sequence[Any]) -> Path:
    """Write a table."""
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow([*(f"x{k}" for k in range(inputs.shape[1])), "y"])
        rows.writerows([*row, y] for row, y in zip(inputs.tolist(), targets, strict=True))
    return path


def noisy_line(random: np.random.Generator) -> tuple[Any, Any]:
    """Return 600 rows of a line in 20 columns, which explains a third of the variance."""
    x = random.normal(size=(600, 20))
    line = x @ random.normal(size=20)
    return x, 0.7 * line / line.std() + random.normal(size=600)


def useless_columns(random: np.random.Generator) -> tuple[Any, Any]:
    """Return 500 rows of one useful and fifty useless columns."""
    x = random.normal(size=(500, 51))
    return x, x[:, 0] + 0.7 * random.normal(size=500)


def step_function(random: np.random.Generator) -> tuple[Any, Any]:
    """Return 600 rows of two steps, in two of four columns."""
    x = random.uniform(-1, 1, size=(600, 4))
    return x, (x[:, 0] > 0.2) + 0.5 * (x[:, 1] > -0.3) + 0.1 * random.normal(size=600)


# The summary


def line(name: str, found: dict[str, list[float]], earlier: dict[str, list[float]]) -> str:
    """Return the means of a table, and the paired differences to linear and to before."""
    means = "  ".join(f"{model} {statistics.fmean(found[model]):.3f}" for model in MODELS)
    text = f"{name:16} {means}   to linear {difference(found[OURS], found[LINEAR])}"
    if OURS in earlier:
        text += f"   to before {difference(found[OURS], earlier[OURS])}"
    return f"{text}   {statistics.fmean(found['seconds']):.1f} s a split"


def difference(own: list[float], other: list[float]) -> str:
    """Return the mean of paired differences and its standard error."""
    differences = [a - b for a, b in zip(own, other, strict=False)]
    count = len(differences)
    error = statistics.stdev(differences) / math.sqrt(count) if count > 1 else math.nan
    return f"{statistics.fmean(differences):+.3f} ± {error:.3f}"


def show_ranks(figures: Figures) -> None:
    """Print the mean rank of each model over all tables and splits; 1 is the best."""
    ranks = [
        rankdata([-found[model][split] for model in MODELS])
        for found in figures.values()
        for split in range(len(found[OURS]))
    ]
    pairs = zip(MODELS, np.mean(ranks, axis=0), strict=True)
    print("mean rank: " + ", ".join(f"{model} {rank:.2f}" for model, rank in pairs))
