"""The data of a run: open it, describe it, open it again later."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neuropil.cli.settings import Settings
from neuropil.cli.train_options import flag
from neuropil.text import file_stem

if TYPE_CHECKING:
    from neuropil.datasets import Splits
    from neuropil.runs.run_folder import Run
    from neuropil.runs.task import Task

# Options of `neuropil.datasets.open`; a run stores them to open its data again.
OPTIONS = (
    *("target", "task", "seed", "validation", "test", "image_size", "color", "header"),
    "encoding",
)
# An option that runs of earlier versions lack.
LATER = "split_by"


def open_splits(settings: Settings) -> Splits:
    """Return the data that the settings name; without a path, the handwritten digits.

    Raises:
        ValueError: When the data cannot be used, or an option does not apply to them.
    """
    from neuropil import datasets
    from neuropil.runs.tasks import usual_task
    from neuropil.training.threads import use_threads

    if settings.data is not None:
        # Means and deviations are rounded differently with another number of threads, and a
        # resumed run needs the same values.
        options: dict[str, Any] = {name: getattr(settings, name) for name in (*OPTIONS, LATER)}
        options["task"] = usual_task(settings.task)
        with use_threads(1):
            return datasets.open(settings.data, **options)
    for name in ("target", "task", "image_size", "color", "header", "encoding", LATER):
        if getattr(settings, name) is not None:
            raise ValueError(
                f"{flag(name)} needs --data: it does not apply to the handwritten digits."
            )
    shares = {name: getattr(settings, name) for name in ("seed", "validation", "test")}
    return datasets.load_handwritten_digits(**shares)


def open_again(run: Run) -> Splits:
    """Return the data of a run.

    Raises:
        ValueError: When ``run.json`` lacks a setting, or the data can no longer be used.
    """
    run.require("data", *OPTIONS)
    return open_splits(Settings.from_plain(run.settings))


def describe_data(splits: Splits, task: Task[Any]) -> str:
    """Return a description of the data and the task in one line."""
    facts = splits.facts()
    kind = {"pictures": "pictures", "table": "rows", "arrays": "examples"}[splits.kind]
    shape = "×".join("any" if n is None else str(n) for n in splits.input_shape)
    of = f"{shape} numbers" if splits.kind == "table" else f"{shape}"
    parts = [f"{facts['train']:,} {kind} of {of} to train on"]
    if facts["validation"]:
        parts.append(f"{facts['validation']:,} to validate")
    if facts["test"] is None:
        parts.append("test files to be read at the end")
    elif facts["test"]:
        parts.append(f"{facts['test']:,} to test at the end")
    return f"{splits.source}: {task.goal()}; {', '.join(parts)}"


def new_folder(data: str | None) -> Path:
    """Return a new folder name for a run, made of the data's name and the time."""
    stem = "digits" if data is None else Path(os.path.realpath(data)).stem
    base = Path("runs") / f"{file_stem(stem)}-{datetime.now():%Y%m%d-%H%M%S}"
    names = (base if n == 1 else base.with_name(f"{base.name}-{n}") for n in range(1, 1000))
    return next(path for path in names if not path.exists())
