"""Does a study find what is not there? Shuffled labels, and a set of the size of iris.

Each study compares a small network with eight tricks, by `study.run`, with up to five seeds. In
the first 20 the labels of 424 breast tumours, as many malignant as benign, are shuffled: no
trick can help or hurt, and at most three studies may say that one helps. In the other 20 the
150 irises, of which 30 are test examples, are divided anew each time: here every verdict should
be that nothing can be told.
"""

from __future__ import annotations

import time
from collections import Counter
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.datasets import load_breast_cancer, load_iris

from benchmarks.timing import report
from neuropil import datasets, study
from neuropil.layers import Input, Relu, Softmax
from neuropil.runs.recipes.recipe import Recipe

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuropil.datasets import Splits

TRICKS = (
    "elu", "tanh", "dropout_20", "batch_norm_before", "double_width", "half_width",
    "more_weight_decay", "quarter_batch",
)  # fmt: skip
SEEDS, MOST_FALSE = 5, 3


def main(json: str | None = None, rounds: int = 20) -> None:
    """Print the verdicts of `rounds` studies of each kind."""
    null = studies("shuffled labels", shuffled, rounds, epochs=5)
    helping = null["studies with"]["helps"]
    print(f"a trick 'helps' in {helping} studies of {rounds}, at most {MOST_FALSE}: "
          f"{'yes' if helping <= MOST_FALSE else 'NO'}")  # fmt: skip
    small = studies("iris", iris, rounds, epochs=30)
    others = {name: n for name, n in small["verdicts"].items() if name != "cannot tell"}
    print(f"every verdict is 'cannot tell': {'NO, ' + str(others) if others else 'yes'}")
    report("study_null", {"rounds": rounds, "shuffled": null, "iris": small}, json)


def studies(
    name: str, data: Callable[[int], Splits], rounds: int, *, epochs: int
) -> dict[str, Any]:
    """Run studies of one kind and print their verdicts."""
    begun, runs = time.process_time(), 0
    told: list[Counter[str]] = []
    said: list[dict[str, Any]] = []
    for number in range(rounds):
        found = one_study(data(number), epochs)
        told.append(Counter(each["verdict"] for each in found["variants"]))
        said += [
            {"study": number} | {key: each[key] for key in ("name", "verdict", "gain", "p")}
            for each in found["variants"]
            if each["verdict"] != "cannot tell"
        ]
        runs += sum(len(each["figures"]) for each in (found["baseline"], *found["variants"]))
    verdicts = sum(told, Counter())
    seconds = (time.process_time() - begun) / runs
    with_one = {kind: sum(kind in one for one in told) for kind in ("helps", "hurts")}
    print(f"{name}: {rounds} studies, {runs:,} trainings, {seconds:.3f} processor seconds each")
    print(f"verdicts {dict(verdicts)}; studies with one that helps {with_one['helps']}, that "
          f"hurts {with_one['hurts']}", flush=True)  # fmt: skip
    return {
        "runs": runs, "seconds": seconds, "verdicts": dict(verdicts), "studies with": with_one,
        "told": said,
    }  # fmt: skip


def one_study(splits: Splits, epochs: int) -> dict[str, Any]:
    """Return the results of a study."""
    target: Any = splits.target
    classes = len(target.classes)
    network = Input(*splits.input_shape) >> Relu(16) >> Relu(16) >> Softmax(classes)
    recipe = Recipe(
        network, optimizer="adamw", lr=0.01, weight_decay=0.01, schedule="one_cycle",
        epochs=epochs, batch_size=32,
    )  # fmt: skip
    with TemporaryDirectory() as folder:
        done = study.run(
            splits, tricks=TRICKS, budget="1h", seeds=SEEDS, recipe=recipe, out=folder,
            threads=1,
        )  # fmt: skip
    return done.found


def shuffled(seed: int) -> Splits:
    """Return breast tumours with shuffled labels, half of them malignant."""
    rng = np.random.default_rng(seed)
    inputs, targets = load_breast_cancer(return_X_y=True)
    classes = [np.flatnonzero(targets == each) for each in (0, 1)]
    fewest = min(map(len, classes))
    rows = np.concatenate([rng.permutation(own)[:fewest] for own in classes])
    return table(inputs[rows], rng.permutation(targets[rows]), seed)


def iris(seed: int) -> Splits:
    """Return the irises, divided anew."""
    inputs, targets = load_iris(return_X_y=True)
    return table(inputs, targets, seed)


def table(inputs: Any, targets: Any, seed: int) -> Splits:
    """Return a table, divided by a seed."""
    columns: dict[str, Any] = {f"x{k}": column for k, column in enumerate(inputs.T)}
    columns["y"] = [f"class {each}" for each in targets]
    return datasets.open(columns, target="y", seed=seed)
