"""``neuropil train``."""

import inspect
from dataclasses import replace
from typing import Any

import typer

from neuropil.cli.terminal.interruption import suggesting_resume
from neuropil.cli.terminal.process_group import is_group
from neuropil.cli.train_options import TrainOptions
from neuropil.datasets.formats import check_openable
from neuropil.text import figure_name


def train(**options: Any) -> None:
    """Train a network on your data and write a run folder with a report.

    Without options, train a small convolutional network on real handwritten digits.

    Several processes train together when started by torchrun --nproc-per-node 2 -m neuropil.
    """
    asked = TrainOptions(**options)
    if asked.data is not None:
        check_openable(asked.data)
    if asked.check:
        check_learning(asked)
        return
    with suggesting_resume():
        from neuropil.cli.training_run import start  # which takes seconds

    start(asked)


def check_learning(asked: TrainOptions) -> None:
    """Print whether the network can learn a few of the labels; no run folder is written.

    Raises:
        ValueError: When an option does not suit the check.
        Exit: When it cannot.
    """
    if is_group():
        raise ValueError("--check needs a single process: start it without torchrun.")
    from neuropil.runs.classic_names import class_named  # which loads NumPy

    if class_named(asked.network) is not None:
        raise ValueError(
            f"--check is for networks that are trained in steps: {asked.network} is fitted at "
            "once, so train it."
        )
    from neuropil.cli import plan
    from neuropil.cli.console import label, say, say_json
    from neuropil.cli.plan_text import network_lines, show_data
    from neuropil.cli.run_data import open_splits
    from neuropil.cli.settings import Settings
    from neuropil.cli.study.prepare import prepare
    from neuropil.runs.inspection.self_check import self_check

    settings = Settings.from_options(asked)
    # With the number of epochs set, no trials choose the recipe of a table.
    splits, settings, (task, made, notes, _) = prepare(
        open_splits(settings), replace(settings, epochs=1)
    )
    quiet = asked.quiet or asked.json
    if not quiet:
        show_data(splits, task, notes)
        label("Network", network_lines(made.network))
    found = self_check(
        splits,
        task,
        made,
        seed=settings.seed,
        device=settings.device,
        threads=plan.threads(settings, made, splits),
    )
    if asked.json:
        say_json({"check": vars(found)})
    elif asked.quiet:
        say(found.sentence(figure_name(found.metric)))
    else:
        label("Check", found.sentence(figure_name(found.metric)))
    if not found.passed:
        raise typer.Exit(1)


# Typer reads the options from the signature, so `TrainOptions` is their only definition.
train.__signature__ = inspect.signature(TrainOptions)
