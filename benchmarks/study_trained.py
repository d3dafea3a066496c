"""Do a study's 95 % intervals hold the truth? 200 studies of really trained small networks.

Two classes of six features, a tenth of the labels flipped. Each of ten training sets of 300
examples has 20 studies, each with its own five seeds and its own 300 test examples. The changes
have true effects, but for two: features in reverse order are equal in distribution, and layers
with other names are the very same trainings. The truth, the expected difference for this
training set, is that of 200 further seeds on 20,000 examples whose labels count with their
probabilities; of the two without an effect it is 0. Studies of three seeds are the first three
of five. With the strong weight decay some trainings collapse: their accuracies are skewed, and
three seeds often miss the collapsed ones.

`study.run` numbers its seeds from 0, so that all studies of a training set would train the same
networks. Hence the pieces below it are used: `Trial`, `Outcome` and `differences`.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from typing_extensions import override

from benchmarks.timing import report
from neuropil import datasets
from neuropil.datasets import Dataset, Splits
from neuropil.layers import Input, Module, Relu, Softmax
from neuropil.runs.measure import outputs_of
from neuropil.runs.recipes.recipe import Recipe
from neuropil.runs.tasks import task_for
from neuropil.study.estimates.differences import differences
from neuropil.study.estimates.verdicts import verdicts
from neuropil.study.outcomes import Outcome
from neuropil.study.setups.setup import Setup
from neuropil.study.trial import Trial
from neuropil.study.tricks.trick_table import by_name

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from neuropil.datasets.preparation import Preparation
    from neuropil.runs.task import Task
    from neuropil.study.trial import Trained

    Values = dict[str, dict[int, NDArray[Any]]]

FEATURES, FLIPPED, EXAMPLES, POPULATION = 6, 0.1, 300, 20_000
STUDIES, SEEDS, FEWER, FURTHER = 20, 5, 3, 200
BASELINE, REVERSED, RENAMED = "baseline", "reversed features", "renamed layers"
NO_EFFECT = (REVERSED, RENAMED)
SMALLEST = 0.5
COVERAGE = (0.91, 0.98)
ROW = "{:18} {:>6} {:>6} {:>9} {:>6} {:>9}"


def main(json: str | None = None, rounds: int = 10) -> None:
    """Print the coverage of each change; `rounds` is the number of training sets."""
    rng, begun = np.random.default_rng(0), time.process_time()
    studied: dict[int, list[dict[str, Any]]] = {FEWER: [], SEEDS: []}
    runs = 0
    for _ in range(rounds):
        values, accuracies = train_all(rng)
        runs += accuracies.size
        for study in range(STUDIES):
            for seeds, results in studied.items():
                results.append(one_study(values, accuracies, study * SEEDS, seeds))
    each = (time.process_time() - begun) / runs
    print(f"{rounds * STUDIES} studies, {runs:,} trainings, {each:.3f} processor seconds each")
    cells = [summary(seeds, results) for seeds, results in studied.items()]
    report("study_trained", {"rounds": rounds, "seconds": each, "cells": cells}, json)


# One training set


def train_all(rng: np.random.Generator) -> tuple[Values, NDArray[Any]]:
    """Train all seeds of all setups on one training set.

    Returns:
        The values of the runs of studies by setup and seed; and the accuracies on the
        population, (setups, seeds), in points.
    """
    trials = new_trials(rng)
    own, population = setups(trials[0].baseline, trials[0].task), draw(rng, POPULATION)
    chance = chances(population)
    outcome = Outcome.named("accuracy", trials[0].task)
    accuracies = np.empty((len(own), SEEDS + FURTHER))
    values: Values = {name: {} for name in own}
    for row, (name, setup) in enumerate(own.items()):
        for seed in range(SEEDS + FURTHER):
            study = min(seed // SEEDS, STUDIES - 1)
            trained = trials[study].train(setup, seed)
            accuracies[row, seed] = 100 * accuracy(trained, population, chance)
            if seed < STUDIES * SEEDS:
                values[name][seed] = trials[study].measure(setup, seed, outcome, trained)
    return values, accuracies


def new_trials(rng: np.random.Generator) -> list[Trial]:
    """Return one trial per study: a common training set, and a test set for each."""
    train, prepared = draw(rng, EXAMPLES), preparation(rng)
    network = Input(FEATURES) >> Relu(12) >> Relu(12) >> Softmax(2)
    recipe = Recipe(
        network, optimizer="adamw", lr=0.02, weight_decay=0.01, schedule="one_cycle", epochs=6,
        batch_size=32,
    )  # fmt: skip
    task = task_for(prepared.target)
    parts = (
        Splits(train, None, draw(rng, EXAMPLES), preparation=prepared, source="planted")
        for _ in range(STUDIES)
    )
    return [Trial(splits, task, Setup(recipe)) for splits in parts]


def setups(baseline: Setup, task: Task[Any]) -> dict[str, Setup]:
    """Return the baseline and its changes by name."""

    def change(**options: Any) -> Setup:
        return replace(baseline, recipe=replace(baseline.recipe, **options))

    def selected(*places: int) -> Setup:
        hidden = Relu(12, name="relu1") >> Relu(12, name="relu2")
        return change(network=Input(FEATURES) >> Module(Select(places)) >> hidden >> Softmax(2))

    made = {
        BASELINE: baseline,
        "double_width": by_name("double_width").change(baseline, task),
        "tanh": by_name("tanh").change(baseline, task),
        "a quarter of lr": change(lr=0.005),
        "300 × decay": change(weight_decay=3.0),
        "20 % wrong labels": replace(baseline, noise=0.2),
        "a feature less": selected(0, 1, 2, 4, 5),
        REVERSED: selected(*reversed(range(FEATURES))),
        RENAMED: change(
            network=Input(FEATURES) >> Relu(12, name="a") >> Relu(12, name="b") >> Softmax(2)
        ),
    }
    return {name: setup for name, setup in made.items() if isinstance(setup, Setup)}


class Select(nn.Module):
    """Takes some of the features, in a given order."""

    def __init__(self, places: tuple[int, ...]) -> None:
        super().__init__()
        self.places = list(places)

    @override
    def forward(self, x: Tensor) -> Tensor:
        return x[:, self.places]


# The generating process


def draw(rng: np.random.Generator, count: int) -> Dataset:
    """Return new examples of two classes."""
    x = torch.tensor(rng.normal(size=(count, FEATURES)), dtype=torch.float32)
    flipped = torch.tensor(rng.random(count) < FLIPPED)
    return Dataset(x, (is_second(x) ^ flipped).long())


def is_second(x: Tensor) -> Tensor:
    """Return which examples are of the second class, before labels are flipped."""
    return x[:, 0] * x[:, 1] + torch.sin(2 * x[:, 2]) + 0.7 * x[:, 3] > 0


def chances(examples: Dataset) -> Tensor:
    """Return the probability of each label, (examples, 2)."""
    second = is_second(examples.inputs).double()
    second = FLIPPED + (1 - 2 * FLIPPED) * second
    return torch.stack([1 - second, second], dim=1)


def preparation(rng: np.random.Generator) -> Preparation:
    """Return the preparation of such examples, which are standardised as they are."""
    table: dict[str, Any] = {f"x{k}": rng.normal(size=20) for k in range(FEATURES)}
    table["y"] = ["first", "second"] * 10
    return datasets.open(table, target="y", validation=0, test=0).preparation


def accuracy(trained: Trained, examples: Dataset, chance: Tensor) -> float:
    """Return the expected share of labels that a network predicts."""
    batch = examples.fetch(range(len(examples)))
    predicted = outputs_of(trained.network, batch, trained.task).argmax(1, keepdim=True)
    return float(chance.gather(1, predicted).mean())


# The studies


def one_study(
    values: Values, accuracies: NDArray[Any], first: int, seeds: int
) -> dict[str, Any]:
    """Return what a study finds from some seeds, and the truth by all others but its own."""
    own = range(first, first + seeds)
    others = np.delete(accuracies, range(first, first + SEEDS), axis=1).mean(axis=1)
    names = [name for name in values if name != BASELINE]
    known = np.array([name not in NO_EFFECT for name in names])
    found = differences(
        {name: {seed: runs[seed] for seed in own} for name, runs in values.items()}
    )
    said = [*verdicts(found, SMALLEST).values()]
    return {
        "names": names,
        "truth": np.where(known, others[1:] - others[0], 0.0),
        "ends": np.array([(one.low, one.high) for one in found]),
        "verdicts": np.array(said),
    }


def summary(seeds: int, results: list[dict[str, Any]]) -> dict[str, Any]:
    """Print a row per change, and how often studies are wrong; return the figures."""
    names = results[0]["names"]
    truth, ends, said = (
        np.array([one[key] for one in results]) for key in ("truth", "ends", "verdicts")
    )
    held = (ends[..., 0] <= truth) & (truth <= ends[..., 1])
    width = ends[..., 1] - ends[..., 0]
    false = ((said == "helps") & (truth <= 0)) | ((said == "hurts") & (truth >= 0))
    same = (said == "no difference") & (np.abs(truth) > SMALLEST)
    print(f"\n{seeds} seeds:")
    print(ROW.format("change", "truth", "width", "coverage", "false", "cannot tell"))
    rows = [
        {
            "name": name, "truth": float(truth[:, k].mean()),
            "width": float(width[:, k].mean()),
            "coverage": float(held[:, k].mean()), "false": int(false[:, k].sum()),
            "cannot tell": float((said[:, k] == "cannot tell").mean()),
        }
        for k, name in enumerate(names)
    ]  # fmt: skip
    for row in rows:
        print(ROW.format(row["name"], f"{row['truth']:+.2f}", f"{row['width']:.2f}",
                         f"{row['coverage']:.1%}", row["false"],
                         f"{row['cannot tell']:.0%}"))  # fmt: skip
    effects = [k for k, name in enumerate(names) if name != RENAMED]
    low, high = COVERAGE
    coverage = float(held[:, effects].mean())
    print(f"all but the renamed: {coverage:.1%}, to be from {low:.0%} to {high:.0%}: "
          f"{'yes' if low <= coverage <= high else 'NO'}; with it {held.mean():.1%}; "
          f"mean width {width.mean():.2f}")  # fmt: skip
    print(f"studies with a false 'helps' or 'hurts': {false.any(axis=1).mean():.1%}; with a "
          f"false 'no difference': {same.any(axis=1).mean():.1%}", flush=True)  # fmt: skip
    return {
        "seeds": seeds, "coverage": coverage, "with renamed": float(held.mean()),
        "width": float(width.mean()), "false": float(false.any(axis=1).mean()),
        "false same": float(same.any(axis=1).mean()), "changes": rows,
    }  # fmt: skip
