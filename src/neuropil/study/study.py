"""A study of tricks: which changes of a training help on some data, and by how much."""

from __future__ import annotations

import hashlib
import json
import re
import time
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from neuropil import datasets
from neuropil.checks import number, whole
from neuropil.core.atomic import make_folder, replacing
from neuropil.datasets import DataError, Splits
from neuropil.datasets.fingerprint import fingerprint
from neuropil.datasets.target import Classes
from neuropil.runs.recipes.default_recipes import recipe as default_recipe
from neuropil.runs.recipes.recipe_text import recipe_text
from neuropil.runs.recipes.recipe_threads import recipe_threads
from neuropil.runs.tasks import task_for
from neuropil.saving.network_files import to_plain
from neuropil.study.budget import seconds_of
from neuropil.study.outcomes import Outcome
from neuropil.study.runs_table import RunsTable
from neuropil.study.setup import Setup
from neuropil.study.study_plan import ALL, StudyPlan, make_plan, tricks_named
from neuropil.study.study_results import study_results
from neuropil.study.study_watch import StudyWatch
from neuropil.study.trial import Trial
from neuropil.study.worker import Worker
from neuropil.text import number_of
from neuropil.training.parallel.device_choice import choose_device

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from neuropil.runs.recipes.recipe import Recipe
    from neuropil.runs.task import Task
    from neuropil.study.study_state import StudyState

RESULTS, DATABASE, CHECKPOINTS = "study.json", "study.db", "checkpoints"
LEVEL = 0.95
# Examples of the test part without which nothing can be compared.
FEWEST_EXAMPLES = 2


@final
@dataclass(frozen=True)
class Study:
    """The results of a study.

    Attributes:
        found: The results as plain data: the content of ``study.json``.
        folder: The folder with ``study.json`` and the checkpoints.
    """

    found: dict[str, Any]
    folder: Path

    @property
    def winner(self) -> list[str]:
        """The names of the tricks that are recommended together; empty for the baseline."""
        both = self.found["together"]
        helping = [each for each in self.found["variants"] if each["verdict"] == "helps"]
        best = max(helping, key=lambda each: each["gain"], default=None)
        if both and (best is None or both["gain"] >= best["gain"]):
            return list(both["names"])
        return [best["name"]] if best else []

    def __repr__(self) -> str:
        return "\n".join(self.found["recommendation"])


