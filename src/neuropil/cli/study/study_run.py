"""A study from the command line: its data and baseline, its progress, its files."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from neuropil.cli import plan
from neuropil.cli.console import label, say, say_json
from neuropil.cli.plan_text import show_plan
from neuropil.cli.run_data import open_splits
from neuropil.cli.settings import Settings
from neuropil.cli.study.study_progress import StudyProgress
from neuropil.cli.study.study_text import show_study
from neuropil.cli.terminal.interruption import Interrupted
from neuropil.report.study import write_study
from neuropil.runs.classic_names import class_named
from neuropil.study.budget import seconds_of
from neuropil.study.run_study import run
from neuropil.study.study_plan import tricks_named

if TYPE_CHECKING:
    from collections.abc import Mapping

    from neuropil.cli.train_options import TrainOptions

PAGE = "study.html"


def start_study(own: Mapping[str, Any], asked: TrainOptions) -> None:
    """Run a study with the options of ``neuropil study``, and write its page.

    Args:
        own: The options of the study itself.
        asked: The options of the data and the baseline.

    Raises:
        ValueError: If an option does not suit a study.
        Interrupted: After an interruption.
    """
    settings = Settings.from_options(asked)
    if class_named(settings.network) is not None:
        raise ValueError(
            f"a study is for networks that are trained in steps: {settings.network} is fitted "
            "at once."
        )
    budget = seconds_of(own["budget"])
    tricks = [name.strip() for name in own["tricks"].split(",")]
    tricks_named(tricks)  # an unknown one is told before the data are read
    splits = open_splits(settings)
    task, made, notes, trained = plan.make_plan(splits, settings)
    if trained and settings.network is not None:
        raise ValueError(
            "a study trains from newly drawn weights: name an architecture, not a trained "
            "network."
        )
    quiet = own["quiet"] or own["json"]
    if not quiet:
        show_plan(splits, task, made, notes)
    try:
        with nullcontext() if quiet else StudyProgress(budget) as watch:
            found = run(
                splits,
                tricks=tricks,
                budget=budget,
                seeds=own["seeds"],
                outcome=own["outcome"],
                smallest=own["smallest"],
                tune_lr=own["tune_lr"],
                task=task,
                recipe=made,
                out=own["out"],
                storage=own["storage"],
                device=settings.device,
                threads=settings.threads,
                watch=watch,
                options=asked.given(),
            )
    except KeyboardInterrupt:
        raise Interrupted("interrupted; the same command continues the study") from None
    page = write_study(found.folder / PAGE, found.found)
    if own["json"]:
        say_json(found.found)
    elif quiet:
        say(str(found.folder))
    else:
        show_study(found.found)
        label("Page", str(page))
