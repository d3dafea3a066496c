"""A study of tricks: which changes of a training help on some data, and by how much."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, final

from typing_extensions import override

from neuropil import datasets
from neuropil.checks import number, whole
from neuropil.core.atomic import make_folder, replacing
from neuropil.datasets import Splits
from neuropil.datasets.fingerprint import fingerprint
from neuropil.runs.recipes.default_recipes import recipe as default_recipe
from neuropil.runs.recipes.recipe_text import recipe_text
from neuropil.runs.recipes.recipe_threads import recipe_threads
from neuropil.runs.tasks import task_for
from neuropil.study.budget import seconds_of
from neuropil.study.outcomes import Outcome
from neuropil.study.setups.setup import Setup
from neuropil.study.shared_runs.runs_table import RunsTable
from neuropil.study.study_file import RESULTS, read_study
from neuropil.study.study_plan import ALL, StudyPlan, make_plan, tricks_named
from neuropil.study.study_question import Question
from neuropil.study.study_results import study_results
from neuropil.study.study_watch import StudyWatch
from neuropil.study.study_worker import Worker
from neuropil.study.trial import Trial
from neuropil.training.parallel.device_choice import choose_device

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from neuropil.runs.recipes.recipe import Recipe
    from neuropil.runs.task import Task
    from neuropil.study.study_state import StudyState

DATABASE, CHECKPOINTS = "study.db", "checkpoints"
LEVEL = 0.95


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

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Self:
        """Read the results of a study.

        Args:
            path: The folder of the study, or its ``study.json``.

        Raises:
            FileNotFoundError: If no study is there.
            ValueError: If it is damaged, of a newer format, or not a study.
        """
        place = Path(path)
        return cls(read_study(place), place if place.is_dir() else place.parent)

    @property
    def best(self) -> dict[str, Any]:
        """The entry of what is recommended: several tricks together, one, or the baseline."""
        both = self.found.get("together")
        helping = [each for each in self.found["variants"] if each["verdict"] == "helps"]
        best = max(helping, key=lambda each: each["gain"], default=None)
        if both and (best is None or both["gain"] >= best["gain"]):
            return both
        return best or self.found["baseline"]

    @property
    def winner(self) -> list[str]:
        """The names of the tricks that are recommended together; empty for the baseline."""
        best = self.best
        if best is self.found["baseline"]:
            return []
        return list(best.get("names", [best.get("name")]))

    @override
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
    tune_lr: bool = False,
    task: Task[Any] | None = None,
    recipe: Recipe | None = None,
    out: str | os.PathLike[str] | None = None,
    storage: str | None = None,
    device: str = "auto",
    threads: int | str = "auto",
    watch: StudyWatch | None = None,
    options: Mapping[str, Any] | None = None,
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
        tricks: Names of tricks or of groups of them; "all" are all that apply. A grid such as
            "elu+dropout" is each of one side with each of the other, and all of them alone; the
            results say by how much two together exceed the sum of their gains.
        budget: The time, such as ``"30m"`` or ``"2h"``, or in seconds. The number of runs is
            fitted to it; it is exceeded by at most a tenth.
        seeds: The largest number of seeds; None: as many as fit, at most 20.
        outcome: What is compared: a metric of the task, by default its headline; "log_loss";
            "seconds" of training; or "steps_to:0.95", the steps until the headline metric has
            this value on the validation part.
        smallest: The smallest difference that matters, in percentage points for accuracies and
            the like; None: half a point, or 1 % of the baseline's outcome.
        tune_lr: Whether the baseline and each trick take half, once or twice their learning
            rate, whichever is best on the validation examples in a training of its own.
        task: The task; None: what the labels suggest.
        recipe: The baseline; None: the default network and training for the data.
        out: Folder of the results; None: one in ``studies``, named after the data and the
            question.
        storage: URL of the database of the runs: SQLite or PostgreSQL; None: a file in the
            folder.
        device: The device to train on.
        threads: The number of CPU threads of a training.
        watch: Told what happens.
        options: The options of the command line that give the data and the baseline, as plain
            data; they are stored in the results, for ``neuropil train --from-study``.

    Raises:
        ValueError: If an option cannot be used, no trick applies, the time is too short, or the
            folder has the results of another study.
        DataError: If the data cannot be used, or have changed since the study began.

    Reference:
        Mishkin, Sergievskiy, Matas, "Systematic evaluation of convolution neural network
        advances on the ImageNet", 2017; theirs has one seed and no intervals.

    Example:
        >>> from dataclasses import replace
        >>> from tempfile import TemporaryDirectory
        >>> from neuropil import datasets, study
        >>> from neuropil.runs.recipes.default_recipes import recipe
        >>> from neuropil.runs.tasks import task_for
        >>> digits = datasets.load_handwritten_digits()
        >>> short = replace(recipe(digits, task_for(digits.target)), epochs=1)
        >>> asked = {"tricks": ["half_width"], "seeds": 2, "recipe": short}
        >>> with TemporaryDirectory() as folder:
        ...     done = study.run(digits, **asked, out=folder)
        >>> (found,) = done.found["variants"]
        >>> found["title"], found["verdict"]
        ('Half the filters and units', 'cannot tell')
    """
    splits = data if isinstance(data, Splits) else datasets.open(data)
    begun, most = time.monotonic(), seconds_in(budget)
    task = task or task_for(splits.target, None, splits.train.targets)
    recipe = recipe or default_recipe(splits, task)
    task = task.adapt_to(recipe.network)
    question = Question(
        splits,
        task,
        recipe,
        tricks_named(tricks),
        Outcome.named(outcome, task),
        most,
        seeds if seeds is None else whole(seeds, "seeds"),
        smallest if smallest is None else number(smallest, "smallest", "[0, inf)"),
        tune_lr,
    )
    mark = fingerprint(splits)
    folder = question.folder(mark) if out is None else Path(out)
    make_folder(folder)
    check_results(folder / RESULTS, question.key)
    table = RunsTable.open(storage or folder / DATABASE, question.key)
    table.create(question.to_json(), mark)
    own = recipe_threads(recipe, splits) if threads == "auto" else whole(threads, "threads")
    place = str(choose_device(device, recipe.network))
    trial = Trial(splits, task, Setup(recipe), device=place, threads=own)
    watch = watch or StudyWatch()
    plan = shared_plan(question, table, trial, watch)
    watch.on_plan(plan)

    def found(state: StudyState) -> dict[str, Any]:
        return results_of(state, question, trial, mark)

    worker = Worker(
        table,
        plan,
        replace(trial, threads=plan.threads),
        question.outcome,
        question.smallest,
        LEVEL,
        folder / CHECKPOINTS,
        begun + most,
        lambda state, name, seed: watch.on_run(lambda: found(state), name, seed),
    )
    results = found(worker.work()) | {"options": options and dict(options)}
    with replacing(folder / RESULTS) as file:
        file.write(json.dumps(results, ensure_ascii=False, indent=1).encode())
    return Study(results, folder)


