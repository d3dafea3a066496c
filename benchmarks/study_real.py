"""Studies of real data, by `study.run`: each prints what it found and writes its page.

The pictures are classified by the network of the published comparison, its form for 32 pixels
at a quarter of its width, and trained as there: momentum, a weight decay of 5e-4, pictures
flipped at random, the rate divided by ten in steps. The table has its default training, the
detector finds digits in scenes. A study that was stopped is continued from its folder.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from typing_extensions import override

from benchmarks.timing import report
from neuropil import datasets, study
from neuropil.architectures import caffenet128
from neuropil.datasets.augmentation import RandomFlip
from neuropil.report.study import write_study
from neuropil.runs.recipes.default_recipes import recipe as default_recipe
from neuropil.runs.recipes.recipe import Recipe
from neuropil.runs.tasks import task_for
from neuropil.study.study_watch import StudyWatch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from neuropil.datasets import Splits

PUBLISHED = (
    "batch_norm_after", "elu", "dropout_20", "linear_decay", "max_average_pooling", "tanh",
    "average_pooling", "convolutional_head", "half_width", "learned_colorspace",
    "batch_norm_before", "prelu", "very_leaky_relu", "strided_convolution", "pooling_2x2",
    "exponential_decay", "fourfold_batch", "nesterov", "rotation_5", "half_of_the_examples",
    "label_noise_10",
)  # fmt: skip
FEWER = (
    "batch_norm_after", "elu", "dropout_20", "linear_decay", "max_average_pooling", "tanh",
    "average_pooling", "half_width", "batch_norm_before", "prelu", "very_leaky_relu",
    "strided_convolution", "pooling_2x2", "nesterov",
)  # fmt: skip
TABLE = ("activation", "dropout", "batch_norm_before", "double_width", "half_width", "schedule")


@dataclass(frozen=True)
class Real:
    """A study of real data.

    Attributes:
        read: Returns the data, from the folder of all data.
        recipe: Returns the baseline.
        tricks: The names of the tricks.
        budget: The time.
        seeds: The largest number of seeds.
        outcome: What is compared; None for the task's own.
    """

    read: Callable[[Path], Splits]
    recipe: Callable[[Splits], Recipe]
    tricks: Sequence[str]
    budget: str
    seeds: int | None = None
    outcome: str | None = None


def main(
    json: str | None = None, data: str = "fashion_mnist", out: str = "", budget: str = ""
) -> None:
    """Run the study of one set.

    Args:
        json: Where figures go.
        data: The set: cifar10_subset, fashion_mnist, concrete or scenes.
        out: Folder of the study; by default one in ``studies``.
        budget: The time, in place of the set's own.
    """
    asked = STUDIES[data]
    splits = asked.read(Path(os.environ.get("NEUROPIL_DATA", "../shared/data")))
    wall, processor = time.perf_counter(), time.process_time()
    done = study.run(
        splits,
        tricks=asked.tricks,
        budget=budget or asked.budget,
        seeds=asked.seeds,
        outcome=asked.outcome,
        recipe=asked.recipe(splits),
        out=out or Path("studies", data),
        threads=1,
        watch=Printed(),
    )
    minutes = (time.perf_counter() - wall) / 60, (time.process_time() - processor) / 60
    page = write_study(done.folder / "study.html", done.found)
    print(f"{data}: {minutes[0]:.0f} minutes, {minutes[1]:.0f} of a processor; {page}")
    print(done)
    report("study_real", {"data": data, "minutes": minutes, **done.found}, json)


class Printed(StudyWatch):
    """Prints a line before each training."""

    @override
    def on_run(self, find: Callable[[], dict[str, Any]], name: str, seed: int) -> None:
        print(f"{time.strftime('%H:%M:%S')}   seed {seed}   {name}", flush=True)


def cifar(folder: Path) -> Splits:
    """Return 4,000 training and 1,000 test pictures of CIFAR-10."""
    return named(datasets.open(folder / "cifar10_subset"), "CIFAR-10, 4,000 training pictures")


def concrete(folder: Path) -> Splits:
    """Return the strength of 1,030 concretes."""
    return named(datasets.open(folder / "tabular/concrete.csv"), "concrete")


def named(splits: Splits, source: str) -> Splits:
    """Return data under another name."""
    parts = splits.train, splits.validation, splits.test
    return datasets.Splits(*parts, preparation=splits.preparation, source=source)


def fashion(folder: Path) -> Splits:
    """Return 10,000 pictures of clothes, of which 1,000 for validation, and all of the test."""
    whole = datasets.open(folder / "fashion_mnist", validation=0.1)
    rng = np.random.default_rng(0)

    def some(part: Any, count: int) -> Any:
        return part[np.sort(rng.choice(len(part), count, replace=False))]

    return datasets.Splits(
        some(whole.train, 9_000), some(whole.validation, 1_000), whole.test,
        preparation=whole.preparation, source="Fashion-MNIST, 10,000 training pictures",
    )  # fmt: skip


def caffenet(epochs: int, lr: float, batch_size: int) -> Callable[[Splits], Recipe]:
    """Return a function that gives the published baseline for some data."""

    def made(splits: Splits) -> Recipe:
        classes: Any = splits.target
        network = caffenet128(len(classes.classes), input_shape=splits.input_shape, width=0.25)
        return Recipe(
            network, optimizer="momentum", lr=lr, weight_decay=5e-4, schedule="step_decay",
            epochs=epochs, batch_size=batch_size, augment=RandomFlip(),
        )  # fmt: skip

    return made


def default(splits: Splits) -> Recipe:
    """Return the default training for some data."""
    return default_recipe(splits, task_for(splits.target, None, splits.train.targets))


def short(splits: Splits) -> Recipe:
    """Return the default training of a detector, shortened."""
    return replace(default(splits), epochs=4)


STUDIES = {
    "cifar10_subset": Real(
        cifar, caffenet(20, 0.02, 64), PUBLISHED, "100m", 3,
    ),
    "fashion_mnist": Real(
        fashion, caffenet(8, 0.01, 64), FEWER, "60m", 3,
    ),
    "concrete": Real(
        concrete, default, TABLE, "10m", outcome="rmse",
    ),
    "scenes": Real(
        lambda _: datasets.make_digit_scenes(), short, ["pretrain"], "20m", 5, "ap50",
    ),
}  # fmt: skip
