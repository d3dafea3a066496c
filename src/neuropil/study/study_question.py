"""The question of a study: the data, the baseline, and what is compared."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neuropil.datasets import DataError
from neuropil.datasets.target import Classes
from neuropil.saving.network_files import to_plain
from neuropil.text import file_stem, number_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neuropil.datasets import Splits
    from neuropil.runs.recipes.recipe import Recipe
    from neuropil.runs.task import Task
    from neuropil.study.outcomes import Outcome
    from neuropil.study.tricks.trick import Trick

# Examples of the test part without which nothing can be compared.
FEWEST_EXAMPLES = 2


@dataclass(frozen=True)
class Question:
    """The question of a study.

    Args:
        splits: The data.
        task: The task.
        recipe: The baseline.
        tricks: The tricks that are asked for.
        outcome: What is compared.
        budget: The seconds that there are, on which the number of runs depends.
        seeds: The largest number of seeds; None: as many as fit.
        smallest: The smallest difference that matters; None for the usual one.
        tune_lr: Whether the learning rates of all variants are chosen first.

    Raises:
        DataError: If the data do not allow an answer.
    """

    splits: Splits
    task: Task[Any]
    recipe: Recipe
    tricks: Sequence[Trick]
    outcome: Outcome
    budget: float
    seeds: int | None
    smallest: float | None
    tune_lr: bool = False

    def __post_init__(self) -> None:
        check_parts(self.splits, self.outcome)
        if self.tune_lr and self.splits.validation is None:
            raise DataError(
                "learning rates are chosen on validation examples, and there are none."
            )

    def to_json(self) -> dict[str, Any]:
        """Return all that determines the answer but the data, as plain data."""
        return {
            "tricks": {trick.name: trick.title for trick in self.tricks},
            "budget": self.budget,
            "seeds": self.seeds,
            "outcome": self.outcome.name,
            "smallest": self.smallest,
            "tune_lr": self.tune_lr,
            "task": self.task.to_json(),
            "recipe": plain_recipe(self.recipe),
        }

    @property
    def key(self) -> str:
        """The name of the data with a short hash of the question, the same each time."""
        return self.name_with()

    def folder(self, fingerprint: str) -> Path:
        """Return the usual folder of the results: other data, or parts of them, have another.

        Args:
            fingerprint: The fingerprint of the data.
        """
        return Path("studies", self.name_with(fingerprint))

    def name_with(self, *marks: str) -> str:
        """Return the name of the data with a short hash of the question and of some marks."""
        text = json.dumps([self.to_json(), *marks], sort_keys=True, default=repr)
        short = hashlib.blake2b(text.encode(), digest_size=4).hexdigest()
        return f"{file_stem(Path(self.splits.source).stem)}-{short}"


def check_parts(splits: Splits, outcome: Outcome) -> None:
    """Check that there are examples to compare on.

    Raises:
        DataError: If a part lacks labels, examples, or all classes but one.
    """
    parts = {"training": splits.train, "validation": splits.validation, "test": splits.test}
    if outcome.needs_test and (splits.test is None or len(splits.test) < FEWEST_EXAMPLES):
        count = 0 if splits.test is None else len(splits.test)
        raise DataError(
            f"a study compares trainings on test examples, and there are {count}: hold some "
            "out, such as a fifth with test=0.2."
        )
    if outcome.target is not None and splits.validation is None:
        raise DataError(f"{outcome.name} needs validation examples, and there are none.")
    for name, part in parts.items():
        if part is None:
            continue
        if part.targets is None:
            raise DataError(f"the {name} examples have no labels.")
        if isinstance(splits.target, Classes) and part.targets.ndim == 1:
            present = part.targets.unique().tolist()
            if len(present) == 1:
                only = splits.target.classes[int(present[0])]
                raise DataError(
                    f"all {number_of(len(part), f'{name} example')} are of the class {only!r}: "
                    "nothing can be compared on them. Shuffle the rows, or give more examples."
                )


def plain_recipe(made: Recipe) -> dict[str, Any]:
    """Return a recipe as plain data, by which two questions are told apart."""
    plain = {each.name: getattr(made, each.name) for each in fields(made)}
    del plain["choice"]  # in words, with figures that differ slightly between machines
    try:
        network: Any = to_plain(made.network)
    except ValueError:  # a layer of the user's that cannot be saved
        network = repr(made.network)
    return plain | {"network": network, "augment": repr(made.augment)}