def check_results(file: Path, key: str) -> None:
    """Check that the results of a study may be written to a file.

    Args:
        file: The file.
        key: The name of the study.

    Raises:
        ValueError: If the file is that of another study, or something else.
    """
    if not file.exists():
        return
    try:
        before = json.loads(file.read_text("utf-8"))["study"]["key"]
    except (OSError, ValueError, LookupError, TypeError):
        before = None
    if before != key:
        other = "something else" if before is None else f"another study, {before}"
        raise ValueError(
            f"{file} is {other}, and would be lost: give another folder, or, to continue it, "
            f"the same options and data."
        )


def seconds_in(budget: str | float) -> float:
    """Return the seconds of a budget, given as text or as a number."""
    if isinstance(budget, str):
        return seconds_of(budget)
    return number(budget, "budget", "(0, inf)")


def shared_plan(
    question: Question, table: RunsTable, trial: Trial, watch: StudyWatch
) -> StudyPlan:
    """Return the plan of a study: that of the first worker, which is made now if there is none.

    Args:
        question: The question.
        table: The table of runs, which stores the plan.
        trial: The data and the baseline.
        watch: Told what is measured.
    """
    stored = table.plan()
    if stored is None:
        plan = make_plan(
            question.tricks,
            trial,
            question.outcome,
            budget=question.budget,
            seeds=question.seeds,
            tune_lr=question.tune_lr,
            say=watch.on_measuring,
        )
        stored = table.fix_plan(plan.to_json())
    return StudyPlan.from_json(stored)


def results_of(
    state: StudyState, question: Question, trial: Trial, mark: str
) -> dict[str, Any]:
    """Return the results of a study so far, as in ``study.json``.

    Args:
        state: The state of the study.
        question: The question.
        trial: The data and the baseline.
        mark: The fingerprint of the data, which can take a second per gigabyte.
    """
    facts = {
        "fingerprint": mark,
        "key": question.key,
        "seconds": sum(map(sum, state.seconds.values())),
    }
    examples = len(question.splits.train)
    return study_results(
        state, trial, facts, recipe_text(question.recipe, question.task, examples)
    )