def run(
    data: Any,
    *,
    tricks: Sequence[str] | str = ALL,
    budget: str | float = "30m",
    seeds: int | None = None,
    outcome: str | None = None,
    smallest: float | None = None,
    task: Task[Any] | None = None,
    recipe: Recipe | None = None,
    out: str | os.PathLike[str] | None = None,
    storage: str | None = None,
    device: str = "auto",
    threads: int | str = "auto",
    watch: StudyWatch | None = None,
) -> Study:
    """Find out which tricks help on some data, and by how much.

    A baseline is trained with several seeds, and so is each trick: one change of the baseline.
    Trainings with the same seed start from the same initial weights where shapes allow, and see
    the data in the same order; all are measured on the same test examples. Then the tricks that
    help are trained together.

    The gain that is estimated is the expected difference to the baseline over the randomness of
    training and over new examples, for this training set; see `differences`. The verdicts are
    "helps", "hurts", "no difference" larger than `smallest`, and "cannot tell"; with 95 %
    probability all that say "helps" or "hurts" are right. After each seed from the third on,
    variants with a verdict are trained no further; see `decide`.

    The runs are rows of one table. The same call again continues a study that was interrupted;
    started several times, with the same `storage`, the trainings are shared.

    Args:
        data: A `Splits`, or what `neuropil.datasets.open` takes.
        tricks: Names of tricks or of groups of them; "all" are all that apply.
        budget: The time, such as ``"30m"`` or ``"2h"``, or in seconds. The number of runs is
            fitted to it; it is exceeded by at most a tenth.
        seeds: The largest number of seeds; None: as many as fit, at most 20.
        outcome: What is compared: a metric of the task, by default its headline; "log_loss";
            "seconds" of training; or "steps_to:0.95", the steps until the headline metric has
            this value on the validation part.
        smallest: The smallest difference that matters, in percentage points for accuracies and
            the like; None: half a point, or 1 % of the baseline's outcome.
        task: The task; None: what the labels suggest.
        recipe: The baseline; None: the default network and training for the data.
        out: Folder of the results; None: one in ``studies``, named after the data and the
            question.
        storage: URL of the database of the runs: SQLite or PostgreSQL; None: a file in the
            folder.
        device: The device to train on.
        threads: The number of CPU threads of a training.
        watch: Told what happens.

    Raises:
        ValueError: If an option cannot be used, no trick applies, or the time is too short.
        DataError: If the data cannot be used, or have changed since the study began.

    Reference:
        Mishkin, Sergievskiy, Matas, "Systematic evaluation of convolution neural network
        advances on the ImageNet", 2017; theirs has one seed and no intervals.

    Example:
        >>> from neuropil import datasets, study
        >>> digits = datasets.load_handwritten_digits()
        >>> found = study.run(digits, tricks=["elu", "dropout"], budget="5m")  # doctest: +SKIP
        >>> found  # doctest: +SKIP
        Use dropout of 0.5 before the last layer: +0.9 points of accuracy (0.3 to 1.5).
    """
    splits = data if isinstance(data, Splits) else datasets.open(data)
    task = task or task_for(splits.target, None, splits.train.targets)
    recipe = recipe or default_recipe(splits, task)
    task = task.adapt_to(recipe.network)
    compared = Outcome.named(outcome, task)
    check_data(splits, compared)
    most = (
        seconds_of(budget) if isinstance(budget, str) else number(budget, "budget", "(0, inf)")
    )
    seeds = None if seeds is None else whole(seeds, "seeds")
    if smallest is not None:
        number(smallest, "smallest", "[0, inf)")
    begun = time.monotonic()
    asked = {
        "tricks": [trick.name for trick in tricks_named(tricks)],
        "seeds": seeds,
        "outcome": compared.name,
        "smallest": smallest,
        "task": task.to_json(),
        "recipe": plain_recipe(recipe),
    }
    mark = fingerprint(splits)
    key = f"{stem(splits.source)}-{digest_of(asked)}"
    folder = Path("studies", key) if out is None else Path(out)
    make_folder(folder)
    table = RunsTable.open(storage or folder / DATABASE, key)
    table.create(asked, mark)
    trial = Trial(
        splits,
        task,
        Setup(recipe),
        device=str(choose_device(device, recipe.network)),
        threads=recipe_threads(recipe, splits)
        if threads == "auto"
        else whole(threads, "threads"),
    )
    watch = watch or StudyWatch()
    stored = table.plan()
    if stored is None:
        plan = make_plan(
            tricks_named(tricks), trial, compared,
            budget=most, seeds=seeds, say=watch.on_measuring,
        )  # fmt: skip
        stored = table.fix_plan(plan.to_json())
    plan = StudyPlan.from_json(stored)
    trial = Trial(splits, task, trial.baseline, device=trial.device, threads=plan.threads)
    table.add(plan.runs)
    watch.on_plan(plan)

    def found(state: StudyState) -> dict[str, Any]:
        seconds = sum(map(sum, state.seconds.values()))
        facts = {"fingerprint": mark, "key": key, "seconds": seconds}
        return study_results(state, trial, facts, recipe_text(recipe, task, len(splits.train)))

    worker = Worker(
        table,
        plan,
        trial,
        compared,
        smallest,
        LEVEL,
        folder / CHECKPOINTS,
        begun + most,
        lambda state, name, seed: watch.on_run(lambda: found(state), name, seed),
    )
    results = found(worker.work())
    with replacing(folder / RESULTS) as file:
        file.write(json.dumps(results, ensure_ascii=False, indent=1).encode())
    return Study(results, folder)


def check_data(splits: Splits, outcome: Outcome) -> None:
    """Check that there are examples to compare on.

    Raises:
        DataError: If a part lacks labels, examples, or all classes but one.
    """
    parts = {"training": splits.train, "validation": splits.validation, "test": splits.test}
    if outcome.needs_test and (splits.test is None or len(splits.test) < FEWEST_EXAMPLES):
        count = 0 if splits.test is None else len(splits.test)
        raise DataError(
            f"a study compares trainings on test examples, and there are {count}: "
            "hold some out, such as a fifth with test=0.2."
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
    """Return a recipe as plain data, by which two studies are told apart."""
    plain = {each.name: getattr(made, each.name) for each in fields(made)}
    try:
        network: Any = to_plain(made.network)
    except ValueError:  # a layer of the user's that cannot be saved
        network = repr(made.network)
    return plain | {"network": network, "augment": repr(made.augment)}


def digest_of(asked: dict[str, Any]) -> str:
    """Return a short hash of what is asked, the same for the same question."""
    text = json.dumps(asked, sort_keys=True, default=repr)
    return hashlib.blake2b(text.encode(), digest_size=4).hexdigest()


def stem(source: str) -> str:
    """Return the name of data as the beginning of a file name."""
    return re.sub(r"[^\w.-]+", "-", Path(source).stem).strip("-.") or "data"
